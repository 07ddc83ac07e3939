import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { isMistyped, parseDatabaseUri } from "../../src/database-uri/database-uri.ts";
import type { PostgresAddress } from "../../src/database-uri/postgres.ts";
import { OperatorError } from "../../src/errors.ts";

for (const [uri, path] of [
  ["sqlite:///relative.db", resolve("relative.db")],
  ["sqlite:////var/lib/tiled.db", "/var/lib/tiled.db"],
  ["sqlite+aiosqlite:////var/lib/tiled.db", "/var/lib/tiled.db"],
  ["sqlite:////var/lib/a%20b.db", "/var/lib/a%20b.db"],
  ["sqlite:///file:/var/lib/a%20b.db?uri=true", "/var/lib/a b.db"],
  ["sqlite:///file:///var/lib/a%20b.db?uri=true", "/var/lib/a b.db"],
  ["SQLITE:////var/lib/tiled.db", "/var/lib/tiled.db"],
  ["tiled.db", resolve("tiled.db")],
  ["/var/lib/tiled.db", "/var/lib/tiled.db"],
  ["./a?b.db", resolve("a?b.db")],
  ["./data/catalog.db", resolve("data/catalog.db")],
  ["postgres/a.db", resolve("postgres/a.db")],
  ["postgresql", resolve("postgresql")],
  ["sqlite/12:30/a.db", resolve("sqlite/12:30/a.db")],
  ["sqlite+x/a.db", resolve("sqlite+x/a.db")],
  ["postgresql-data/a.db", resolve("postgresql-data/a.db")],
  ["12:30/a.db", resolve("12:30/a.db")],
  ["me@host/a.db", resolve("me@host/a.db")],
  ["me@host:1/a.db", resolve("me@host:1/a.db")],
  ["/srv/12:30/me@host/a.db", "/srv/12:30/me@host/a.db"],
  ["C:\\data\\me@host\\a.db", resolve("C:\\data\\me@host\\a.db")],
  ["C:/data/me@host/a.db", resolve("C:/data/me@host/a.db")],
  ["\\\\server\\me@host\\a.db", resolve("\\\\server\\me@host\\a.db")],
  ["sqlite:///postgresql:/me:x@host/a.db", resolve("postgresql:/me:x@host/a.db")],
  ["sqlite:////srv/a:b@c/a.db", "/srv/a:b@c/a.db"],
] as const) {
  test(`${uri} is a file`, () => {
    assert.deepEqual(parseDatabaseUri(uri), { kind: "file", path, shown: path });
  });
}

for (const uri of [
  null,
  "sqlite://",
  "sqlite:///",
  "sqlite:///:memory:",
  "sqlite+aiosqlite:///:memory:",
  "sqlite:///file:x?mode=memory&cache=shared&uri=true",
  "sqlite:///file::memory:?cache=shared",
]) {
  test(`${uri} is in memory`, () => {
    assert.equal(parseDatabaseUri(uri).kind, "memory");
  });
}

test("PostgreSQL's parts are read as SQLAlchemy reads them", () => {
  const parts = (uri: string) => {
    const address = parseDatabaseUri(uri);
    assert.equal(address.kind, "postgresql");
    const { hosts, user, password, database } = address as PostgresAddress;
    const [first] = hosts;
    return [user, password, first?.host, first?.port, database];
  };
  assert.deepEqual(parts("postgresql://user:pw@db.example:5433/tiled"), [
    "user",
    "pw",
    "db.example",
    5433,
    "tiled",
  ]);
  assert.deepEqual(parts("postgresql+asyncpg://user@db/tiled"), [
    "user",
    undefined,
    "db",
    undefined,
    "tiled",
  ]);
  assert.deepEqual(parts("postgres://db"), [undefined, undefined, "db", undefined, undefined]);
  assert.deepEqual(parts("postgresql://u%40x:p%40%2F%25:?#/w@[::1]:5432/a%20b"), [
    "u@x",
    "p@/%:?#/w",
    "::1",
    5432,
    "a b",
  ]);
  assert.deepEqual(parts("postgresql://user:100%@db/tiled"), ["user", "100%", "db", undefined, "tiled"]);
  assert.deepEqual(parts("postgresql:///tiled?host=/run/postgresql&port=5433"), [
    undefined,
    undefined,
    "/run/postgresql",
    5433,
    "tiled",
  ]);
  assert.deepEqual(parts("postgresql:///tiled?application_name=a@b"), [
    undefined,
    undefined,
    undefined,
    undefined,
    "tiled",
  ]);
});

test("neither the shown URI nor an error contains the password", () => {
  const shown = parseDatabaseUri("postgresql://user:hunter2@db:5432/tiled").shown;
  assert.equal(shown, "postgresql://user@db:5432/tiled");
  for (const uri of [
    "postgresql://user:hunter2@db:port/tiled",
    "postgresql://user:hunter1@hunter2@db/tiled",
    "mysql://user:hunter2@db/tiled",
    "postgresql://user:hunter1@hunter2/word@db/tiled",
    "sqlite://user:hunter2@db/tiled",
    "postgresql://user:hunter2@[::1/tiled",
  ]) {
    assert.throws(
      () => parseDatabaseUri(uri),
      (error) => error instanceof OperatorError && !error.message.includes("hunter2"),
      uri,
    );
  }
});

for (const uri of [
  "postgresql:/user:hunter2@db/tiled",
  "postgresql:user:hunter2@db/tiled",
  "postgresql//user:hunter2@db/tiled",
  " postgresql://user:hunter2@db/tiled",
  "\tPostgres:/user:hunter2@db/tiled",
  "postgresql+asyncpg:/user:hunter2@db/tiled",
  "postgresql+asyncpg//user:hunter2@db/tiled",
  "postgresql ://user:hunter2@db/tiled",
  '"postgresql://user:hunter2@db/tiled"',
  "postgresql:\\\\user:hunter2@db\\tiled",
  "postgresql\\\\user:hunter2@db\\tiled",
  "postgresql:///user:hunter2@db/tiled",
  "postgres:////user:hunter2@db/tiled",
  "postgresql:/hunter2",
  "sqlite:hunter2.db",
  "sqlite:/hunter2.db",
  "sqlite//hunter2.db",
  "postgre-sql://user:hunter2@db/tiled",
  "postgrseql:/user:hunter2@db/tiled",
  "postgrseql:/user:hunter1/hunter2@db/tiled",
  "postgrseql//user:hunter1/hunter2@db/tiled",
  "://user:hunter2@db/tiled",
  "//user:hunter2@db/tiled",
  "/user:hunter2@db/tiled",
  "user:hunter2@db/tiled",
  "user:hunter1/hunter2@db/tiled",
  "mysql:/user:hunter2@db/tiled",
  "./postgresql:/user:hunter2@db/tiled",
]) {
  test(`${uri} is a mistyped URI, and the error does not repeat it`, () => {
    assert.equal(isMistyped(uri), true);
    assert.throws(
      () => parseDatabaseUri(uri),
      (error) =>
        error instanceof OperatorError &&
        /postgresql:\/\/user:password@host/.test(error.message) &&
        !/hunter/.test(error.message),
    );
  });
}

test("an empty URI is no path", () => {
  assert.throws(() => parseDatabaseUri(""), OperatorError);
});
