import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { OperatorError } from "../../../src/errors.ts";
import { initializeDatabase, inspectDatabase, openStore, upgradeDatabase } from "../../../src/store/open.ts";
import { OLDER_REVISIONS } from "../../../src/store/schema/revisions.ts";
import { postgresOrSkip } from "../../support/postgres.ts";
import { postgresFixture, sqliteFixture } from "../fixtures.ts";
import { folderFor, openFor, storeOptions } from "../support.ts";

const says =
  (...texts: readonly string[]) =>
  (error: unknown) => {
    assert.ok(error instanceof OperatorError, String(error));
    for (const text of texts)
      assert.ok(error.message.includes(text), `${text} is missing in: ${error.message}`);
    return true;
  };

const OTHERS: readonly (readonly [what: string, sql: string, kind: string, text: string])[] = [
  [
    "an older revision",
    `update alembic_version set version_num = '${OLDER_REVISIONS[0]}'`,
    "older",
    "tiled admin upgrade-database",
  ],
  [
    "the oldest revision",
    `update alembic_version set version_num = '${OLDER_REVISIONS.at(-1)}'`,
    "older",
    "481830dd6c11",
  ],
  [
    "an unknown revision",
    "update alembic_version set version_num = 'feedc0ffee12'",
    "unknown",
    "feedc0ffee12",
  ],
  ["two revisions", "insert into alembic_version values ('feedc0ffee12')", "unknown", "feedc0ffee12"],
  [
    "a catalog",
    "create table nodes (id int); create table data_sources (id int); update alembic_version set version_num = '917dbbcfc4b1'",
    "catalog",
    "catalog",
  ],
  ["something else", "drop table alembic_version", "foreign", "another application"],
  [
    "a version table alone",
    "drop table pending_sessions; drop table sessions",
    "foreign",
    "another application",
  ],
];

for (const [what, sql, kind, text] of OTHERS) {
  test(`SQLite: ${what} is refused by name and not changed`, async (t) => {
    const { path, uri } = sqliteFixture(folderFor(t), "0a017b76d0d0");
    const db = new Sqlite(path);
    db.exec(sql);
    db.close();
    const before = readFileSync(path);
    for (const initIfNotExists of [true, false]) {
      await assert.rejects(openStore(storeOptions(uri, { initIfNotExists })), says(text, path));
    }
    await assert.rejects(upgradeDatabase(uri), says(text));
    await assert.rejects(initializeDatabase(uri), says(kind === "older" ? "already initialized" : text));
    assert.equal((await inspectDatabase(uri)).kind, kind);
    assert.deepEqual(readFileSync(path), before);
    assert.deepEqual([existsSync(`${path}-wal`), existsSync(`${path}-journal`)], [false, false]);
  });
}

test("SQLite: an absent or empty database is created only if allowed", async (t) => {
  const folder = folderFor(t);
  const absent = join(folder, "absent.db");
  const empty = join(folder, "empty.db");
  writeFileSync(empty, "");
  for (const [path, kind] of [
    [absent, "absent"],
    [empty, "empty"],
  ] as const) {
    const existed = existsSync(path);
    assert.equal((await inspectDatabase(path)).kind, kind);
    await assert.rejects(
      openStore(storeOptions(path, { initIfNotExists: false })),
      says("init_if_not_exists", path),
    );
    await assert.rejects(upgradeDatabase(path), says("initialize-database"));
    assert.equal(existsSync(path), existed);
    if (existed) assert.equal(readFileSync(path).length, 0);
    await openFor(t, path);
    await assert.rejects(initializeDatabase(path), says("already initialized", "0a017b76d0d0"));
    assert.deepEqual(await inspectDatabase(path), {
      shown: path,
      dialect: "sqlite",
      kind: "served",
      revision: "0a017b76d0d0",
      level: (await inspectDatabase(path)).level,
    });
  }
});

test("SQLite: another kind of file is refused and not changed", async (t) => {
  const folder = folderFor(t);
  const text = join(folder, "notes.txt");
  writeFileSync(text, "These are not the tables you are looking for. ".repeat(50));
  const before = readFileSync(text);
  await assert.rejects(openStore(storeOptions(text)), says("not a SQLite database", text));
  assert.deepEqual(readFileSync(text), before);
  mkdirSync(join(folder, "sub"));
  await assert.rejects(openStore(storeOptions(join(folder, "sub"))), says("not a SQLite database"));
  await assert.rejects(
    openStore(storeOptions(join(folder, "no", "such.db"))),
    says("does not exist", "mkdir -p"),
  );
});

