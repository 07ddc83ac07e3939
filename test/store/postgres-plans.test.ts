/** The same as `plans.test.ts` for PostgreSQL: no statement walks through a table that grows, nor through the whole of its index. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompiledQuery } from "kysely";
import pg from "pg";
import { openStore } from "../../src/store/open.ts";
import { PostgresConnection } from "../../src/store/postgres-pool.ts";
import { startPostgresOrSkip } from "../support/postgres.ts";
import { CASES } from "./conformance.ts";
import { openFor, storeOptions } from "./support.ts";

/** The few rows of these do not grow with the number of people. */
const SMALL = /\bon (?:roles\b|alembic_version)/;
/** Walks the table's own order and stops at the limit; an offset it has to walk over. */
const PAGES = [
  /from "principals" as "p".*order by "p"."id" limit/,
  /from "tiled_auth_audit" .*order by "id" (?:asc|desc) limit/,
];

test("no statement scans a table that grows in PostgreSQL", async (t) => {
  const server = await startPostgresOrSkip(t);
  if (server === undefined) return;
  t.after(() => server.remove());
  const prepared = await server.createDatabase();
  await (await openStore(storeOptions(prepared))).close();
  const template = new URL(prepared).pathname.slice(1);
  const seen = new Set<string>();
  const original = PostgresConnection.prototype.executeQuery;
  t.mock.method(
    PostgresConnection.prototype,
    "executeQuery",
    function (this: PostgresConnection, query: CompiledQuery) {
      seen.add(query.sql);
      return original.call(this, query);
    },
  );
  for (const [, run] of CASES) await run(await openFor(t, await server.createDatabase(template)));
  const statements = [...seen].filter((sql) => /^(?:select|insert|update|delete|with)/.test(sql));
  assert.ok(statements.length > 50, `only ${statements.length} statements were recorded`);

  const scans: string[] = [];
  const client = new pg.Client(await server.createDatabase(template));
  await client.connect();
  try {
    // Where there is a way without a scan, it is taken, however small the tables.
    await client.query("set enable_seqscan = off; set plan_cache_mode = force_generic_plan");
    for (const [index, sql] of statements.entries()) {
      if (PAGES.some((page) => page.test(sql))) continue;
      const plan = await planOf(client, `s${index}`, sql);
      scans.push(...plan.filter(isScan).map((line) => `${line}\n  ${sql}`));
    }
  } finally {
    await client.end();
  }
  assert.deepEqual(scans, []);
});

/** Of the table, or of an index without a condition, which stands in the line behind. */
function isScan(line: string, index: number, plan: readonly string[]): boolean {
  if (SMALL.test(line)) return false;
  return (
    line.includes("Seq Scan") || (/\bIndex.* Scan\b/.test(line) && !plan[index + 1]?.includes("Index Cond"))
  );
}

async function planOf(client: pg.Client, name: string, sql: string): Promise<string[]> {
  const parameters = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  await client.query(`prepare ${name} as ${sql}`);
  const values = parameters === 0 ? "" : `(${Array(parameters).fill("null").join(", ")})`;
  const { rows } = await client.query<{ "QUERY PLAN": string }>(`explain execute ${name}${values}`);
  return rows.map((row) => row["QUERY PLAN"]);
}
