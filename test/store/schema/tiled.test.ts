import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { ADMIN_ROLE, USER_ROLE } from "../../../src/domain/model/scopes.ts";
import { initializeDatabase, openStore } from "../../../src/store/open.ts";
import { type Postgres, postgresOrSkip } from "../../support/postgres.ts";
import { postgresFixture, sqliteFixture } from "../fixtures.ts";
import { folderFor, logIn, openFor, storeOptions } from "../support.ts";

/** Tiled's part of a SQLite database, without regard to white space. */
function sqliteSchema(path: string): unknown[] {
  const db = new Sqlite(path, { readonly: true });
  try {
    const rows = db
      .prepare(
        "select type, name, tbl_name, sql from sqlite_master where name not like 'tiled_auth%' and tbl_name not like 'tiled_auth%' and name <> 'sqlite_sequence' order by type, name",
      )
      .all() as { sql: string | null }[];
    return rows.map((row) => ({
      ...row,
      sql: row.sql?.replace(/\s+/g, " ").replace(/ ?([(),]) ?/g, "$1") ?? null,
    }));
  } finally {
    db.close();
  }
}

test("a new SQLite database has the schema, the roles and the revision of the real Tiled", async (t) => {
  const folder = folderFor(t);
  const real = sqliteFixture(folder, "0a017b76d0d0");
  const path = join(folder, "new.db");
  await initializeDatabase(path);
  assert.deepEqual(sqliteSchema(path), sqliteSchema(real.path));
  const contents = (file: string) => {
    const db = new Sqlite(file, { readonly: true });
    const all = [
      db
        .prepare(
          "select id, name, description, scopes, time_updated, length(time_created) as form from roles order by id",
        )
        .all(),
      db.prepare("select * from alembic_version").all(),
    ];
    db.close();
    return all;
  };
  assert.deepEqual(contents(path), contents(real.path));
  assert.match(
    JSON.stringify(contents(path)),
    new RegExp(`${USER_ROLE.description}.*${ADMIN_ROLE.description}`),
  );
});

test("a new SQLite file and its companions are private to the owner", async (t) => {
  const path = join(folderFor(t), "new.db");
  const store = await openFor(t, `sqlite:///${path}`);
  await logIn(store, "ann");
  for (const file of [path, `${path}-wal`, `${path}-shm`])
    assert.equal(statSync(file).mode & 0o777, 0o600, file);
});

test("times and lists are written as the real Tiled writes them", async (t) => {
  const path = join(folderFor(t), "new.db");
  const store = await openFor(t, `sqlite:///${path}`);
  const { principal, session } = await logIn(store, "ann", { state: { é: [1] } });
  await store.apiKeys.create({
    principal: principal.uuid,
    digest: "ab".repeat(32) as never,
    key: {
      firstEight: "abababab",
      expirationTime: null,
      note: "é",
      scopes: ["a", "b"],
      accessTags: ['é\u007f\u{1F511}"\\\n'],
    },
    limit: 5,
    now: new Date("2026-12-01T12:00:00.123Z"),
    context: { address: null, requestId: null, actor: null },
  });
  const db = new Sqlite(path, { readonly: true });
  t.after(() => db.close());
  const row = (sql: string) => db.prepare(sql).get();
  assert.deepEqual(
    row(
      "select scopes, access_tags, note, hex(hashed_secret) as hashed, time_created, time_updated from api_keys",
    ),
    {
      scopes: '["a", "b"]',
      access_tags: '["\\u00e9\u007f\\ud83d\\udd11\\"\\\\\\n"]',
      note: "é",
      hashed: "AB".repeat(32),
      time_created: "2026-12-01 12:00:00.123000",
      time_updated: null,
    },
  );
  assert.deepEqual(
    row(
      "select uuid, time_last_refreshed, refresh_count, expiration_time, revoked, state, time_created, time_updated from sessions",
    ),
    {
      uuid: session.uuid,
      time_last_refreshed: null,
      refresh_count: 0,
      expiration_time: "2026-12-01 13:00:00.000000",
      revoked: 0,
      state: '{"é":[1]}',
      time_created: "2026-12-01 12:00:00.000000",
      time_updated: null,
    },
  );
  const at = (seconds: number) => new Date(Date.parse("2026-12-01T12:00:00Z") + seconds * 1000);
  const rotate = (generation: number) =>
    store.sessions.rotate({
      session: session.uuid,
      generation,
      tokenId: "t",
      summarize: true,
      rotate: true,
      grace: 60,
      now: at(generation + 1),
      context: { address: null, requestId: null, actor: null },
    });
  const refreshed = () => row("select time_last_refreshed, refresh_count, time_updated from sessions");
  await rotate(0);
  const once = {
    time_last_refreshed: "2026-12-01 12:00:01.000000",
    refresh_count: 1,
    time_updated: "2026-12-01 12:00:01.000000",
  };
  assert.deepEqual(refreshed(), once);
  await rotate(0);
  assert.deepEqual(refreshed(), once, "a retry changes nothing");
  await rotate(1);
  assert.equal((refreshed() as { refresh_count: number }).refresh_count, 2);
  assert.deepEqual(row("select latest_login, time_created, time_updated from identities"), {
    latest_login: "2026-12-01 12:00:00.000000",
    time_created: "2026-12-01 12:00:00.000000",
    time_updated: null,
  });
});

async function postgresSchema(server: Postgres, uri: string): Promise<unknown[]> {
  const queries = [
    "select table_name, column_name, ordinal_position, data_type, udt_name, character_maximum_length, column_default, is_nullable from information_schema.columns where table_schema = 'public' and table_name not like 'tiled_auth%' order by 1, 3",
    "select indexname, indexdef from pg_indexes where schemaname = 'public' and indexname not like 'tiled_auth%' order by 1",
    "select conname, pg_get_constraintdef(oid) as definition from pg_constraint where conrelid::regclass::text not like 'tiled_auth%' and connamespace = 'public'::regnamespace order by 1",
    "select typname, enumlabel from pg_enum join pg_type on pg_type.oid = enumtypid order by enumsortorder",
    "select id, name, description, scopes, time_updated from roles order by id",
    "select * from alembic_version",
  ];
  return Promise.all(queries.map((sql) => server.query(uri, sql)));
}

test("PostgreSQL", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;

  await t.test("a new database has the schema, the roles and the revision of the real Tiled", async () => {
    const uri = await server.createDatabase();
    await initializeDatabase(uri);
    const real = await postgresFixture(server, "0a017b76d0d0");
    assert.deepEqual(await postgresSchema(server, uri), await postgresSchema(server, real));
  });

  await t.test("ten servers can create one database at the same time", async () => {
    const uri = await server.createDatabase();
    const stores = await Promise.all(
      Array.from({ length: 10 }, () => openStore(storeOptions(uri, { poolSize: 2, maxOverflow: 0 }))),
    );
    await Promise.all(stores.map((store) => logIn(store, "ann")));
    const [first] = stores;
    assert.equal((await first?.principals.list({ offset: 0, limit: 10 }, new Date()))?.length, 1);
    assert.equal((await first?.principals.roles())?.length, 2);
    await Promise.all(stores.map((store) => store.close()));
  });
});
