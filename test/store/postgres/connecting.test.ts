/** Effect of a URI's parameters on real PostgreSQL servers: schemas, hosts, sockets, time limits, passwords. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseDatabaseUri } from "../../../src/database-uri/database-uri.ts";
import type { PostgresAddress } from "../../../src/database-uri/postgres.ts";
import { Failure } from "../../../src/errors.ts";
import { initializeDatabase, openStore } from "../../../src/store/open.ts";
import { makePool } from "../../../src/store/postgres/pool.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { type PrivatePostgres, privatePostgresOrSkip } from "../../support/postgres.ts";
import { onPrivatePostgres, type PostgresCases } from "../on-postgres.ts";
import { folderFor, logIn, openFor, storeOptions } from "../support.ts";

const AUTH = "?options=-csearch_path%3Dauth";

/** Result of a query on one connection of a URI. */
async function asked(uri: string, sql: string): Promise<string> {
  const address = parseDatabaseUri(uri) as PostgresAddress;
  const pool = makePool(address, { size: 1, statementTimeout: 15_000 }, () => {});
  try {
    const client = await pool.connect();
    const { rows } = await client.query(sql);
    client.release();
    return String(Object.values(rows[0] ?? {})[0]);
  } finally {
    await pool.end();
  }
}

const CASES: PostgresCases = {
  "options=-csearch_path puts every table into that schema, beside another deployment in public": async (
    t,
    server,
    uri,
  ) => {
    await (await openStore(storeOptions(uri))).close();
    const before = await tables(uri, "public");
    await server.query(uri, "create schema auth");
    const store = await openFor(t, uri + AUTH);
    await logIn(store, "ann");
    await store.failures.count("ann", { failures: 10, per: 300 });
    await store.maintenance.purge({ now: new Date(), batch: 100, auditBefore: null });
    assert.deepEqual(await tables(uri, "auth"), before);
    const count = (schema: string) =>
      server.query(uri, `select count(*)::int as n from ${schema}.principals`);
    assert.deepEqual([await count("auth"), await count("public")], [[{ n: 1 }], [{ n: 0 }]]);
    // A second start finds the schema.
    await logIn(await openFor(t, uri + AUTH, { initIfNotExists: false }), "bob");
    assert.deepEqual(await count("auth"), [{ n: 2 }]);

    async function tables(at: string, schema: string) {
      const sql = `select relname from pg_class where relnamespace = '${schema}'::regnamespace and relkind in ('r', 'i') order by 1`;
      return server.query(at, sql);
    }
  },

  "a missing schema is named, and nothing is created elsewhere": async (t, server, uri) => {
    await assert.rejects(
      openFor(t, uri + AUTH),
      /none of the schemas of its search_path \(auth\).*CREATE SCHEMA auth/,
    );
    await assert.rejects(initializeDatabase(uri + AUTH), /CREATE SCHEMA auth/);
    assert.deepEqual(
      await server.query(uri, "select tablename from pg_tables where schemaname = 'public'"),
      [],
    );
  },

  "several settings, with spaces and backslashes, arrive as they are": async (_t, _server, uri) => {
    const options = encodeURIComponent("-c geqo=off  -c search_path=a,\\ b --work-mem=1MB");
    const sql =
      "select concat_ws('/', current_setting('geqo'), current_setting('search_path'), current_setting('work_mem'))";
    assert.equal(await asked(`${uri}?options=${options}`, sql), "off/a, b/1MB");
  },

  "time limits are ours unless the options set them": async (_t, _server, uri) => {
    const show = (name: string) => `select current_setting('${name}')`;
    assert.equal(await asked(uri, show("statement_timeout")), "15s");
    assert.equal(await asked(uri, show("idle_in_transaction_session_timeout")), "15s");
    assert.equal(await asked(`${uri}?command_timeout=3`, show("statement_timeout")), "3s");
    const own = `${uri}?options=-cstatement_timeout%3D7s`;
    assert.equal(await asked(own, show("statement_timeout")), "7s");
    assert.equal(await asked(own, show("default_transaction_isolation")), "read committed");
    assert.equal(await asked(`${uri}?application_name=beamline`, show("application_name")), "beamline");
  },

  "a socket's folder, percent-encoded or as a parameter": async (_t, server, uri) => {
    const name = new URL(uri).pathname;
    const folder = encodeURIComponent(server.folder);
    for (const place of [
      `postgresql://tests@${folder}:${server.port}${name}`,
      `postgresql://tests@${name}?host=${folder}&port=${server.port}`,
    ])
      assert.equal(await asked(place, "select inet_server_addr() is null"), "true", place);
  },

  "after an unreachable host the next one is tried": async (t, server, uri) => {
    const two = uri.replace("127.0.0.1", `127.0.0.1:${await freePort()},127.0.0.1`);
    const store = await openFor(t, two);
    await logIn(store, "ann");
    await server.halt();
    await assert.rejects(logIn(store, "bob"));
    await server.start();
    await logIn(store, "bob");
    const none = uri.replace(/@.*\//, `@127.0.0.1:${await freePort()},localhost:${await freePort()}/`);
    await assert.rejects(openFor(t, none), /127\.0\.0\.1:\d+: .*ECONNREFUSED.*; localhost:\d+: /);
  },

  "a refused login is final for all hosts": async (_t, server, uri) => {
    const two = uri.replace("127.0.0.1", `localhost:${server.port},127.0.0.1`).replace("tests@", "stranger@");
    await assert.rejects(asked(two, "select 1"), /^error: role "stranger" does not exist/);
  },

  "a ping detects a read-only database, and writes one row at most": async (t, server, uri) => {
    const store = await openFor(t, uri, { poolSize: 2, maxOverflow: 0 });
    for (const _ of [1, 2, 3]) await store.maintenance.ping();
    const count = "select count(*)::int as n from tiled_auth_failures";
    assert.deepEqual(await server.query(uri, count), [{ n: 1 }]);
    const name = new URL(uri).pathname.slice(1);
    await server.query(
      server.uri("postgres"),
      `alter database ${name} set default_transaction_read_only = on`,
    );
    await server.query(
      uri,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tiled-auth'",
    );
    await assert.rejects(
      store.maintenance.ping(),
      (error) =>
        error instanceof Failure && error.code === "store_unavailable" && /25006/.test(error.message),
    );
    assert.equal((await store.principals.list({ offset: 0, limit: 1 }, new Date())).length, 0, "reads go on");
    await server.query(server.uri("postgres"), `alter database ${name} reset default_transaction_read_only`);
    // A connection from before fails once more and is dropped.
    const works = () =>
      store.maintenance.ping().then(
        () => true,
        () => false,
      );
    assert.ok(await eventually(10, works));
  },

  "a password from a file named in the URI": async (t, server, uri) => {
    await server.query(
      uri,
      "set password_encryption = 'scram-sha-256'; create role locked login password 'in:the file'",
    );
    server.configure({ hba: ["host all locked all scram-sha-256", "host all all all trust"] });
    await server.query(uri, "select pg_reload_conf()");
    const path = join(folderFor(t), "pass");
    writeFileSync(path, `127.0.0.1:${server.port}:*:locked:in\\:the file\n`);
    chmodSync(path, 0o600);
    const locked = uri.replace("tests@", "locked@");
    assert.equal(await asked(`${locked}?passfile=${path}`, "select current_user"), "locked");
    await assert.rejects(asked(locked, "select 1"), /password/);
    assert.equal(await asked(`${locked}?password=in:the%20file`, "select current_user"), "locked");
  },
};

onPrivatePostgres(CASES);

test("target_session_attrs skips a read-only server", { timeout: 60_000 }, async (t) => {
  const first = await privatePostgresOrSkip(t);
  if (first === undefined) return;
  const second = await privatePostgresOrSkip(t);
  if (second === undefined) return;
  await first.query(first.uri("postgres"), "alter system set default_transaction_read_only = on");
  await first.query(first.uri("postgres"), "select pg_reload_conf()");
  const both = `postgresql://tests@127.0.0.1:${first.port},127.0.0.1:${second.port}/postgres`;
  const port = "select current_setting('port')";
  assert.equal(await asked(both, port), String(first.port));
  assert.equal(await asked(`${both}?target_session_attrs=any`, port), String(first.port));
  assert.equal(await asked(`${both}?target_session_attrs=read-write`, port), String(second.port));
  // A read-only primary is still a primary.
  assert.equal(await asked(`${both}?target_session_attrs=primary`, port), String(first.port));
  await assert.rejects(
    openFor(t, `${first.uri("postgres")}?target_session_attrs=read-write`),
    /the server is read-only, which target_session_attrs=read-write excludes/,
  );

  // The roles change while the server runs: new connections follow them.
  const store = await openFor(t, `${both}?target_session_attrs=read-write`, { poolSize: 2, maxOverflow: 0 });
  const works = () =>
    logIn(store, "ann").then(
      () => true,
      () => false,
    );
  assert.equal(await works(), true);
  const turn = async (server: PrivatePostgres, readOnly: "on" | "off") => {
    await server.query(
      server.uri("postgres"),
      `alter system set default_transaction_read_only = ${readOnly}`,
    );
    await server.query(server.uri("postgres"), "select pg_reload_conf()");
  };
  await turn(second, "on");
  assert.ok(await eventually(10, async () => !(await works())));
  await turn(first, "off");
  assert.ok(
    await eventually(10, () =>
      openStore(storeOptions(first.uri("postgres"))).then(
        (other) => other.close().then(() => true),
        () => false,
      ),
    ),
  );
  assert.ok(await eventually(10, works));

  await second.halt();
  second.configure({ standby: true });
  await second.start();
  const reversed = `postgresql://tests@127.0.0.1:${second.port},127.0.0.1:${first.port}/postgres`;
  assert.equal(await asked(reversed, port), String(second.port));
  for (const target of ["primary", "read-write"])
    assert.equal(await asked(`${reversed}?target_session_attrs=${target}`, port), String(first.port));
});
