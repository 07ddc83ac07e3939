/** Databases filled in bulk: each row is the one that a client computes from its number, in either dialect. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { digestOf, fill, firstEightOf, ownerOf, type Sizes, userOf, uuidOf } from "../../bench/fill.ts";
import { fillPostgres } from "../../bench/fill-postgres.ts";
import { initializeDatabase } from "../../src/store/open.ts";
import { temporaryFolder } from "../support/folders.ts";
import { postgresOrSkip } from "../support/postgres.ts";

const SIZES: Sizes = { principals: 500, sessions: 1000, keys: 2500 };

const KEYS = "select first_eight, hashed_secret, principal_id, scopes from api_keys order by first_eight";
const SESSIONS = `select s.uuid, s.principal_id, s.revoked, s.state, o.provider, o.identity from sessions s
  join tiled_auth_session_origins o on o.session_id = s.id order by s.uuid`;
const PEOPLE = `select p.uuid, p.id, i.id as name, i.provider, r.name as role from principals p
  join identities i on i.principal_id = p.id join principal_role_association a on a.principal_id = p.id
  join roles r on r.id = a.role_id order by p.uuid`;

type Row = Readonly<Record<string, unknown>>;
type Ask = (sql: string) => Row[] | Promise<Row[]>;

/** The rows of the numbers from 1, in the order of a column. */
function rows(count: number, column: string, row: (number: number) => Row): Row[] {
  const all = Array.from({ length: count }, (_, index) => row(index + 1));
  return all.sort((left, right) => (String(left[column]) < String(right[column]) ? -1 : 1));
}

/** One by one: the difference of two long lists would take minutes. */
async function same(ask: Ask, sql: string, expected: readonly Row[]): Promise<void> {
  const found = await ask(sql);
  assert.equal(found.length, expected.length);
  for (const [index, row] of expected.entries()) assert.deepEqual({ ...found[index] }, row);
}

async function check(ask: Ask, no: unknown, empty: unknown): Promise<void> {
  const people = rows(SIZES.principals, "uuid", (number) => ({
    uuid: uuidOf(number),
    id: number,
    name: userOf(number),
    provider: "any",
    role: "user",
  }));
  const sessions = rows(SIZES.sessions, "uuid", (number) => ({
    uuid: uuidOf(number),
    principal_id: ownerOf(number, SIZES),
    revoked: no,
    state: empty,
    provider: "any",
    identity: userOf(ownerOf(number, SIZES)),
  }));
  const keys = rows(SIZES.keys, "first_eight", (number) => ({
    first_eight: firstEightOf(number, SIZES),
    hashed_secret: digestOf(number, SIZES),
    principal_id: ownerOf(number, SIZES),
    scopes: '["inherit", "cave"]',
  }));
  await same(ask, PEOPLE, people);
  await same(ask, SESSIONS, sessions);
  await same(ask, KEYS, keys);
}

test("SQLite", async (t) => {
  const path = join(await temporaryFolder(t.after.bind(t)), "tiled.db");
  await initializeDatabase(`sqlite:///${path}`);
  fill(path, SIZES);
  const database = new Sqlite(path);
  t.after(() => database.close());
  await check((sql) => database.prepare(sql).all() as Row[], 0, "{}");
});

test("PostgreSQL", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;
  const uri = await server.createDatabase();
  await initializeDatabase(uri);
  await fillPostgres(uri, SIZES);
  await check((sql) => server.query(uri, sql), false, {});
  await server.query(uri, "insert into principals (uuid, type) values ('another', 'user')");
  const [another] = await server.query(uri, "select id from principals where uuid = 'another'");
  assert.deepEqual(another, { id: SIZES.principals + 1 });
});
