/**
 * `tiled config check --online` against servers of this test: one line each, and the exit code of all.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { check } from "../../../src/cli/config/check.ts";
import { askOnline } from "../../../src/cli/config/online.ts";
import { preflight } from "../../../src/cli/config/preflight.ts";
import { configFromObject } from "../../../src/config/load.ts";
import { OperatorError } from "../../../src/errors.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { privatePostgresOrSkip } from "../../support/postgres.ts";
import { SEARCH_PASSWORD, SEARCH_USER, SUFFIX, startSlapd, withoutSlapd } from "../../support/slapd.ts";

const SECRET = "k".repeat(40);
const TREES = [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }];

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An address where nothing listens any more. */
async function gone(): Promise<string> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}

/** Documents by their path; any other path is 404. */
async function serving(
  t: TestContext,
  documents: (base: string) => Readonly<Record<string, object>>,
): Promise<string> {
  let base = "";
  const server = createServer((request, response) => {
    const found = documents(base)[request.url ?? ""];
    response.writeHead(found === undefined ? 404 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(found ?? {}));
  });
  base = await listening(t, server);
  return base;
}

const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const KEYS = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" }] };

function provider(t: TestContext, changes: object = {}): Promise<string> {
  return serving(t, (base) => ({
    "/.well-known/openid-configuration": {
      issuer: base,
      authorization_endpoint: `${base}/auth`,
      token_endpoint: `${base}/token`,
      jwks_uri: `${base}/keys`,
      id_token_signing_alg_values_supported: ["RS256"],
      ...changes,
    },
    "/keys": KEYS,
  }));
}

function oidc(name: string, url: string): object {
  const args = { well_known_uri: url, client_id: "tiled", client_secret: "hunter2" };
  return { provider: name, authenticator: "tiled.authenticators:OIDCAuthenticator", args };
}

async function answers(sections: object, patience?: number) {
  const config = configFromObject({ trees: TREES, ...sections }, {});
  const { problems, authenticators = new Map() } = await preflight(config, () => {});
  assert.deepEqual(problems, []);
  const lines = (await askOnline(config, authenticators, patience)).map(
    ({ ok, text }) => `${ok ? "ok" : "FAILED"}: ${text}`,
  );
  assert.doesNotMatch(lines.join(), /hunter2/);
  return lines;
}

test("providers, a database and servers behind: each has its line", async (t) => {
  const good = await provider(t);
  const other = await provider(t, { issuer: "https://elsewhere.example.org" });
  const noKeys = await serving(t, (base) => ({
    "/.well-known/openid-configuration": {
      issuer: base,
      authorization_endpoint: `${base}/auth`,
      token_endpoint: `${base}/token`,
      jwks_uri: `${base}/keys`,
    },
  }));
  const closed = await gone();
  const tiled = await serving(t, () => ({
    "/api/v1/": { library_version: "0.2.20", authentication: { providers: [] } },
  }));
  const folder = await temporaryFolder((last) => t.after(last));
  const lines = await answers({
    authentication: {
      secret_keys: [SECRET],
      providers: [
        oidc("good", good),
        oidc("elsewhere", other),
        oidc("keyless", noKeys),
        oidc("gone", closed),
      ],
    },
    database: { uri: join(folder, "new.db"), init_if_not_exists: true },
    trees: [
      { path: "/a", upstream: tiled },
      { path: "/b", upstream: good },
      { path: "/c", upstream: closed },
    ],
  });
  const expected = [
    /^ok: provider 'good': its documents and keys were fetched\.$/,
    /^FAILED: provider 'elsewhere': .*issuer .*https:\/\/elsewhere\.example\.org/,
    /^FAILED: provider 'keyless': .*404/,
    /^FAILED: provider 'gone': .*ECONNREFUSED/,
    /^ok: database .*new\.db: new; the first start initializes it\.$/,
    /^ok: trees\[0\] \(http:.*\): a Tiled, version "0\.2\.20"\.$/,
    /^ok: trees\[1\] \(http:.*\): answers 404, but is not a Tiled\.$/,
    /^FAILED: trees\[2\] \(http:.*\): .*ECONNREFUSED/,
  ];
  assert.equal(lines.length, expected.length, lines.join("\n"));
  for (const [index, pattern] of expected.entries()) assert.match(lines[index] ?? "", pattern);
});

test("a server that never answers is given up", async (t) => {
  const silent = await listening(
    t,
    createServer(() => {}),
  );
  const lines = await answers(
    {
      authentication: { secret_keys: [SECRET], providers: [oidc("silent", silent)] },
      trees: [{ path: "/", upstream: silent }],
    },
    300,
  );
  assert.deepEqual(lines, [
    "FAILED: provider 'silent': no answer within 0.3 s.",
    `FAILED: trees[0] (${silent}): no answer within 0.3 s.`,
  ]);
});

