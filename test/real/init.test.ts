/** What `tiled init` writes is started as it is, and used with the real Python client. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/folders.ts";
import { oursCommand, TILED } from "../support/ours.ts";
import { run } from "../support/process.ts";
import { atTerminal, type Dialogue, program, withoutTiled } from "../support/python.ts";

const SCRIPT = fileURLToPath(new URL("use_cases.py", import.meta.url));
const TIMEOUT = { timeout: 300_000 };
const MINIMAL = { A: "1.0", B: "1.0", C: "DataFrameClient", D: "DatasetClient" };

/** A started configuration, and the secrets in its file. */
async function started(t: TestContext, ...options: readonly string[]) {
  const folder = await temporaryFolder(t.after.bind(t));
  await mkdir(`${folder}/data/public`, { recursive: true });
  await writeFile(`${folder}/data/public/open.csv`, "x\n1\n");
  await writeFile(`${folder}/data/closed.csv`, "x\n1\n");
  const place = { cwd: folder, env: { USER: "ada", LOGNAME: "ada" } };
  const made = await run([...TILED, "init", "--yes", ...options], place);
  assert.equal(made.code, 0, made.stderr);
  const checked = await run([...TILED, "config", "check", "config.yml"], place);
  assert.equal(checked.code, 0, checked.stderr);
  const { url } = await oursCommand(t.after.bind(t), ["config", "config.yml"], place);
  const text = await readFile(`${folder}/config.env`, "utf8");
  return { url, secret: (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "" };
}

async function seen(t: TestContext, args: readonly string[], dialogue: Dialogue = []): Promise<unknown> {
  const cache = await temporaryFolder(t.after.bind(t));
  const { stdout, stderr } = await atTerminal([program("python"), SCRIPT, ...args], dialogue, {
    TILED_CACHE_DIR: cache,
  });
  const report = /^REPORT (.*)$/m.exec(stdout)?.[1];
  assert.ok(report, stdout + stderr);
  const { sees, refused } = JSON.parse(report);
  return sees ?? refused;
}

describe("tiled init, and the real client", { skip: withoutTiled() }, () => {
  test("private: the administrator logs in with the generated password", TIMEOUT, async (t) => {
    const { url, secret } = await started(t);
    const dialogue = [
      ["Username: ", "ada"],
      ["Password: ", secret("ADA_PASSWORD")],
    ] as const;
    assert.deepEqual(await seen(t, [url], dialogue), MINIMAL);
  });

  test("single user: the generated key opens it", TIMEOUT, async (t) => {
    const { url, secret } = await started(t, "--who", "single-user");
    assert.deepEqual(await seen(t, [url, secret("TILED_KEY")]), MINIMAL);
    assert.equal((await fetch(`${url}/api/v1/metadata/`)).status, 401);
  });

  test("public and mixed: visitors see the public part", TIMEOUT, async (t) => {
    const everyone = await started(t, "--who", "public");
    assert.deepEqual(await seen(t, [everyone.url]), MINIMAL);
    const { url } = await started(t, "--who", "mixed", "--data", "data");
    assert.deepEqual(await seen(t, [url]), { public: { open: "DataFrameClient" } });
  });
});
