/** The examples of docs/how-to/api-keys.md run as they stand, in each language, with the login of an administrator on disk. */
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { Context, FileStore, passwordGrant } from "../../src/client/node/index.ts";
import { temporaryFolder } from "../support/folders.ts";
import { installInto } from "../support/installed.ts";
import { startOurs, TILED } from "../support/ours.ts";
import { run } from "../support/process.ts";
import { program, withoutTiled } from "../support/python.ts";
import { PASSWORDS, toy } from "../support/toy.ts";

const PAGE = resolve(import.meta.dirname, "../../docs/how-to/api-keys.md");
const page = await readFile(PAGE, "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text = ""]) => text);
const KEY = /^[0-9a-f]{72}\n$/;
/** What the three examples of a language print: a person's key, a service's, the note of `KEY`. */
const PRINTED = [KEY, KEY, /^of the test\n$/];

describe("the examples of the page on API keys", { timeout: 120_000 }, () => {
  let [folder, url, key, token, service] = ["", "", "", "", ""];
  let env: Record<string, string | undefined> = {};
  const stops: (() => Promise<unknown>)[] = [];
  before(async () => {
    const cleanup = (stop: () => Promise<unknown>) => void stops.unshift(stop);
    const [project, cache] = [await temporaryFolder(cleanup), await temporaryFolder(cleanup)];
    folder = project;
    await installInto(folder);
    ({ url } = await startOurs(cleanup, toy()));
    const { context } = await Context.fromAnyUri(url, { store: new FileStore(cache) });
    await context.configureAuth(
      await passwordGrant(context, { username: "alice", password: PASSWORDS.alice }),
    );
    key = (await context.createApiKey({ note: "of the test" })).secret;
    token = context.tokens?.access_token ?? "";
    service = (await context.admin.createServicePrincipal({ role: "user" })).uuid;
    const profiles = join(folder, "profiles");
    await mkdir(profiles);
    await writeFile(join(profiles, "lab.yml"), `lab:\n  uri: ${url}\n`);
    await writeFile(join(folder, "tiled"), `#!/bin/sh\nexec "${TILED[0]}" "${TILED[1]}" "$@" --url ${url}\n`);
    await chmod(join(folder, "tiled"), 0o755);
    env = {
      TILED_CACHE_DIR: cache,
      TILED_PROFILES: profiles,
      TILED_API_KEY: undefined,
      PYTHONWARNINGS: "ignore",
      PATH: `${folder}:${process.env["PATH"]}`,
      ACCESS_TOKEN: token,
    };
  });
  after(async () => {
    for (const stop of stops) await stop();
  });

  async function prints(command: readonly string[], code: string, file: string): Promise<string> {
    const text = code
      .replaceAll("https://tiled.example.org", url)
      .replaceAll('"KEY"', `"${key}"`)
      .replaceAll("UUID", service)
      .replaceAll("FIRST_EIGHT", key.slice(0, 8))
      .replaceAll("PROVIDER/token -d", "toy/token -d")
      .replaceAll("username=alice", "username=alice -s");
    await writeFile(join(folder, file), text);
    const { stdout, stderr } = await run([...command, file], { cwd: folder, env });
    return stdout === "" ? stderr : stdout;
  }

  for (const [language, command, skip] of [
    ["ts", [process.execPath], false],
    ["python", [program("python")], withoutTiled()],
  ] as const)
    test(language, { skip }, async () => {
      const codes = blocks(language);
      assert.equal(codes.length, PRINTED.length);
      for (const [index, code] of codes.entries())
        assert.match(await prints(command, code, `example-${index}.${language}`), PRINTED[index] ?? /^$/);
    });

  test("the shell", async () => {
    await writeFile(join(folder, "password.txt"), PASSWORDS.alice);
    const codes = blocks("sh");
    const printed = [
      /^[0-9a-f]{72}\n$/,
      /"secret":"[0-9a-f]{72}"/,
      /"access_token":"ey/,
      /"type": "service"[\s\S]*\n[0-9a-f]{72}\n$/,
      /"type":"service"[\s\S]*"secret":"[0-9a-f]{72}"/,
      /^$/,
    ];
    assert.equal(codes.length, printed.length);
    for (const [index, code] of codes.entries()) {
      // The last command of the page works on a database, which test/cli/admin does.
      const lines = code.replace(/^tiled admin revoke-key.*\n/m, "");
      assert.match(await prints(["bash"], lines, `example-${index}.sh`), printed[index] ?? /^$/, code);
    }
  });
});
