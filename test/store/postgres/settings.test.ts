/** Effect of each parameter of a PostgreSQL URI, or the error that names it. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseDatabaseUri } from "../../../src/database-uri/database-uri.ts";
import type { PostgresAddress } from "../../../src/database-uri/postgres.ts";
import { parseOptions } from "../../../src/database-uri/postgres-options.ts";
import { OperatorError } from "../../../src/errors.ts";
import { passwordIn, passwordSource } from "../../../src/store/postgres/passfile.ts";
import { connectionSettings } from "../../../src/store/postgres/settings.ts";
import { folderFor } from "../support.ts";

function addressOf(uri: string): PostgresAddress {
  const address = parseDatabaseUri(uri);
  if (address.kind !== "postgresql") throw new Error("not PostgreSQL");
  return address;
}

const settings = (query: string, environment = {}) =>
  connectionSettings(addressOf(`postgresql+asyncpg://db/tiled${query}`), environment);

for (const [uri, hosts] of [
  ["postgresql://%2Fvar%2Frun%2Fpostgresql/tiled", [["/var/run/postgresql", undefined]]],
  ["postgresql://%2frun%2fpg:5433/tiled", [["/run/pg", 5433]]],
  ["postgresql:///tiled?host=/run/postgresql", [["/run/postgresql", undefined]]],
  [
    "postgresql://h1:5432,h2:5433/tiled",
    [
      ["h1", 5432],
      ["h2", 5433],
    ],
  ],
  [
    "postgresql://h1,[::1]:5433,h3/tiled",
    [
      ["h1", undefined],
      ["::1", 5433],
      ["h3", undefined],
    ],
  ],
  [
    "postgresql+psycopg2:///tiled?host=h1:5432&host=h2:5433",
    [
      ["h1", 5432],
      ["h2", 5433],
    ],
  ],
  [
    "postgresql:///tiled?host=h1,h2&port=5432,5433",
    [
      ["h1", 5432],
      ["h2", 5433],
    ],
  ],
  [
    "postgresql:///tiled?host=h1,h2&port=5433",
    [
      ["h1", 5433],
      ["h2", 5433],
    ],
  ],
] as const) {
  test(`${uri} is tried at ${hosts.join(", then ")}`, () => {
    assert.deepEqual(
      addressOf(uri).hosts.map(({ host, port }) => [host, port]),
      hosts,
    );
  });
}

test("libpq's environment names hosts where the URI has none", () => {
  const at = (uri: string, environment: Record<string, string>) =>
    connectionSettings(addressOf(uri), environment).hosts.map(({ host, port }) => `${host}:${port}`);
  assert.deepEqual(at("postgresql:///tiled", {}), ["localhost:undefined"]);
  assert.deepEqual(at("postgresql:///tiled", { PGHOST: "h1,h2", PGPORT: "1,2" }), ["h1:1", "h2:2"]);
  assert.deepEqual(at("postgresql://h3/tiled", { PGHOST: "h1,h2", PGPORT: "7" }), ["h3:7"]);
});

test("settings that take effect", () => {
  const plain = settings("");
  assert.deepEqual(
    [plain.target, plain.applicationName, plain.connectTimeout, plain.keepAlive, plain.options],
    ["any", "tiled-auth", 5000, true, undefined],
  );
  const said = settings(
    "?target_session_attrs=read-write&application_name=beamline&connect_timeout=3&keepalives=0&keepalives_idle=30&options=-csearch_path%3Dauth&channel_binding=require&sslnegotiation=direct&command_timeout=2.5",
  );
  assert.deepEqual(
    [
      said.target,
      said.applicationName,
      said.connectTimeout,
      said.keepAlive,
      said.keepAliveIdle,
      said.options,
      said.channelBinding,
      said.directTls,
      said.statementTimeout,
    ],
    ["read-write", "beamline", 3000, false, 30_000, "-csearch_path=auth", "require", true, 2500],
  );
  const around = {
    PGTARGETSESSIONATTRS: "primary",
    PGAPPNAME: "lab",
    PGCONNECT_TIMEOUT: "4",
    PGOPTIONS: "-c geqo=off",
  };
  const { target, applicationName, connectTimeout, options } = settings("", around);
  assert.deepEqual(
    [target, applicationName, connectTimeout, options],
    ["primary", "lab", 4000, "-c geqo=off"],
  );
  assert.equal(settings("?fallback_application_name=x").applicationName, "x");
  assert.throws(() => settings("", { PGTARGETSESSIONATTRS: "standby" }), /PGTARGETSESSIONATTRS: .*writes/);
});

test("settings that equal the fixed behaviour are accepted", () => {
  for (const query of [
    "?prepared_statement_cache_size=0",
    "?statement_cache_size=0",
    "?gssencmode=disable",
    "?client_encoding=utf8",
    "?load_balance_hosts=disable",
    "?sslcompression=0&sslsni=1",
    "?ssl=require",
  ])
    assert.doesNotThrow(() => settings(query), query);
});

for (const [query, expected] of [
  [
    "?target_sesion_attrs=any",
    /unknown parameter 'target_sesion_attrs'. Did you mean 'target_session_attrs'\?/,
  ],
  ["?search_path=auth", /'search_path'. Write a schema as options=-csearch_path%3DNAME/],
  ["?connection_limit=5", /database.pool_size/],
  ["?foo=1", /unknown parameter 'foo'. Leave it out/],
  [
    "?target_session_attrs=standby",
    /'target_session_attrs'.*must accept writes. Use any, read-write or primary/,
  ],
  ["?target_session_attrs=some", /use any, read-write or primary \(found 'some'\)/],
  ["?connect_timeout=0", /'connect_timeout'.*seconds from 1 to 60 \(found '0'\)/],
  ["?keepalives_interval=5", /'keepalives_interval'.*keepalives_idle/],
  ["?gssencmode=require", /'gssencmode'.*Kerberos/],
  ["?service=lab", /'service'.*write the values/],
  ["?server_settings=x", /'server_settings'.*options=/],
  ["?prepared_statement_cache_size=100", /'prepared_statement_cache_size'.*Leave it out/],
  ["?load_balance_hosts=random", /'load_balance_hosts'/],
  ["?options=-d5", /'options'.*-csearch_path=auth/],
  ["?options=search_path%3Dauth", /'options'.*-csearch_path=auth/],
  ["?options=-cdefault_transaction_isolation%3Dserializable", /default_transaction_isolation cannot be set/],
  ["?sslmode=sometimes", /'sslmode'/],
  ["?connect_timeout=1&connect_timeout=2", /'connect_timeout' twice/],
  ["?host=other", /host twice/],
  ["?dbname=other", /dbname twice/],
  ["?__proto__=1", /unknown parameter/],
] as const) {
  test(`${query} is refused by its name`, () => {
    assert.throws(
      () => settings(query),
      (error) => error instanceof OperatorError && expected.test(error.message),
    );
  });
}

test("an impossible host or port is refused", () => {
  for (const uri of [
    "postgresql://h1,,h2/d",
    "postgresql://h1:99999/d",
    "postgresql://h1:0/d",
    "postgresql://%40abstract/d",
    "postgresql:///d?host=h1,h2,h3&port=1,2",
    "postgresql://h1:1/d?port=2",
  ])
    assert.throws(() => parseDatabaseUri(uri), OperatorError, uri);
});

test("values of secrets and of unknown parameters stay out of messages and of the shown URI", () => {
  const { shown } = addressOf("postgresql:///tiled?user=u&password=hunter2&host=/run/pg&sslpassword=hunter3");
  assert.equal(shown, "postgresql://u@%2Frun%2Fpg/tiled");
  assert.throws(
    () => parseDatabaseUri("postgresql://h/tiled?passwrd=hunter2"),
    (error) => error instanceof OperatorError && !error.message.includes("hunter2"),
  );
});

test("the shown URI names the schema, and works as a command's argument", () => {
  const { shown } = addressOf(
    "postgresql://u:p@h1:1,h2/tiled?options=-c%20search_path%3Da,%5C%20b&application_name=x",
  );
  assert.equal(shown, "postgresql://u@h1:1,h2/tiled?options=-csearch_path%3Da%2C%5C%20b");
  assert.equal(addressOf(shown).shown, shown);
});

for (const [text, expected] of [
  ["-csearch_path=auth", [["search_path", "auth"]]],
  [
    "-c search_path=auth -c geqo=off",
    [
      ["search_path", "auth"],
      ["geqo", "off"],
    ],
  ],
  ["--search-path=auth", [["search_path", "auth"]]],
  ["  -c search_path=a,\\ b\\\\c ", [["search_path", "a, b\\c"]]],
  ["-c DateStyle=ISO,\\ DMY", [["datestyle", "ISO, DMY"]]],
  ["", []],
] as const) {
  test(`options ${JSON.stringify(text)}`, () => {
    const parsed = parseOptions(text);
    assert.ok(Array.isArray(parsed), String(parsed));
    assert.deepEqual(
      parsed.map(({ name, value }) => [name, value]),
      expected,
    );
  });
}

test("a password file: the first matching line, with * and escapes", () => {
  const text = [
    "# h:1:d:u:no",
    "h:1:d:other:no",
    "too:short",
    "h\\:x:1:d:u:escaped\\:one\\\\",
    "h:*:d:u:first",
    "*:*:*:u:second",
  ].join("\n");
  const asked = (host: string, user = "u") => passwordIn(text, { host, port: 1, database: "d", user });
  assert.equal(asked("h"), "first");
  assert.equal(asked("other"), "second");
  assert.equal(asked("h:x"), "escaped:one\\");
  assert.equal(asked("h", "nobody"), undefined);
});

test("a password file named in the URI must exist and be private", (t) => {
  const path = join(folderFor(t), "pass");
  const source = () => passwordSource(addressOf(`postgresql://u@h/d?passfile=${path}`), "h", {});
  assert.throws(source, /passfile.*ENOENT/);
  writeFileSync(path, "h:5432:d:u:one\n");
  chmodSync(path, 0o644);
  assert.throws(source, /chmod 600/);
  chmodSync(path, 0o600);
  const password = source();
  const asked = { port: 5432, database: "d", user: "u" };
  assert.equal(password?.(asked), "one");
  writeFileSync(path, "h:5432:d:u:two\n");
  assert.equal(password?.(asked), "two", "a changed password counts at once");
  assert.equal(passwordSource(addressOf("postgresql://u:given@h/d"), "h", {}), undefined);
});
