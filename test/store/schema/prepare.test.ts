/** Preparing one database several times at once, by connections that have no settings of ours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Tables } from "../../../src/store/base/tables.ts";
import { inspectPostgres } from "../../../src/store/postgres/inspect.ts";
import { type Preparation, prepare } from "../../../src/store/schema/prepare.ts";
import { postgresOrSkip } from "../../support/postgres.ts";
import { STRICTER, strictDatabase } from "../support.ts";

async function prepareAt(uri: string): Promise<Preparation> {
  const pool = new pg.Pool({ connectionString: uri, max: 1 });
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await prepare(db, "postgresql", (transaction) => inspectPostgres(transaction, uri), true);
  } finally {
    await db.destroy();
  }
}

test("of several servers one creates the schema, at any default isolation level", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;
  for (const level of STRICTER) {
    const uri = await strictDatabase(server, level);
    const all = await Promise.all(Array.from({ length: 6 }, () => prepareAt(uri)));
    assert.equal(all.filter(({ created }) => created).length, 1, level);
    assert.equal(all.filter(({ migrations }) => migrations.length > 0).length, 1, level);
  }
});
