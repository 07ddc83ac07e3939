/**
 * The real Tiled's models delete and add identities whose names and addresses we keep: our rows do not hinder them, and go with
 * their identities.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import { openStore } from "../../src/store/open.ts";
import { logIn, storeOptions } from "../store/support.ts";
import { temporaryFolder } from "../support/folders.ts";
import { postgresOrSkip } from "../support/postgres.ts";
import { run } from "../support/process.ts";
import { program, withoutTiled } from "../support/python.ts";

const SCRIPT = fileURLToPath(new URL("identities.py", import.meta.url));
const ROWS = "select identity, name, email from tiled_auth_profiles order by identity";

async function handOver(uri: string, query: (sql: string) => Promise<unknown>): Promise<void> {
  const ours = await openStore(storeOptions(uri));
  const { principal } = await logIn(ours, "ann", { profile: { name: "Ann Lee", email: "ann@lab.example" } });
  await logIn(ours, "bob", { profile: { name: "Bob" } });
  await logIn(ours, "cara", { profile: { name: "Cara" } });
  await ours.close();

  const { code, stdout, stderr } = await run([program("python"), SCRIPT, uri]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), ["ann", "annie", "cara"]);
  const cara = { identity: "cara", name: "Cara", email: null };
  assert.deepEqual(await query(ROWS), [cara]);

  const again = await openStore(storeOptions(uri));
  const back = await logIn(again, "ann", { profile: { name: "Ann" } });
  await again.close();
  assert.equal(back.principal.uuid, principal.uuid);
  assert.deepEqual(await query(ROWS), [{ identity: "ann", name: "Ann", email: null }, cara]);
}

describe("identities with profiles, in the real Tiled", { skip: withoutTiled() }, () => {
  test("SQLite", { timeout: 120_000 }, async (t) => {
    const path = join(await temporaryFolder(t.after.bind(t)), "tiled.db");
    await handOver(`sqlite:///${path}`, async (sql) => {
      const db = new Sqlite(path, { readonly: true });
      const rows = db.prepare(sql).all();
      db.close();
      return rows;
    });
  });

  test("PostgreSQL", { timeout: 120_000 }, async (t: TestContext) => {
    const server = await postgresOrSkip(t);
    if (server === undefined) return;
    const uri = await server.createDatabase();
    await handOver(uri, (sql) => server.query(uri, sql));
  });
});
