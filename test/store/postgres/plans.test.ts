/** The same as `test/store/plans.test.ts` for PostgreSQL: no statement walks through a table that grows, nor through the whole of its index. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompiledQuery } from "kysely";
import pg from "pg";
import { openStore } from "../../../src/store/open.ts";
import { PostgresConnection } from "../../../src/store/postgres/pool.ts";
import { postgresOrSkip } from "../../support/postgres.ts";
import { CASES } from "../conformance.ts";
import { logIn, NOW, ORIGIN, openFor, storeOptions } from "../support.ts";

/** The few rows of these do not grow with the number of people. */
const SMALL = /\bon (?:roles\b|alembic_version|tiled_auth_group_roles)/;
/** Walks the table's own order and stops at the limit; an offset it has to walk over. */
const PAGES = [
  /from "principals" as "p".*order by "p"."id" limit/,
  /from "tiled_auth_audit" .*order by "id" (?:asc|desc) limit/,
];

test("no statement scans a table that grows in PostgreSQL", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;
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
    // Where there is a way without a scan, it is taken, however small the tables. An index that holds all columns would be
    // scanned in place of its table.
    await client.query("set enable_seqscan = off; set enable_indexonlyscan = off");
    await client.query("set plan_cache_mode = force_generic_plan");
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

test("the state of the newest login is found in a few rows, after any number of logins anywhere", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;
  const uri = await server.createDatabase();
  const store = await openFor(t, uri);
  const { principal, session } = await logIn(store, "ann");
  const orcid = { provider: "orcid", id: "0000-0001" };
  const link = { principal: principal.uuid, session: session.uuid, since: NOW, now: NOW, context: ORIGIN };
  await store.accounts.link({ ...link, identity: orcid, limit: 5, code: null });
  await logIn(store, "", { identity: orcid, state: { groups: ["long ago"] } });
  await logIn(store, "", { identity: { provider: "orcid", id: "bob" } });
  await server.query(uri, OFTEN);
  await server.query(uri, "vacuum analyze");

  let asked: CompiledQuery | undefined;
  const original = PostgresConnection.prototype.executeQuery;
  t.mock.method(
    PostgresConnection.prototype,
    "executeQuery",
    function (this: PostgresConnection, query: CompiledQuery) {
      asked = query;
      return original.call(this, query);
    },
  );
  const client = new pg.Client(uri);
  await client.connect();
  try {
    for (const [provider, group] of Object.entries({ toy: "2000", orcid: "long ago" })) {
      assert.deepEqual(await store.accounts.latestState(principal.uuid, provider), { groups: [group] });
      assert.ok(asked);
      const explained = `explain (analyze, format json) ${asked.sql}`;
      const { rows } = await client.query(explained, [...asked.parameters]);
      const read = rowsOf(rows[0]["QUERY PLAN"][0].Plan);
      assert.ok(read < 20, `${read} rows were read for ${provider}`);
    }
  } finally {
    await client.end();
  }
});

/** One session for most users, so that the planner expects few; many ended ones for Ann and Bob. */
const OFTEN = `
  insert into principals (uuid, type) select gen_random_uuid()::text, 'user' from generate_series(1, 3000);
  insert into sessions (uuid, refresh_count, expiration_time, principal_id, revoked, state)
    select gen_random_uuid()::text, 0, '2027-01-01', id, false, '{}' from principals;
  with opened as (
    insert into sessions (uuid, refresh_count, expiration_time, principal_id, revoked, state)
    select gen_random_uuid()::text, 0, '2027-01-01', principal_id, true, jsonb_build_object('groups', array[n::text])
    from identities, generate_series(1, 2000) as n where id in ('ann', 'bob') order by n returning id, principal_id
  ) insert into tiled_auth_session_origins (session_id, provider, identity)
    select o.id, i.provider, i.id from opened as o join identities as i using (principal_id) where i.id in ('ann', 'bob')`;

interface Node {
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Node[];
}

function rowsOf(node: Node): number {
  const {
    "Actual Rows": found,
    "Actual Loops": loops,
    "Rows Removed by Filter": others = 0,
    Plans = [],
  } = node;
  return Plans.reduce((sum, inner) => sum + rowsOf(inner), (found + others) * loops);
}

/** A scan of the table, or of an index without a condition, which would be in the next line. */
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
