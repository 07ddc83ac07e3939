/**
 * `tiled config check` and a start read the same files with the same verdict: each configuration is given to both.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pino } from "pino";
import { check, loadWhole } from "../../../src/cli/config/check.ts";
import { OperatorError } from "../../../src/errors.ts";
import { startServer } from "../../../src/server.ts";
import { initializeDatabase } from "../../../src/store/open.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { TLS_CERT, TLS_KEY } from "../../support/tls.ts";

const folder = await temporaryFolder(after);
const TREES = 'trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]\n';
const PROVIDERS = `providers: [{provider: toy, authenticator: "tiled.authenticators:DictionaryAuthenticator", args: {users_to_passwords: {alice: "a"}}}], secret_keys: [${"k".repeat(40)}]`;
const USERS = `authentication: {${PROVIDERS}}\n`;
const POLICY = (definitions: string) =>
  `access_control: {access_policy: "tiled.access_control.access_policies:TagBasedAccessPolicy", args: {provider: toy, tag_definitions: ${definitions}}}\n`;

for (const [name, text] of [
  ["cert.pem", TLS_CERT],
  ["key.pem", TLS_KEY],
  ["other.pem", TLS_KEY.replace("PRIVATE", "ODD")],
  ["logo.svg", "<svg/>"],
  ["notes.txt", "These are not tables. ".repeat(100)],
  ["tags.yml", 'tags: {a: {users: [{name: alice, scopes: ["read:metadata"]}]}}\n'],
  ["broken.yml", 'tags: {a: {users: [{name: alice, scopes: ["read:everything"]}]}}\n'],
  ["rules.yml", "nonsense: 1\n"],
  ["empty.mjs", "export const x = 1;\n"],
  ["throws.mjs", "throw new Error('at once');\n"],
] as const) {
  await writeFile(join(folder, name), text);
}
await mkdir(join(folder, "data"));
await initializeDatabase(join(folder, "there.db"));

/** [what, the file, what is said; undefined: it starts]. */
const CASES: readonly (readonly [string, string, RegExp?])[] = [
  ["the smallest", TREES],
  [
    "a certificate and its key",
    `${TREES}uvicorn: {ssl_certfile: ${folder}/cert.pem, ssl_keyfile: ${folder}/key.pem}\n`,
  ],
  ["a database that is there", `${TREES}${USERS}database: {uri: ${folder}/there.db}\n`],
  ["a database in memory", `${TREES}${USERS}`],
  ["a database of a single user, which is not opened", `${TREES}database: {uri: ${folder}/no/such.db}\n`],
  ["a folder of data", `trees: [{path: /, tree: files, args: {directory: ./data}}]\n`],
  ["a logo", `${TREES}pages: {logo: logo.svg}\n`],
  ["tags", `${TREES}${USERS}${POLICY("tags.yml")}`],
  [
    "a certificate that is not there",
    `${TREES}uvicorn:\n  ssl_certfile: ${folder}/gone.pem\n`,
    /config\.yml:3: uvicorn\.ssl_certfile: there is no file .*gone\.pem/,
  ],
  [
    "a key that is not there",
    `${TREES}server: {tls: {cert: ${folder}/cert.pem, key: ${folder}/gone.pem}}\n`,
    /config\.yml:2: server\.tls\.key: there is no file/,
  ],
  [
    "a certificate without its key",
    `${TREES}uvicorn: {ssl_certfile: ${folder}/cert.pem}\n`,
    /uvicorn\.ssl_certfile: .*cert\.pem is not a private key/,
  ],
  [
    "a key that is none",
    `${TREES}uvicorn: {ssl_certfile: ${folder}/cert.pem, ssl_keyfile: ${folder}/other.pem}\n`,
    /uvicorn\.ssl_keyfile: .*other\.pem is not a private key/,
  ],
  [
    "a certificate that is none",
    `${TREES}server: {tls: {cert: ${folder}/notes.txt, key: ${folder}/key.pem}}\n`,
    /server\.tls\.cert: /,
  ],
  [
    "a logo that is not there",
    `${TREES}pages: {logo: gone.svg}\n`,
    /config\.yml:2: pages\.logo: there is no file/,
  ],
  ["a logo that is no image", `${TREES}pages: {logo: notes.txt}\n`, /pages\.logo: .*is not an image/],
  [
    "two files of TLS that are not there",
    `${TREES}uvicorn:\n  ssl_certfile: ${folder}/gone.pem\n  ssl_keyfile: ${folder}/away.pem\n`,
    /2 errors[\s\S]*:3: uvicorn\.ssl_certfile: [\s\S]*:4: uvicorn\.ssl_keyfile: there is no file/,
  ],
  [
    "a folder of data that is named wrongly",
    "trees: [{path: /, tree: files, args: {path: ./data}}]\n",
    /trees\[0\]\.args: the key 'directory' is missing/,
  ],
  [
    "a scope that is none, in an argument",
    `${TREES}authentication: {providers: [{provider: p, authenticator: "tiled.authenticators:ProxiedOIDCAuthenticator", args: {well_known_uri: "https://x.example.org", audience: a, client_id: c, device_flow_client_id: d, scopes_map: {r: ["read:everything"]}}}]}\n`,
    /args\.scopes_map: 'r' gives 'read:everything', which is not a scope\. Did you mean 'read:metadata' or 'read:data' or/,
  ],
  [
    "a folder of data that is not there",
    "trees: [{path: /, tree: files, args: {directory: ./gone}}]\n",
    /config\.yml:1: trees\[0\]\.args: the folder .*gone does not exist/,
  ],
  [
    "rules of tags that are broken",
    `trees: [{path: /, tree: files, args: {directory: ./data, access_tags_file: rules.yml}}]\n${USERS}${POLICY("tags.yml")}`,
    /rules\.yml:1/,
  ],
  [
    "tag definitions that are not there",
    `${TREES}${USERS}${POLICY("gone.yml")}`,
    /gone\.yml: there is no such file/,
  ],
  [
    "tag definitions with an unknown scope",
    `${TREES}${USERS}${POLICY("broken.yml")}`,
    /broken\.yml:1: tags\.a\.users\[0\]\.scopes\[0\]: 'read:everything' is not a scope/,
  ],
  [
    "a class in a file that is not there",
    `${TREES}authentication: {providers: [{provider: own, authenticator: "./gone.mjs:Own"}]}\n`,
    /providers\[0\]\.authenticator: There is no file/,
  ],
  [
    "a class that its file does not have",
    `${TREES}authentication: {providers: [{provider: own, authenticator: "./empty.mjs:Own"}]}\n`,
    /does not export 'Own'/,
  ],
  [
    "a module that throws",
    `${TREES}authentication: {providers: [{provider: own, authenticator: "./throws.mjs:Own"}]}\n`,
    /cannot be loaded: at once/,
  ],
  [
    "a database's folder that is not there",
    `${TREES}${USERS}database:\n  init_if_not_exists: true\n  uri: sqlite:///${folder}/no/such.db\n`,
    /config\.yml:5: database\.uri: The database's folder .*no does not exist\. Create it \(mkdir -p .*no\)/,
  ],
  [
    "a database that is not there",
    `${TREES}${USERS}database: {uri: ${folder}/gone.db}\n`,
    /database\.uri: There is no database .*set database\.init_if_not_exists: true/,
  ],
  [
    "a database that is none",
    `${TREES}${USERS}database: {uri: ${folder}/notes.txt}\n`,
    /database\.uri: .*is not a SQLite database/,
  ],
  [
    "a database that is a folder",
    `${TREES}${USERS}database: {uri: ${folder}/data}\n`,
    /is not a SQLite database/,
  ],
  [
    "a PAM service that is not there",
    `${TREES}authentication:\n  providers:\n  - provider: pam\n    authenticator: tiled.authenticators:PAMAuthenticator\n    args:\n      service: no-such-service\n`,
    /config\.yml:7: authentication\.providers\[0\]\.args\.service: "no-such-service": PAM/,
  ],
  ["a wrong value", `${TREES}server: {port: eight}\n`, /server\.port: 'eight' is not allowed here/],
];

