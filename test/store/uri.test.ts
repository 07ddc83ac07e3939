import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { OperatorError } from "../../src/errors.ts";
import { parseDatabaseUri } from "../../src/store/uri.ts";

for (const [uri, path] of [
  ["sqlite:///relative.db", resolve("relative.db")],
  ["sqlite:////var/lib/tiled.db", "/var/lib/tiled.db"],
  ["sqlite+aiosqlite:////var/lib/tiled.db", "/var/lib/tiled.db"],
  ["sqlite:////var/lib/a%20b.db", "/var/lib/a%20b.db"],
  ["sqlite:////var/lib/tiled.db?timeout=5", "/var/lib/tiled.db"],
  ["sqlite:///file:/var/lib/a%20b.db?uri=true", "/var/lib/a b.db"],
  ["sqlite:///file:///var/lib/a%20b.db?uri=true", "/var/lib/a b.db"],
  ["SQLITE:////var/lib/tiled.db", "/var/lib/tiled.db"],
  ["tiled.db", resolve("tiled.db")],
  ["/var/lib/tiled.db", "/var/lib/tiled.db"],
  ["./a?b.db", resolve("a?b.db")],
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
    const { host, port, user, password, database } = address as Extract<
      typeof address,
      { kind: "postgresql" }
    >;
    return [user, password, host, port, database];
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

test("what is shown of a URI never has the password, nor has a complaint", () => {
  const shown = parseDatabaseUri("postgresql://user:hunter2@db:5432/tiled").shown;
  assert.equal(shown, "postgresql://db:5432/tiled");
  for (const uri of [
    "postgresql://user:hunter2@db:port/tiled",
    "postgresql://user:hunter1@hunter2@db/tiled",
    "mysql://user:hunter2@db/tiled",
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

test("an empty URI is no path", () => {
  assert.throws(() => parseDatabaseUri(""), OperatorError);
});
