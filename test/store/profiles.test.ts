/** Rows of `tiled_auth_profiles`: written by logins and links, only on a change, and gone with the identity. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import Sqlite from "better-sqlite3";
import type { Profile } from "../../src/domain/ports/authenticator.ts";
import type { Store } from "../../src/domain/ports/store.ts";
import { sha256 } from "../../src/lib/secrets.ts";
import { postgresOrSkip } from "../support/postgres.ts";
import { at, folderFor, logIn, login, ORIGIN, opened, openFor } from "./support.ts";

interface Database {
  readonly store: Store;
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** SQL for the version of a row, which every write changes. */
  readonly version: string;
}

const ORCID = { provider: "orcid", id: "0000-0001" };
const ANN: Profile = { name: "Änn Lee", email: "ann@lab.example" };

async function onSqlite(t: TestContext): Promise<Database> {
  const path = join(folderFor(t), "a.db");
  const store = await openFor(t, `sqlite:///${path}`);
  const db = new Sqlite(path);
  t.after(() => db.close());
  db.exec("create table written (n integer)");
  for (const change of ["insert", "update"]) {
    db.exec(
      `create trigger on_${change} after ${change} on tiled_auth_profiles begin insert into written values (1); end`,
    );
  }
  const query = async (sql: string) => {
    const prepared = db.prepare(sql);
    if (prepared.reader) return prepared.all() as Record<string, unknown>[];
    prepared.run();
    return [];
  };
  return { store, query, version: "(select count(*) from written)" };
}

async function onPostgres(t: TestContext): Promise<Database | undefined> {
  const server = await postgresOrSkip(t);
  if (server === undefined) return undefined;
  const uri = await server.createDatabase();
  const store = await openFor(t, uri);
  return { store, query: (sql) => server.query(uri, sql), version: "concat(xmin, ctid, xmax)" };
}

const rows = ({ query }: Database) =>
  query("select provider, identity, name, email from tiled_auth_profiles order by provider, identity");

const toy = (identity: string, name: string | null, email: string | null) => ({
  provider: "toy",
  identity,
  name,
  email,
});

