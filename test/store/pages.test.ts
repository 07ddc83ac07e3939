/** Pages far behind: whatever ids a database has given, they are the rows in the order of ids. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import Database from "better-sqlite3";
import type { CompiledQuery } from "kysely";
import { fill, userOf } from "../../bench/fill.ts";
import { fillPostgres } from "../../bench/fill-postgres.ts";
import { initializeDatabase } from "../../src/store/open.ts";
import { PostgresConnection } from "../../src/store/postgres/pool.ts";
import { SqliteConnection } from "../../src/store/sqlite/connection.ts";
import { temporaryFolder } from "../support/folders.ts";
import { postgresOrSkip } from "../support/postgres.ts";
import { at, NOW, openFor } from "./support.ts";

const COUNT = 1500;

interface List {
  page(offset: number, limit: number, now?: Date): Promise<unknown>;
  /** Rows that the last page's statement passed over. */
  passedOver(): number;
}

async function listOf(t: TestContext, uri: string): Promise<List> {
  const store = await openFor(t, uri, { initIfNotExists: false });
  let offset = 0;
  for (const { prototype } of [SqliteConnection, PostgresConnection]) {
    const original = prototype.executeQuery;
    t.mock.method(prototype, "executeQuery", function (this: never, query: CompiledQuery) {
      if (/from "principals" as "p".*order by "p"."id" limit .* offset/.test(query.sql))
        offset = Number(query.parameters.at(-1));
      return original.call(this, query);
    });
  }
  return {
    page: async (offset, limit, now = NOW) => {
      const page = await store.principals.list({ offset, limit }, now);
      return page.map(({ identities }) => identities[0]?.id);
    },
    passedOver: () => offset,
  };
}

async function inSqlite(t: TestContext, change: string): Promise<string> {
  const path = join(await temporaryFolder(t.after.bind(t)), "tiled.db");
  await initializeDatabase(`sqlite:///${path}`);
  fill(path, { principals: COUNT, sessions: 0, keys: 0 });
  const raw = new Database(path);
  raw.exec(change);
  raw.close();
  return `sqlite:///${path}`;
}

const people = (...places: number[]) => places.map(userOf);

async function listsAll({ page }: List, at: (place: number) => number): Promise<void> {
  assert.deepEqual(await page(1200, 3), people(at(1200), at(1201), at(1202)));
  assert.deepEqual(await page(0, 2), people(1, 2));
  assert.deepEqual(await page(1498, 10), people(...[at(1498), at(1499)].filter((place) => place <= COUNT)));
  assert.deepEqual(await page(1201, 2), people(at(1201), at(1202)));
  assert.deepEqual(await page(5000, 10), []);
}

const GAP =
  "delete from principal_role_association where principal_id = 7; delete from identities where principal_id = 7; delete from principals where id = 7";
/** UUID at a position in the list. */
const GAPLESS = (place: number) => place + 1;
const BEHIND_GAP = (place: number) => place + 2;

test("SQLite: rows far behind, without gaps in their ids: none is skipped", async (t) => {
  const list = await listOf(t, await inSqlite(t, ""));
  await listsAll(list, GAPLESS);
  await list.page(1400, 5);
  assert.equal(list.passedOver(), 0);
});

test("SQLite: rows far behind a gap: only rows not seen before are skipped by offset", async (t) => {
  const list = await listOf(t, await inSqlite(t, `pragma foreign_keys = on; ${GAP}`));
  await listsAll(list, BEHIND_GAP);
  await comesBack(list);
});

test("PostgreSQL: rows far behind: only rows not seen before are skipped by offset", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;
  const uri = await server.createDatabase();
  await initializeDatabase(uri);
  await fillPostgres(uri, { principals: COUNT, sessions: 0, keys: 0 });
  await server.query(uri, GAP);
  const list = await listOf(t, uri);
  await listsAll(list, BEHIND_GAP);
  await comesBack(list);
});

/** Pages one after the other, twice. */
async function comesBack({ page, passedOver }: List): Promise<void> {
  await page(1300, 50);
  await page(1350, 50);
  assert.equal(passedOver(), 50);
  await page(1350, 50);
  assert.equal(passedOver(), 0);
  // After a minute the position is counted again, even if it, or one counted from it, was used since.
  await page(1350, 50, at(30));
  await page(1400, 50, at(59));
  assert.equal(passedOver(), 50);
  for (const offset of [1350, 1400]) {
    await page(offset, 50, at(61));
    assert.equal(passedOver(), offset === 1350 ? 1350 : 50);
  }
  // Also after the clock was set back.
  await page(1350, 50, at(-1));
  assert.equal(passedOver(), 1350);
}
