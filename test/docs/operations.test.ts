/** The procedures of docs/how-to/operations.md, with the command and the server as an operator has them. */
import assert from "node:assert/strict";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parse, stringify } from "yaml";
import { load } from "../config/support.ts";
import { Api, apikey, bearer } from "../support/api.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs, TILED } from "../support/ours.ts";
import { run } from "../support/process.ts";
import { toy } from "../support/toy.ts";

const page = await readFile(new URL("../../docs/how-to/operations.md", import.meta.url), "utf8");

test("every configuration on the page loads, and every command is known", async () => {
  for (const [, text = ""] of page.matchAll(/^```yaml\n(.*?)^```/gms)) {
    const trees = [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }];
    const env = { NEW_SECRET: "0123456789abcdef".repeat(2), OLD_SECRET: "fedcba9876543210".repeat(2) };
    assert.deepEqual(load(stringify({ trees, ...parse(text) }), env).warnings, []);
  }
  const verbs = new Set([...page.matchAll(/tiled admin ([a-z-]+)/g)].map(([, verb = ""]) => verb));
  assert.ok(verbs.size > 4);
  for (const verb of verbs) {
    const { code, stderr } = await run([...TILED, "admin", verb, "--help"]);
    assert.equal(code, 0, `${verb}: ${stderr}`);
  }
});

test("backup, move to another host, change of the secret keys: no one has to log in again", {
  timeout: 120_000,
}, async (t) => {
  const cleanup = t.after.bind(t);
  const folder = await temporaryFolder(cleanup);
  const [here, there] = [join(folder, "here.db"), join(folder, "there.db")];
  const backup = join(folder, "moved.db");
  const config = (path: string, keys = ["k".repeat(32)]) =>
    toy({
      authentication: { secret_keys: keys },
      database: { uri: `sqlite:///${path}`, init_if_not_exists: true },
    });
  const admin = async (...args: string[]) => {
    const { code, stderr } = await run([...TILED, "admin", ...args]);
    assert.equal(code, 0, stderr);
  };

  const first = await startOurs(cleanup, config(here));
  const one = new Api(first.url);
  await admin("backup", backup, "--database", here);
  const tokens = await one.login("alice");
  const key = await one.makeKey(bearer(tokens));
  const restored = await run([...TILED, "admin", "restore", backup, "--database", here]);
  assert.match(restored.stderr, /Stop its server first/);
  assert.equal(await first.stop(), 0);
  await assert.rejects(access(`${here}-wal`), "one file is left");
  await admin("backup", backup, "--force", "--database", here);
  await admin("restore", backup, "--database", there);

  const second = await startOurs(cleanup, config(there));
  const other = new Api(second.url);
  for (const credential of [bearer(tokens), apikey(key)])
    assert.equal((await other.whoami(credential)).status, 200);
  assert.equal(await second.stop(), 0);

  const rotated = await startOurs(cleanup, config(there, ["n".repeat(32), "k".repeat(32)]));
  const renewed = await new Api(rotated.url).refresh(tokens);
  assert.equal(renewed.status, 200);
  assert.equal(await rotated.stop(), 0);
  const last = new Api((await startOurs(cleanup, config(there, ["n".repeat(32)]))).url);
  assert.equal((await last.whoami(bearer(renewed.body))).status, 200);
  assert.equal((await last.whoami(bearer(tokens))).status, 401);
  assert.equal((await last.whoami(apikey(key))).status, 200);
});