const CASES: Readonly<Record<string, (database: Database) => Promise<void>>> = {
  "a profile is told at the first login or a later one, and the newest counts": async (database) => {
    const { store } = database;
    await logIn(store, "ann", { profile: ANN });
    await logIn(store, "bob");
    assert.deepEqual(await rows(database), [toy("ann", "Änn Lee", "ann@lab.example")]);
    await logIn(store, "bob", { profile: { email: "bob@lab.example" } });
    await logIn(store, "ann", { profile: { name: "Ann Poe", email: "poe@lab.example" } });
    assert.deepEqual(await rows(database), [
      toy("ann", "Ann Poe", "poe@lab.example"),
      toy("bob", null, "bob@lab.example"),
    ]);
  },
  "a name that is not told again stays; an address that is not told again is no longer verified": async (
    database,
  ) => {
    const { store } = database;
    await logIn(store, "ann", { profile: ANN });
    await logIn(store, "ann");
    assert.deepEqual(await rows(database), [toy("ann", "Änn Lee", "ann@lab.example")]);
    await logIn(store, "ann", { profile: { email: "poe@lab.example" } });
    assert.deepEqual(await rows(database), [toy("ann", "Änn Lee", "poe@lab.example")]);
    await logIn(store, "ann", { profile: {} });
    assert.deepEqual(await rows(database), [toy("ann", "Änn Lee", null)]);
    await logIn(store, "bob", { profile: {} });
    assert.equal((await rows(database)).length, 1, "a row of nothing");
  },
  "a login that tells nothing new writes no profile": async (database) => {
    const { store, query, version } = database;
    await logIn(store, "ann", { profile: ANN });
    const read = () => query(`select ${version} as version from tiled_auth_profiles`);
    const written = await read();
    for (const profile of [ANN, { ...ANN }, undefined]) await logIn(store, "ann", { profile });
    assert.deepEqual(await read(), written);
    await logIn(store, "ann", { profile: { ...ANN, name: "Ann" } });
    assert.notDeepEqual(await read(), written);
  },
  "logins of one person at once leave one of their profiles": async (database) => {
    const { store } = database;
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map((name) => logIn(store, "ann", { profile: { name } })));
    const [row, ...others] = await rows(database);
    assert.ok(names.includes(String(row?.["name"])));
    assert.deepEqual(others, []);
  },
  "a refused login leaves the profile as it was": async (database) => {
    const { store } = database;
    await logIn(store, "ann", { profile: ANN });
    const refused = await store.sessions.open(login("ann", { limit: 1, profile: { name: "Eve" } }));
    assert.equal(refused.kind, "limit");
    assert.deepEqual(await rows(database), [toy("ann", "Änn Lee", "ann@lab.example")]);
  },
  "a browser session stores it as well": async (database) => {
    const open = login("ann", { profile: ANN });
    opened((await database.store.browserSessions.open(sha256("a browser"), open, null)).outcome);
    assert.deepEqual(await rows(database), [toy("ann", "Änn Lee", "ann@lab.example")]);
  },
  "linking stores a profile, also of an identity that was linked before; unlinking deletes it": async (
    database,
  ) => {
    const { store } = database;
    const { principal, session } = await logIn(store, "ann");
    const change = {
      principal: principal.uuid,
      session: session.uuid,
      since: at(-300),
      now: at(10),
      context: ORIGIN,
      identity: ORCID,
    };
    const link = (profile: Profile) =>
      store.accounts.link({ ...change, limit: 5, code: null, profile }).then(({ kind }) => kind);
    const row = { provider: "orcid", identity: "0000-0001" };
    assert.equal(await link(ANN), "linked");
    assert.deepEqual(await rows(database), [{ ...row, ...ANN }]);
    assert.equal(await link({ name: "Ann Poe" }), "already");
    assert.deepEqual(await rows(database), [{ ...row, name: "Ann Poe", email: null }]);
    const { kind } = await store.accounts.unlink({ ...change, providers: ["toy"] });
    assert.equal(kind, "unlinked");
    assert.deepEqual(await rows(database), []);
    assert.equal(await link(ANN), "linked", "as an identity that was never here");
    assert.deepEqual(await rows(database), [{ ...row, ...ANN }]);
  },
  "an identity of another principal keeps its own": async (database) => {
    const { store } = database;
    const { principal, session } = await logIn(store, "ann");
    await logIn(store, "x", { identity: ORCID, profile: { name: "Xi" } });
    const { kind } = await store.accounts.link({
      principal: principal.uuid,
      session: session.uuid,
      since: at(-300),
      now: at(10),
      context: ORIGIN,
      identity: ORCID,
      profile: ANN,
      limit: 5,
      code: null,
    });
    assert.equal(kind, "taken");
    assert.deepEqual(await rows(database), [
      { provider: "orcid", identity: "0000-0001", name: "Xi", email: null },
    ]);
  },
  "another program deletes an identity, and adds it again": async (database) => {
    const { store, query } = database;
    await logIn(store, "ann", { profile: ANN });
    await query("delete from identities where id = 'ann'");
    assert.deepEqual(await rows(database), []);
    await logIn(store, "ann", { profile: { name: "Ann" } });
    assert.deepEqual(await rows(database), [toy("ann", "Ann", null)]);
  },
};

async function run(t: TestContext, fresh: (t: TestContext) => Promise<Database | undefined>): Promise<void> {
  for (const [name, work] of Object.entries(CASES)) {
    await t.test(name, async (inner) => {
      const database = await fresh(inner);
      if (database !== undefined) await work(database);
    });
  }
}

test("SQLite", (t) => run(t, onSqlite));
test("PostgreSQL", (t) => run(t, onPostgres));
