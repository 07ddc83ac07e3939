/**
 * The TLS options for a URI's `sslmode` and files, as in libpq; then a real server with and without TLS.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ConnectionOptions } from "node:tls";
import { parseDatabaseUri } from "../../../src/database-uri/database-uri.ts";
import type { PostgresAddress } from "../../../src/database-uri/postgres.ts";
import { OperatorError } from "../../../src/errors.ts";
import { makePool } from "../../../src/store/postgres/pool.ts";
import { connectionSettings } from "../../../src/store/postgres/settings.ts";
import { type Encryption, encryptionOf, type Surroundings } from "../../../src/store/postgres/tls.ts";
import { privatePostgresOrSkip } from "../../support/postgres.ts";

function addressOf(uri: string): PostgresAddress {
  const address = parseDatabaseUri(uri);
  if (address.kind !== "postgresql") throw new Error("not PostgreSQL");
  return address;
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "tiled-auth-tls-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const NOWHERE = { environment: {}, home: "/nowhere" };
const ways = (query: string, around: Surroundings = NOWHERE, host = "db.example.org") =>
  waysOf(addressOf(`postgresql://${host}/tiled${query}`), around);

function waysOf(address: PostgresAddress, around: Surroundings) {
  const [first] = connectionSettings(address, around.environment).hosts;
  return encryptionOf(address, first?.host ?? "", around);
}

function checks(encryption: Encryption | undefined): string {
  if (encryption === undefined) return "none";
  if (encryption === false) return "plain";
  const name = encryption.checkServerIdentity === undefined ? "name" : "issuer";
  return encryption.rejectUnauthorized === true ? name : "nothing";
}

for (const [query, expected] of [
  ["", ["nothing", "plain"]],
  ["?sslmode=prefer", ["nothing", "plain"]],
  ["?sslmode=allow", ["plain", "nothing"]],
  ["?sslmode=disable", ["plain"]],
  ["?sslmode=require", ["nothing"]],
  ["?ssl=require", ["nothing"]],
  ["?ssl=true", ["nothing"]],
  ["?sslmode=disable&ssl=true", ["plain"]],
] as const) {
  test(`without files, ${query || "no sslmode"}: ${expected.join(", then ")}`, () => {
    assert.deepEqual(ways(query).map(checks), expected);
  });
}

test("a root certificate checks the issuer in every mode, the name in verify-full only", (t) => {
  const path = folder(t);
  const root = join(path, "given.crt");
  writeFileSync(root, "given");
  for (const [mode, expected] of [
    ["prefer", ["issuer", "plain"]],
    ["require", ["issuer"]],
    ["verify-ca", ["issuer"]],
    ["verify-full", ["name"]],
  ] as const) {
    assert.deepEqual(ways(`?sslmode=${mode}&sslrootcert=${root}`).map(checks), expected, mode);
  }
  assert.throws(() => ways(`?sslmode=require&sslrootcert=${path}/missing.crt`), OperatorError);
  for (const mode of ["verify-ca", "verify-full"])
    assert.throws(() => ways(`?sslmode=${mode}`), /sslrootcert=.*\/nowhere\/.postgresql\/root.crt/);
});

test("the environment and ~/.postgresql are defaults for the URI", (t) => {
  const home = folder(t);
  mkdirSync(join(home, ".postgresql"));
  for (const name of ["root.crt", "root.crl", "postgresql.crt", "postgresql.key", "other.crt"])
    writeFileSync(join(home, ".postgresql", name), name);
  const [way] = ways("?sslmode=verify-full", { environment: {}, home });
  const { ca, crl, cert, key } = way as ConnectionOptions;
  assert.deepEqual([ca, crl, cert, key].map(String), [
    "root.crt",
    "root.crl",
    "postgresql.crt",
    "postgresql.key",
  ]);
  const environment = { PGSSLMODE: "verify-ca", PGSSLROOTCERT: join(home, ".postgresql", "other.crt") };
  assert.deepEqual(ways("", { environment, home }).map(checks), ["issuer"]);
  assert.equal(String((ways("", { environment, home })[0] as ConnectionOptions).ca), "other.crt");
  for (const said of ["?sslmode=disable", "?ssl=disable"])
    assert.deepEqual(ways(said, { environment, home }), [false]);
  rmSync(join(home, ".postgresql", "postgresql.key"));
  assert.throws(() => ways("", { environment: {}, home }), /sslkey/);
});

test("the machine's trusted certificates are accepted for verify-full only", () => {
  assert.deepEqual(ways("?sslrootcert=system").map(checks), ["name"]);
  for (const mode of ["prefer", "require", "verify-ca"])
    assert.throws(() => ways(`?sslrootcert=system&sslmode=${mode}`), /verify-full/);
  assert.throws(() => ways("?sslmode=sometimes"), /'sslmode'.*verify-full \(found 'sometimes'\)/);
});

test("a socket in the file system is not encrypted", () => {
  assert.deepEqual(ways("?host=/run/postgresql&sslmode=require", NOWHERE, ""), [false]);
  assert.deepEqual(ways("", { environment: { PGHOST: "/run/postgresql" }, home: "/nowhere" }, ""), [false]);
});

const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });

/** A CA, a server certificate for localhost, a client certificate, and an unrelated CA. */
function certificates(path: string): void {
  const in_ = (name: string) => join(path, name);
  const name = (key: string) => ["-newkey", "rsa:2048", "-nodes", "-keyout", in_(`${key}.key`), "-days", "2"];
  for (const root of ["root", "stranger"])
    openssl("req", "-x509", ...name(root), "-subj", `/CN=${root}`, "-out", in_(`${root}.crt`));
  for (const [who, common, extension] of [
    ["server", "localhost", "subjectAltName=DNS:localhost"],
    ["client", "tests", "extendedKeyUsage=clientAuth"],
  ] as const) {
    writeFileSync(in_(`${who}.ext`), extension);
    openssl("req", ...name(who), "-subj", `/CN=${common}`, "-out", in_(`${who}.csr`));
    const sign = ["-CA", in_("root.crt"), "-CAkey", in_("root.key"), "-CAcreateserial", "-days", "2"];
    const more = ["-extfile", in_(`${who}.ext`), "-out", in_(`${who}.crt`)];
    openssl("x509", "-req", "-in", in_(`${who}.csr`), ...sign, ...more);
  }
}