function complaintOf(error: unknown): string {
  assert.ok(error instanceof OperatorError, String(error));
  return error.message;
}

/** Undefined: no errors. */
async function verdictOfCheck(path: string): Promise<string | undefined> {
  const io = { env: {}, out: () => {}, err: () => {} };
  return check(path, io).then(() => undefined, complaintOf);
}

async function verdictOfStart(path: string): Promise<string | undefined> {
  try {
    const config = await loadWhole(path, { env: {}, out: () => {}, err: () => {} }, { port: 0 });
    await (await startServer(config, { log: pino({ level: "silent" }) })).stop();
    return undefined;
  } catch (error) {
    return complaintOf(error);
  }
}

describe("a check and a start come to the same verdict:", () => {
  const path = join(folder, "config.yml");
  for (const [name, text, expected] of CASES) {
    it(name, async () => {
      await writeFile(path, text);
      const checked = await verdictOfCheck(path);
      const started = await verdictOfStart(path);
      // A provider that cannot start is told in a sentence around the same line.
      if (started?.startsWith("The provider") && checked !== undefined)
        assert.ok(started.includes(checked.split("\n")[1] ?? "?"), `${started}\n${checked}`);
      else assert.equal(checked, started);
      if (expected === undefined) assert.equal(checked, undefined);
      else assert.match(checked ?? "", expected);
    });
  }

  it("a check makes nothing", async () => {
    const uri = join(folder, "new.db");
    await writeFile(path, `${TREES}${USERS}database: {init_if_not_exists: true, uri: ${uri}}\n`);
    assert.equal(await verdictOfCheck(path), undefined);
    await assert.rejects(
      import("node:fs/promises").then(({ stat }) => stat(uri)),
      { code: "ENOENT" },
    );
    assert.equal(await verdictOfStart(path), undefined);
  });

  it("a check reports all problems at once", async () => {
    await writeFile(
      path,
      `${TREES}${USERS}pages: {logo: gone.svg}\ndatabase: {uri: ${folder}/gone.db}\nserver: {port: x, tls: {cert: ${folder}/gone.pem, key: ${folder}/key.pem}}\n`,
    );
    assert.match((await verdictOfCheck(path)) ?? "", /has 4 errors/);
  });
});
