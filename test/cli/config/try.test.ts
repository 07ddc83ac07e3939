import assert from "node:assert/strict";
import { Readable, Writable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { tryLogin } from "../../../src/cli/config/try.ts";
import type { Terminal } from "../../../src/cli/console/terminal.ts";
import { ENTRIES, GROUPS, LOOKUP, PEOPLE } from "../../authenticators/ldap/support.ts";
import { configurationFile } from "../../support/folders.ts";
import { type Slapd, startSlapd, withoutSlapd } from "../../support/slapd.ts";

/** What the command prints, and its error, for a password that is typed. */
async function tried(config: string, provider: string, name: string, password: string) {
  const lines: string[] = [];
  const terminal = {
    env: {},
    input: Readable.from([`${password}\n`]),
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
      /The search user cn=search,dc=lab,dc=org is in\./,
      /The search \(uid=ada\) below .* finds uid=ada,/,
      /uid=ada,.* is in with the password\./,
      /Groups: beam1, beam2\./,
      /Logged in as "ada"\./,
    ]) {
      assert.match(text, step);
    }
    assert.doesNotMatch(text, /pa55/);
    const refused = await tried(file, "lab", "ada", "wrong-word");
    assert.equal(refused.error, "Refused: the password is wrong.");
    assert.match(refused.lines.join("\n"), new RegExp(`uid=ada,${PEOPLE} is refused`));
    await slapd.stop();
    assert.match((await tried(file, "lab", "ada", "ada-pa55")).error ?? "", /The directory cannot be used: /);
    await slapd.start();
  });
});