test("a real server, by its certificate and its pg_hba.conf", async (t) => {
  const server = await privatePostgresOrSkip(t);
  if (server === undefined) return;
  const path = folder(t);
  certificates(path);
  chmodSync(path, 0o755);
  const uri = server.uri("postgres");
  const port = /:(\d+)\//.exec(uri)?.[1] ?? "";
  const lines: string[] = [];

  /** `TLSv1.3`, `plain`, or the error. */
  const reached = async (query: string, host = "localhost", user = "tests"): Promise<string> => {
    const address = addressOf(`postgresql://${user}:hunter2@${host}:${port}/postgres${query}`);
    const pool = makePool(address, { size: 2, statementTimeout: 5000 }, (_, line) => lines.push(line));
    try {
      const client = await pool.connect();
      const { rows } = await client.query(
        "select coalesce(version, 'plain') as way from pg_stat_ssl where pid = pg_backend_pid()",
      );
      client.release();
      return String(rows[0]?.way);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      await pool.end();
    }
  };
  const hba = async (...rules: string[]) => {
    server.configure({ hba: rules });
    await server.halt();
    await server.start();
  };

  await t.test("without TLS", async () => {
    assert.equal(await reached(""), "plain");
    assert.equal(await reached("?sslmode=allow"), "plain");
    assert.match(await reached("?sslmode=require"), /does not support SSL/);
    assert.match(lines.join("\n"), /not encrypted/);
    assert.doesNotMatch(lines.join("\n"), /hunter2/);
  });

  server.configure({
    tls: { cert: join(path, "server.crt"), key: join(path, "server.key"), ca: join(path, "root.crt") },
  });
  const anywhere = ["127.0.0.1/32 trust", "::1/128 trust"];
  const root = `&sslrootcert=${join(path, "root.crt")}`;
  const stranger = `&sslrootcert=${join(path, "stranger.crt")}`;

  await t.test("with TLS, which every mode but disable and allow takes", async () => {
    await hba(...anywhere.map((place) => `host all all ${place}`));
    lines.length = 0;
    for (const mode of ["prefer", "require"]) assert.equal(await reached(`?sslmode=${mode}`), "TLSv1.3");
    assert.equal(await reached(""), "TLSv1.3");
    assert.equal(await reached("?sslmode=allow"), "plain");
    assert.equal(await reached("?sslmode=disable"), "plain");
    assert.deepEqual(lines, []);
  });

  await t.test("the certificate's issuer and name", async () => {
    for (const mode of ["require", "verify-ca", "verify-full", "prefer"])
      assert.equal(await reached(`?sslmode=${mode}${root}`), "TLSv1.3", mode);
    for (const mode of ["require", "verify-ca", "verify-full"])
      assert.match(await reached(`?sslmode=${mode}${stranger}`), /certificate/, mode);
    assert.equal(await reached(`?sslmode=prefer${stranger}`), "plain");
    assert.equal(await reached(`?sslmode=require${root}`, "127.0.0.1"), "TLSv1.3");
    assert.equal(await reached(`?sslmode=verify-ca${root}`, "127.0.0.1"), "TLSv1.3");
    assert.match(await reached(`?sslmode=verify-full${root}`, "127.0.0.1"), /does not match|altnames/);
  });

  await t.test("a server that takes encrypted connections only", async () => {
    await hba(...anywhere.map((place) => `hostssl all all ${place}`));
    for (const mode of ["prefer", "allow", "require"])
      assert.equal(await reached(`?sslmode=${mode}`), "TLSv1.3", mode);
    assert.match(await reached("?sslmode=disable"), /no encryption/);
  });

  await t.test("a server that takes plain connections only, though it has a certificate", async () => {
    await hba(...anywhere.map((place) => `hostnossl all all ${place}`));
    assert.equal(await reached("?sslmode=prefer"), "plain");
    assert.equal(await reached(""), "plain");
    assert.match(await reached("?sslmode=require"), /pg_hba.conf/);
  });

  await t.test("a server that asks for the client's certificate", async () => {
    await hba(...anywhere.map((place) => `hostssl all all ${place.replace("trust", "cert")}`));
    const ours = `&sslcert=${join(path, "client.crt")}&sslkey=${join(path, "client.key")}`;
    assert.equal(await reached(`?sslmode=verify-full${root}${ours}`), "TLSv1.3");
    assert.match(await reached(`?sslmode=verify-full${root}`), /certificate/);
    // Refused both ways: the server's answer to the encrypted one is the useful error.
    assert.match(await reached("?sslmode=prefer"), /valid client certificate/);
  });

  await t.test(
    "channel_binding=require accepts only a server that proves that it knows the password",
    async () => {
      const open = anywhere.map((place) => `host all all ${place}`);
      const rules = (method: string) => [
        ...anywhere.map((place) => `host all bound ${place.replace("trust", method)}`),
        ...open,
      ];
      const bound = (query: string) => reached(query, "localhost", "bound");
      await hba(...open);
      const role = "create role bound login password 'hunter2'";
      await server.query(uri, `set password_encryption = 'scram-sha-256'; ${role}`);
      assert.match(await bound("?channel_binding=require"), /channel_binding=require.*without a password/);
      await hba(...rules("scram-sha-256"));
      for (const query of ["?channel_binding=require&sslmode=require", "?channel_binding=prefer"])
        assert.equal(await bound(query), "TLSv1.3", query);
      assert.match(await bound("?channel_binding=require&sslmode=disable"), /offers SCRAM-SHA-256 only/);
      assert.equal(await bound("?ssl_max_protocol_version=TLSv1.2&sslmode=require"), "TLSv1.2");
      await hba(...rules("password"));
      assert.match(await bound("?channel_binding=require&sslmode=require"), /by another method/);
    },
  );

  await t.test("two ways do not make the pool larger", async () => {
    await hba(...anywhere.map((place) => `hostnossl all all ${place}`));
    const pool = makePool(addressOf(uri), { size: 2, statementTimeout: 5000 }, () => {});
    try {
      const counted = Array.from({ length: 12 }, async () => {
        const client = await pool.connect();
        const { rows } = await client.query(
          "select count(*)::int as all, pg_sleep(0.02) from pg_stat_activity where application_name = 'tiled-auth'",
        );
        client.release();
        return Number(rows[0]?.all);
      });
      assert.ok(Math.max(...(await Promise.all(counted))) <= 2);
    } finally {
      await pool.end();
    }
  });
});
