/** The examples of docs/how-to/client.md run as they stand, in both languages, on one login on disk. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, symlink, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import * as client from "../../src/client/node/index.ts";
import { Context, FileStore, passwordGrant, TiledError } from "../../src/client/node/index.ts";
import { Browser } from "../support/browser.ts";
import { scene } from "../support/device-login.ts";
import { temporaryFolder } from "../support/folders.ts";
import { installInto } from "../support/installed.ts";
import { startOurs } from "../support/ours.ts";
import { run } from "../support/process.ts";
import { program, withoutTiled } from "../support/python.ts";
import { PASSWORDS, toy } from "../support/toy.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const page = await readFile(join(ROOT, "docs/how-to/client.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text = ""]) => text);
const isDevice = (code: string) => code.includes("deviceCodeGrant");

describe("the examples of the client library's guide", { timeout: 120_000 }, () => {
  let [folder, cache, url] = ["", "", ""];
  const stops: (() => Promise<unknown>)[] = [];
  const cleanup = (stop: () => Promise<unknown>) => void stops.unshift(stop);
  after(async () => {
    for (const stop of stops) await stop();
  });

  /** As a file of a project that has the package; its output. */
  async function written(code: string, name: string, address = url): Promise<string> {
    const file = join(folder, name);
    await writeFile(file, code.replaceAll("https://tiled.example.org", address));
    return file;
  }

  before(async () => {
    [folder, cache] = [await temporaryFolder(cleanup), await temporaryFolder(cleanup)];
    await installInto(folder);
    await symlink(join(ROOT, "node_modules/openapi-fetch"), join(folder, "node_modules/openapi-fetch"));
    ({ url } = await startOurs(cleanup, toy()));
    const { context } = await Context.fromAnyUri(url, { store: new FileStore(cache) });
    await context.configureAuth(
      await passwordGrant(context, { username: "alice", password: PASSWORDS.alice }),
    );
  });

  const outputs = ["alice", "100", "nightly", "alice", "Log in again.", "nightly"];

  test("TypeScript", async () => {
    const codes = blocks("ts").filter((code) => !isDevice(code));
    assert.equal(codes.length, outputs.length);
    for (const [index, code] of codes.entries()) {
      const file = await written(code, `example-${index}.ts`);
      const { stdout, stderr } = await run([process.execPath, file], { env: { TILED_CACHE_DIR: cache } });
      assert.equal(stdout, `${outputs[index]}\n`, stderr);
    }
  });

  test("Python", { skip: withoutTiled() }, async () => {
    const codes = blocks("python");
    assert.equal(codes.length, 4);
    for (const [index, code] of codes.entries()) {
      const file = await written(code, `example-${index}.py`);
      const env = { TILED_CACHE_DIR: cache, PYTHONWARNINGS: "ignore" };
      const { stdout, stderr } = await run([program("python"), file], { env });
      assert.equal(stdout, `${outputs[index]}\n`, stderr);
    }
  });

  test("the login with a code", async (t) => {
    const { t: app, orcid } = await scene();
    t.after(() => app.close());
    await app.app.listen({ host: "127.0.0.1", port: 0 });
    const address = `http://127.0.0.1:${(app.app.server.address() as AddressInfo).port}`;
    const [code = ""] = blocks("ts").filter(isDevice);
    const child = spawn(process.execPath, [await written(code, "device.ts", address)]);
    t.after(() => child.kill("SIGKILL"));
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    while (!text.includes("\n")) await once(child.stdout, "data");
    const [, userCode = "", uri = ""] = /^Enter (\S+) at (\S+)\n/.exec(text) ?? [];
    const person = new Browser(app);
    const form = await person.open(orcid.signIn(uri, "0000-0001"));
    await person.submit(form, { user_code: userCode });
    await once(child, "close");
    assert.match(text, /\n0000-0001\n$/);
  });

  test("the table of errors is complete", () => {
    const names = Object.entries(client)
      .filter(([, value]) => typeof value === "function" && value.prototype instanceof TiledError)
      .map(([name]) => name);
    const listed = [...page.matchAll(/^\| `(\w+)` \| `ERR_/gm)].map(([, name]) => name);
    assert.deepEqual(listed.sort(), names.sort());
  });
});