test("SQLite: a file that may not be written is refused", {
  skip: process.getuid?.() === 0 && "root may write all",
}, async (t) => {
  const { path, uri } = sqliteFixture(folderFor(t), "0a017b76d0d0");
  chmodSync(path, 0o400);
  await assert.rejects(openStore(storeOptions(uri)), says("is not writable", path));
});

test("SQLite: a database that a newer version of ours has used is refused", async (t) => {
  const path = join(folderFor(t), "a.db");
  await initializeDatabase(path);
  const db = new Sqlite(path);
  db.exec("insert into tiled_auth_migration values ('9999_future', '2099-01-01T00:00:00.000Z')");
  db.close();
  await assert.rejects(openStore(storeOptions(path)), says("newer version", "9999_future"));
});

test("SQLite: a journal that a crash left behind is rolled back, not refused", async (t) => {
  const folder = folderFor(t);
  const { path } = sqliteFixture(folder, "0a017b76d0d0");
  const writer = new Sqlite(path);
  writer.pragma("cache_size = 1");
  writer.exec("begin; update principals set uuid = 'gone'");
  const copy = join(folder, "crashed.db");
  // Enough changes that pages reach the file before the end of the transaction.
  writer.exec(
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) insert into principals (uuid, type) select 'x' || i, 'user' from n",
  );
  writeFileSync(copy, readFileSync(path));
  writeFileSync(`${copy}-journal`, readFileSync(`${path}-journal`));
  writer.close();
  const store = await openFor(t, copy);
  assert.equal((await store.principals.list({ offset: 0, limit: 300 }, new Date())).length, 4);
});

test("a database in memory has nothing to administer", async () => {
  for (const work of [initializeDatabase, upgradeDatabase, inspectDatabase]) {
    await assert.rejects(work("sqlite://"), says("memory"));
  }
});

test("PostgreSQL", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;

  for (const [what, sql, kind, text] of OTHERS) {
    await t.test(`${what} is refused by name and not changed`, async () => {
      const uri = await postgresFixture(server, "0a017b76d0d0");
      await server.query(uri, sql);
      await assert.rejects(openStore(storeOptions(uri)), says(text));
      await assert.rejects(upgradeDatabase(uri), says(text));
      assert.equal((await inspectDatabase(uri)).kind, kind);
      const ours = await server.query(
        uri,
        "select tablename from pg_tables where tablename like 'tiled_auth%'",
      );
      assert.deepEqual(ours, []);
    });
  }

  await t.test("an empty database is initialized only if allowed", async (inner) => {
    const uri = await server.createDatabase();
    await assert.rejects(
      openStore(storeOptions(uri.replace("tests@", "tests:hunter2@"), { initIfNotExists: false })),
      (error) =>
        says("init_if_not_exists", `initialize-database ${uri}`)(error) && !String(error).includes("hunter2"),
    );
    assert.equal((await inspectDatabase(uri)).kind, "empty");
    await openFor(inner, uri);
    assert.equal((await inspectDatabase(uri)).kind, "served");
    await assert.rejects(initializeDatabase(uri), says("already initialized"));
    assert.deepEqual(await upgradeDatabase(uri), { migrations: [], behind: undefined });
  });

  await t.test("the error for an unreachable database gives the reason, without the password", async () => {
    const secret = (error: unknown) => says()(error) && !String(error).includes("hunter2");
    const broken = server.uri("nowhere").replace("tests@", "tests:hunter2@");
    await assert.rejects(
      openStore(storeOptions(broken)),
      (error) => secret(error) && says("nowhere", "createdb")(error),
    );
    const closed = "postgresql://tests:hunter2@127.0.0.1:1/nowhere";
    await assert.rejects(
      openStore(storeOptions(closed)),
      (error) => secret(error) && says("ECONNREFUSED")(error),
    );
    const nobody = server.uri("postgres").replace("tests@", "nobody:hunter2@");
    await assert.rejects(openStore(storeOptions(nobody)), (error) => secret(error) && says("login")(error));
  });

  await t.test("the error for a user who cannot create tables says so", async () => {
    const uri = await server.createDatabase();
    await server.query(uri, "create role reader login; revoke create on schema public from public");
    await assert.rejects(
      openStore(storeOptions(uri.replace("tests@", "reader@"))),
      says("lacks a privilege"),
    );
  });
});
