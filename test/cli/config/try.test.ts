import assert from "node:assert/strict";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { tryLogin } from "../../../src/cli/config/try.ts";
import type { Terminal } from "../../../src/cli/console/terminal.ts";
import { ENTRIES, GROUPS, LOOKUP, PEOPLE } from "../../authenticators/ldap/support.ts";
import { configurationFile, temporaryFolder } from "../../support/folders.ts";
import { type Slapd, startSlapd, withoutSlapd } from "../../support/slapd.ts";
import { tiled } from "../../support/terminal.ts";

/** What the command prints, and its error, for a password that is typed. */
async function tried(config: string, provider: string, name: string, password: string | null) {
  const lines: string[] = [];
  const terminal = {
    env: {},
    input: Readable.from(password === null ? [] : [`${password}\n`]),
    notes: new Writable({ write: (_chunk, _encoding, done) => done() }),
    out: (line: string) => void lines.push(line),
    err: (line: string) => void lines.push(line),
  } as unknown as Terminal;
  const error = await tryLogin(provider, name, { config }, terminal).then(
    () => null,
    (thrown: unknown) => (thrown as Error).message,
  );
  return { lines, error };
}

const configOf = (authenticator: string, args: object) => ({
  authentication: {
    secret_keys: ["0123456789abcdef0123456789abcdef01234567"],
    providers: [{ provider: "lab", authenticator, args }],
  },
  trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
});

test("a provider without steps of its own", async (t) => {
  const users = { users_to_passwords: { ada: "ada-pa55" } };
  const file = await configurationFile(
    (last) => t.after(last),
    configOf("tiled.authenticators:DictionaryAuthenticator", users),
  );
  assert.deepEqual(await tried(file, "lab", "ada", "ada-pa55"), {
    lines: ['Logged in as "ada".'],
    error: null,
  });
  assert.match((await tried(file, "lab", "ada", "wrong")).error ?? "", /^Refused: the name is unknown/);
  assert.match(
    (await tried(file, "nowhere", "ada", "x")).error ?? "",
    /has no provider 'nowhere'\. It has 'lab'/,
  );
});

test("an account of the server's own database", async (t) => {
  const folder = await temporaryFolder((last) => t.after(last));
  const file = await configurationFile((last) => t.after(last), {
    ...configOf("tiled_auth:LocalAuthenticator", {}),
    database: { uri: `sqlite:///${join(folder, "tiled.db")}`, init_if_not_exists: true },
  });
  const add = ["admin", "user", "add", "ada", "--config", file, "--password-stdin"];
  const added = await tiled(add, {}, "a quite long passphrase\n");
  assert.equal(added.code, 0, `before the first start of a server: ${added.stderr}`);
  assert.equal((await tried(file, "lab", "ada", "a quite long passphrase")).error, null);
  assert.match((await tried(file, "lab", "ada", "wrong")).error ?? "", /^Refused: /);
});

test("no password in the input", async (t) => {
  const users = { users_to_passwords: { ada: "ada-pa55" } };
  const file = await configurationFile(
    (last) => t.after(last),
    configOf("tiled.authenticators:DictionaryAuthenticator", users),
  );
  assert.match((await tried(file, "lab", "ada", null)).error ?? "", /^The input has no password\. /);
});

describe("at an OpenLDAP", { skip: withoutSlapd() }, () => {
  let slapd: Slapd;
  before(async () => {
    slapd = await startSlapd(ENTRIES);
  });
  after(() => slapd.remove());

  test("each step is printed, and no password", async (t) => {
    const args = {
      server_address: ["localhost:1", `localhost:${slapd.port}`],
      tls_ca_file: slapd.authority.ca,
      ...LOOKUP,
      groups: { search_base: GROUPS },
    };
    const file = await configurationFile(
      (last) => t.after(last),
      configOf("tiled.authenticators:LDAPAuthenticator", args),
    );
    const { lines, error } = await tried(file, "lab", "Ada", "ada-pa55");
    assert.equal(error, null);
    const text = lines.join("\n");
    for (const step of [
      /The user name becomes "ada"/,
      /ldap:\/\/localhost:1 failed: /,
      /Connected to ldap:\/\/localhost:\d+ with StartTLS\./,
      /Bound as the search user cn=search,dc=lab,dc=org\./,
      /The search \(uid=ada\) below .* finds uid=ada,/,
      /The directory accepts the password of uid=ada,/,
      /Groups: beam1, beam2\./,
      /Logged in as "ada"\./,
    ]) {
      assert.match(text, step);
    }
    assert.doesNotMatch(text, /pa55/);
    const refused = await tried(file, "lab", "ada", "wrong-word");
    assert.equal(refused.error, "Refused: the password is wrong.");
    assert.match(refused.lines.join("\n"), new RegExp(`The directory refuses uid=ada,${PEOPLE}: `));
    const unusable = await tried(file, "lab", "a*a", "ada-pa55");
    assert.match(unusable.lines.at(-1) ?? "", /does not match valid_username_regex/);
    assert.equal(unusable.error, "Refused, as the last line says.");
    await slapd.stop();
    const down = await tried(file, "lab", "ada", "ada-pa55");
    assert.match(down.error ?? "", /The directory cannot be used: /);
    assert.doesNotMatch(down.lines.join("\n"), /cannot be used/, "the reason is told once");
    await slapd.start();
  });

  test("a wrong setting is named", async (t) => {
    const withArgs = (args: object) =>
      configurationFile(
        (last) => t.after(last),
        configOf("tiled.authenticators:LDAPAuthenticator", {
          server_address: `localhost:${slapd.port}`,
          tls_ca_file: slapd.authority.ca,
          ...LOOKUP,
          ...args,
        }),
      );
    const errorWith = async (args: object) =>
      (await tried(await withArgs(args), "lab", "ada", "ada-pa55")).error ?? "";
    const unknown = await errorWith({ tls_ca_file: undefined });
    assert.match(unknown, /TLS failed: .*Name the certificate of the directory's authority in tls_ca_file\./);
    assert.doesNotMatch(unknown, /Node\.js/);
    assert.match(
      await errorWith({ lookup_dn_search_password: "wrong" }),
      /refused the search user .* \(result 49: invalid credentials\)/,
    );
  });
});