test("the command says how many failed, and is refused", async (t) => {
  const folder = await temporaryFolder((last) => t.after(last));
  const path = join(folder, "config.yml");
  const out: string[] = [];
  const io = { env: {}, out: (text: string) => void out.push(text), err: () => {} };
  await writeFile(path, `trees: [{path: /, upstream: "${await gone()}"}]\n`);
  await assert.rejects(check(path, io, { online: true }), (error: unknown) => {
    assert.ok(error instanceof OperatorError);
    assert.equal(error.exitCode, 1);
    assert.equal(error.message, "1 of 1 online checks failed.");
    return true;
  });
  assert.equal(out[0], "No errors found in configuration.");
  assert.match(out.at(-1) ?? "", /^FAILED: trees\[0\]/);
  await writeFile(path, JSON.stringify({ trees: TREES }));
  await check(path, io, { online: true });
  assert.equal(out.at(-1), "The configuration names no other server to ask.");
});

test("an LDAP directory is asked, and one that does not answer is named", {
  skip: withoutSlapd(),
}, async (t) => {
  const slapd = await startSlapd("");
  t.after(() => slapd.remove());
  const folder = await temporaryFolder((last) => t.after(last));
  const path = join(folder, "config.yml");
  const args = {
    server_address: `localhost:${slapd.port}`,
    tls_ca_file: slapd.authority.ca,
    lookup_dn: true,
    user_search_base: SUFFIX,
    user_attribute: "uid",
    lookup_dn_search_user: SEARCH_USER,
    lookup_dn_search_password: SEARCH_PASSWORD,
  };
  const lab = { provider: "lab", authenticator: "tiled.authenticators:LDAPAuthenticator", args };
  const database = { uri: `sqlite:///${join(folder, "tiled.db")}`, init_if_not_exists: true };
  const authentication = { secret_keys: [SECRET], providers: [lab] };
  await writeFile(path, JSON.stringify({ authentication, database, trees: TREES }));
  const out: string[] = [];
  const io = {
    env: {},
    out: (text: string) => void out.push(text),
    err: (text: string) => void out.push(text),
  };
  await check(path, io, {});
  assert.doesNotMatch(slapd.log(), /ACCEPT from .*\n.*StartTLS|STARTTLS/, "no network without --online");
  await check(path, io, { online: true });
  assert.ok(out.includes("ok: provider 'lab': the directory can be used."));
  await slapd.stop();
  await check(path, io, {});
  await assert.rejects(check(path, io, { online: true }), /1 of 2 online checks failed/);
  assert.match(out.join("\n"), /FAILED: provider 'lab': The directory cannot be used: .*ECONNREFUSED/);
});

test("own accounts are checked without their database", async (t) => {
  const folder = await temporaryFolder((last) => t.after(last));
  const path = join(folder, "config.yml");
  const database = { uri: `sqlite:///${join(folder, "tiled.db")}`, init_if_not_exists: true };
  const write = (args: object) => {
    const lab = { provider: "lab", authenticator: "tiled_auth:LocalAuthenticator", args };
    const authentication = { secret_keys: [SECRET], providers: [lab] };
    return writeFile(path, JSON.stringify({ authentication, database, trees: TREES }));
  };
  const out: string[] = [];
  const io = { env: {}, out: (text: string) => void out.push(text), err: () => {} };
  await write({});
  await check(path, io, { online: true });
  assert.ok(!out.some((line) => line.startsWith("FAILED")));
  await write({ password: { blocklist: "missing.txt" } });
  await assert.rejects(check(path, io, {}), /missing\.txt|blocklist/);
});

test("a PostgreSQL database is looked at, and nothing is made in it", async (t) => {
  const postgres = await privatePostgresOrSkip(t);
  if (postgres === undefined) return;
  const uri = await postgres.createDatabase();
  const authentication = {
    secret_keys: [SECRET],
    providers: [
      {
        provider: "toy",
        authenticator: "tiled.authenticators:DictionaryAuthenticator",
        args: { users_to_passwords: { alice: "a" } },
      },
    ],
  };
  const [fresh = ""] = await answers({ authentication, database: { uri, init_if_not_exists: true } });
  assert.match(fresh, /^ok: database postgresql:.*: new; the first start initializes it\.$/);
  const [empty = ""] = await answers({ authentication, database: { uri } });
  assert.match(
    empty,
    /^FAILED: database .* is empty\. To initialize it, set database\.init_if_not_exists: true/,
  );
  assert.deepEqual(await postgres.query(uri, "select 1 from pg_tables where schemaname = 'public'"), []);
  await postgres.halt();
  const [away = ""] = await answers({ authentication, database: { uri } });
  assert.match(away, /^FAILED: database postgresql:/);
});
