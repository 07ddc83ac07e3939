/**
 * The cost of an operation must not grow with the database: every statement that the store runs is recorded and
 * explained, and none may walk through a table that grows.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CompiledQuery } from "kysely";
import { SqliteConnection } from "../../src/store/sqlite/connection.ts";
import { openMemory } from "../../src/store/sqlite/database.ts";
import { CASES } from "./conformance.ts";
import { at, logIn, NOW, newKey, openFor } from "./support.ts";

/** The few rows of these do not grow with the number of people. */
const SMALL = /^SCAN (roles|alembic_version|tiled_auth_group_roles|CONSTANT ROW|\d+-ROW VALUES CLAUSE)\b/;
/** All rows of one owner or provider ever: ended sessions stay for a year. */
const EVER =
  /INDEX tiled_auth_ix_(?:sessions_owner_end \(principal_id=\?\)|origins_identity \(provider=\?\))/;
/** Walks the table's own order and stops at the limit; never sorts or filters more than it hands out. */
const PAGES = [
  // Counts by the page of its index, of which one holds hundreds of rows.
  /^select .*\(select count\(\*\) from principals\)/,
  /from "principals" as "p".*order by "p"."id" limit/,
  /from "tiled_auth_audit" .*order by "id" (asc|desc) limit/,
];

/** Records the statements of every connection until the test ends. */
function record(t: TestContext): Map<string, number> {
  const seen = new Map<string, number>();
  t.mock.method(
    SqliteConnection.prototype,
    "executeQuery",
    function (this: SqliteConnection, query: CompiledQuery) {
      seen.set(query.sql, (seen.get(query.sql) ?? 0) + 1);
      return original.call(this, query);
    },
  );
  return seen;
}
const original = SqliteConnection.prototype.executeQuery;

test("no statement scans a growing table, or sorts unlimited rows", async (t) => {
  const seen = record(t);
  for (const [, run] of CASES) await run(await openFor(t, null));
  t.mock.restoreAll();
  const dml = [...seen.keys()].filter(
    (sql) => /^(select|insert|update|delete|with)/.test(sql) && !/sqlite_master|pragma_|migration/.test(sql),
  );
  assert.ok(dml.length > 50, `only ${dml.length} statements were recorded`);

  const explain = await explainer(t);
  for (const sql of dml) {
    for (const detail of explain(sql)) {
      if (PAGES.some((page) => page.test(sql))) continue;
      assert.ok(!detail.startsWith("SCAN") || SMALL.test(detail), `${detail}\n  ${sql}`);
      // SQLite checks whether a new row is referenced already, which it never is.
      assert.ok(sql.startsWith("insert") || !EVER.test(detail), `${detail}\n  ${sql}`);
    }
  }
});

test("a principal's API keys, and at a login the live sessions, are read from an index alone", async (t) => {
  const seen = record(t);
  const store = await openFor(t, null);
  const { principal } = await logIn(store, "ann");
  await store.apiKeys.create(newKey(principal.uuid));
  await store.principals.document(principal.uuid, NOW);
  await logIn(store, "ann");
  t.mock.restoreAll();
  const explain = await explainer(t);
  const how = (pattern: RegExp) => [...seen.keys()].filter((sql) => pattern.test(sql)).map(explain);
  const byOwner = [
    ...how(/^select .*"first_eight".* from "api_keys" where "principal_id" in/),
    ...how(/^select .*\(select count\(\*\) as "live" from "sessions"/),
    ...how(/^select count\(\*\) as "live" from "api_keys"/),
  ];
  assert.equal(byOwner.length, 3);
  for (const plan of byOwner) assert.match(plan.join("; "), /SEARCH (s|api_keys) USING COVERING INDEX/);
});

test("the newest login's state is found by its session, not among all of them", async (t) => {
  const seen = record(t);
  const store = await openFor(t, null);
  const { principal } = await logIn(store, "ann");
  await store.accounts.latestState(principal.uuid, "toy");
  t.mock.restoreAll();
  const [sql = ""] = [...seen.keys()].filter((text) => text.startsWith('select "s"."state"'));
  assert.match(sql, /max\("o"."session_id"\)/);
  const plan = (await explainer(t))(sql).join("; ");
  assert.match(plan, /SEARCH s USING INTEGER PRIMARY KEY \(rowid=\?\)/);
  assert.match(
    plan,
    /SEARCH o USING COVERING INDEX tiled_auth_ix_origins_identity \(provider=\? AND identity=\?\)/,
  );
});

/** The plan of a statement in a new database, a line for each step. */
async function explainer(t: TestContext): Promise<(sql: string) => readonly string[]> {
  const connection = await openMemory();
  t.after(() => connection.close());
  return (sql) =>
    connection.raw
      .prepare(`explain query plan ${sql}`)
      .all(...Array.from({ length: sql.split("?").length - 1 }, () => null))
      .map((step) => (step as { detail: string }).detail);
}

test("a page of principals costs as many statements as one principal", async (t) => {
  const store = await openFor(t, null);
  for (let index = 0; index < 30; index++) {
    const { principal } = await logIn(store, `user${index}`);
    await store.apiKeys.create(newKey(principal.uuid));
  }
  const count = async (limit: number) => {
    const seen = record(t);
    assert.equal((await store.principals.list({ offset: 0, limit }, NOW)).length, limit);
    t.mock.restoreAll();
    return [...seen.values()].reduce((sum, times) => sum + times, 0);
  };
  assert.equal(await count(30), await count(1));
});

test("a page of principals reads no more rows of a user who logged in and out a thousand times", async (t) => {
  const store = await openFor(t, null);
  for (const id of ["ann", "bob"]) {
    const logins = await Promise.all(Array.from({ length: 1000 }, () => logIn(store, id, { limit: 2000 })));
    const [first] = logins;
    assert.ok(first);
    await store.accounts.revokeOthers({
      principal: first.principal.uuid,
      keep: first.session.uuid,
      now: at(1),
      context: {
        address: null,
        requestId: null,
        actor: null,
      },
    });
  }
  let read = 0;
  t.mock.method(
    SqliteConnection.prototype,
    "executeQuery",
    async function (this: SqliteConnection, query: CompiledQuery) {
      const result = await original.call(this, query);
      read += result.rows.length;
      return result;
    },
  );
  assert.equal((await store.principals.list({ offset: 0, limit: 100 }, NOW)).length, 2);
  assert.ok(read < 420, `${read} rows`);
});

test("statements are compiled once, however often they run", async (t) => {
  const store = await openFor(t, null);
  const { principal, session } = await logIn(store, "ann");
  const seen = record(t);
  for (let generation = 0; generation < 20; generation++) {
    await store.sessions.rotate({
      session: session.uuid,
      generation,
      tokenId: `t${generation}`,
      summarize: true,
      rotate: true,
      grace: 60,
      now: at(1),
      context: { address: null, requestId: null, actor: null },
    });
    await store.principals.document(principal.uuid, NOW);
  }
  assert.ok(seen.size <= 15, `${seen.size} different texts`);
});
