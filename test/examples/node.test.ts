/** examples/node in a project of its own, against this server and the real Tiled: with a key, with the login on disk, and without either. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Context, FileStore, passwordGrant } from "../../src/client/node/index.ts";
import { temporaryFolder } from "../support/folders.ts";
import { installedExample } from "../support/installed.ts";
import { startOurs } from "../support/ours.ts";
import { run } from "../support/process.ts";
import { withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { PASSWORDS, toy } from "../support/toy.ts";

for (const [server, start] of [
  ["ours", startOurs],
  ["the real Tiled", startReference],
] as const)
  describe(`the example for Node against ${server}`, {
    skip: start === startReference && withoutTiled(),
    timeout: 120_000,
  }, () => {
    let [folder, cache, url] = ["", "", ""];
    const stops: (() => Promise<unknown>)[] = [];
    before(async () => {
      const cleanup = (stop: () => Promise<unknown>) => void stops.unshift(stop);
      [folder, cache] = [await installedExample(cleanup, "node"), await temporaryFolder(cleanup)];
      const database = {
        uri: `sqlite:///${await temporaryFolder(cleanup)}/auth.db`,
        init_if_not_exists: true,
      };
      ({ url } = await start(cleanup, toy({ database })));
    });
    after(async () => {
      for (const stop of stops) await stop();
    });

    const example = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      run([process.execPath, "read.ts", ...args], {
        cwd: folder,
        env: { TILED_API_KEY: undefined, TILED_CACHE_DIR: cache, ...env },
      });
    const said = (caller: string) => `caller ${caller}\nshape  100 × 100\nmean   1\nrange  1 to 1\n`;

    test("without a login or a terminal: an error of one line", async () => {
      const { code, stdout, stderr } = await example([url, "A"]);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /^A login is required.*\n$/);
    });

    test("with the login on disk, then with a key", async () => {
      const { context } = await Context.fromAnyUri(url, { store: new FileStore(cache) });
      await context.configureAuth(await passwordGrant(context, { username: "bob", password: PASSWORDS.bob }));
      const { code, stdout, stderr } = await example([url, "A"]);
      assert.deepEqual([code, stdout, stderr], [0, said("bob"), ""]);
      const { secret } = await context.createApiKey({
        expiresIn: "10m",
        scopes: ["read:metadata", "read:data"],
      });
      const withKey = await example([url, "A"], { TILED_API_KEY: secret });
      assert.match(withKey.stdout, /^caller (bob|[\da-f-]{36})\nshape /);
      const missing = await example([url, "nowhere"]);
      assert.equal(missing.code, 1);
      assert.match(missing.stderr, /^nowhere: 404 .*\n$/);
    });
  });
