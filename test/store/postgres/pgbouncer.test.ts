/** A real PgBouncer with its defaults between the store and PostgreSQL, in both of its modes that applications use. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { parse } from "yaml";
import type { OpenSession } from "../../../src/domain/ports/sessions.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { plainIni, startPgBouncer, withoutPgBouncer } from "../../support/pgbouncer.ts";
import { type Postgres, postgresOrSkip } from "../../support/postgres.ts";
import { logIn, newKey, openFor, refresh } from "../support.ts";

const TIMEOUT = { timeout: 60_000, skip: withoutPgBouncer() };

async function scene(t: TestContext, mode: "session" | "transaction", more = "") {
  const postgres = await postgresOrSkip(t);
  if (postgres === undefined) return undefined;
  const direct = await postgres.createDatabase();
  const port = await startPgBouncer(t.after.bind(t), postgres, plainIni(postgres, mode, more));
  return { postgres, direct, uri: direct.replace(/:\d+\//, `:${port}/`) };
}

async function use(store: Store): Promise<void> {
  const open: Partial<OpenSession> = { limit: 1000 };
  await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const { session, principal } = await logIn(store, `user${index % 5}`, open);
      assert.equal((await store.sessions.rotate(refresh(session.uuid, 0, "t"))).kind, "refreshed");
      await store.apiKeys.create(newKey(principal.uuid));
      await store.failures.count(`user${index % 5}`, { failures: 1000, per: 300 });
    }),
  );
  await store.maintenance.purge({ now: new Date(), batch: 100, auditBefore: null });
  await store.maintenance.ping();
}

for (const mode of ["session", "transaction"] as const) {
  test(`a database is created and used through PgBouncer's ${mode} pooling`, TIMEOUT, async (t) => {
    const found = await scene(t, mode);
    if (found === undefined) return;
    const store = await openFor(t, found.uri, { poolSize: 10, maxOverflow: 0 });
    await use(store);
    const [row] = await found.postgres.query(found.direct, "select count(*)::int as n from principals");
    assert.equal(row?.["n"], 5);
  });
}

test(
  "what the store sets for its transactions reaches no other client of a transaction pool",
  TIMEOUT,
  async (t) => {
    const found = await scene(t, "transaction", "default_pool_size = 1");
    if (found === undefined) return;
    const [before] = await settings(found.postgres, found.uri);
    const store = await openFor(t, found.uri, { poolSize: 2, maxOverflow: 0 });
    await use(store);
    assert.deepEqual(await settings(found.postgres, found.uri), [before]);
    const inside: unknown[] = [];
    const { query } = pg.Client.prototype;
    t.mock.method(pg.Client.prototype, "query", function (this: pg.Client, ...asked: unknown[]) {
      inside.push(typeof asked[0] === "string" ? asked[0] : undefined);
      return Reflect.apply(query, this, asked);
    });
    await logIn(store, "ann");
    assert.ok(inside.some((text) => /^begin.*set local statement_timeout = 15000/.test(String(text))));
  },
);

function settings(postgres: Postgres, uri: string) {
  return postgres.query(
    uri,
    "select current_setting('statement_timeout') as s, current_setting('idle_in_transaction_session_timeout') as i, current_setting('default_transaction_isolation') as d",
  );
}

test("options that PgBouncer refuses, or ignores, are named at the start", TIMEOUT, async (t) => {
  const refused = await scene(t, "transaction");
  if (refused === undefined) return;
  await refused.postgres.query(refused.direct, "create schema auth");
  const options = "?options=-csearch_path%3Dauth";
  await assert.rejects(openFor(t, refused.uri + options), /pooler.*refuses.*options.*ALTER ROLE/s);
  const ignored = await scene(t, "transaction", "ignore_startup_parameters = options");
  if (ignored === undefined) return;
  await ignored.postgres.query(ignored.direct, "create schema auth");
  await assert.rejects(
    openFor(t, ignored.uri + options),
    /search_path.*did not reach PostgreSQL.*ALTER ROLE/,
  );
  const [row] = await ignored.postgres.query(
    ignored.direct,
    "select count(*)::int as n from pg_tables where schemaname in ('auth', 'public')",
  );
  assert.equal(row?.["n"], 0, "nothing was made elsewhere");
  // The remedy in the message, which applies to new connections of the pooler.
  const database = new URL(ignored.direct).pathname.slice(1);
  const sql = `alter role tests in database ${database} set search_path = auth`;
  await ignored.postgres.query(ignored.direct, sql);
  const ini = plainIni(ignored.postgres, "transaction");
  const port = await startPgBouncer(t.after.bind(t), ignored.postgres, ini);
  const store = await openFor(t, ignored.direct.replace(/:\d+\//, `:${port}/`));
  await logIn(store, "ann");
  const rows = await ignored.postgres.query(ignored.direct, "select count(*)::int as n from auth.principals");
  assert.deepEqual(rows, [{ n: 1 }]);
});

test("the PgBouncer example works unchanged", TIMEOUT, async (t) => {
  const postgres = await postgresOrSkip(t);
  if (postgres === undefined) return;
  const read = (name: string) =>
    readFileSync(new URL(`../../../example_configs/pgbouncer/${name}`, import.meta.url), "utf8");
  for (const statement of read("setup.sql").split(";")) {
    if (statement.trim() !== "") await postgres.query(postgres.uri("postgres"), statement);
  }
  const password = "a password: @%";
  const port = await startPgBouncer(
    t.after.bind(t),
    postgres,
    ({ port: own, folder }) =>
      read("pgbouncer.ini")
        .replace("port=5432", `port=${postgres.port}`)
        .replace("6432", String(own))
        .replaceAll("/etc/pgbouncer", folder)
        .replace("[pgbouncer]", "[pgbouncer]\nunix_socket_dir ="),
    { name: "tiled", password },
  );
  const { database } = parse(read("tiled-auth.yml"));
  const uri = database.uri.replace(/\$\{\w+\}/, encodeURIComponent(password)).replace("6432", port);
  const store = await openFor(t, uri, { poolSize: database.pool_size, maxOverflow: database.max_overflow });
  await use(store);
  const direct = postgres.uri("tiled").replace("tests@", "tiled@");
  assert.deepEqual(await postgres.query(direct, "show statement_timeout"), [{ statement_timeout: "15s" }]);
  await assert.rejects(
    openFor(t, uri.replace(encodeURIComponent(password), "wrong")),
    /refuses|password|auth/i,
  );
});
