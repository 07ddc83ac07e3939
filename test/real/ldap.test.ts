/**
 * The real Tiled's LDAPAuthenticator beside ours, with the same arguments at the same OpenLDAP: the same identities for the
 * same people, and ours refuses where a name is an attack.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ENTRIES, GROUPS, LOOKUP, make, PEOPLE, TEMPLATE } from "../authenticators/ldap/support.ts";
import { program, withoutTiled } from "../support/python.ts";
import { type Slapd, startSlapd, withoutSlapd } from "../support/slapd.ts";

type Attempt = readonly [args: Record<string, unknown>, name: string, password: string];
interface Answer {
  readonly id: string;
  readonly state: unknown;
}

/** ldap3, which Tiled needs and does not install, is where `.ci/run` put it. */
function withoutLdap3(): string | false {
  const missing = withoutTiled() || withoutSlapd();
  if (missing !== false) return missing;
  if (spawnSync(program("python"), ["-c", "import ldap3"], { env: environment() }).status === 0) return false;
  const reason = "ldap3 is not installed beside the real Tiled: .venv/bin/pip install ldap3==2.9.1";
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PYTHONWARNINGS: "ignore" };
}

/** Not with `spawnSync`: slapd stops when its output is not read. */
async function theirs(
  attempts: readonly Attempt[],
): Promise<readonly (Answer | { readonly error: string } | null)[]> {
  const script = fileURLToPath(new URL("ldap_logins.py", import.meta.url));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(program("python"), [script], { env: environment() }, (error, stdout) =>
    error === null ? resolve(stdout) : reject(error),
  );
  child.stdin?.end(JSON.stringify(attempts));
  return JSON.parse((await promise).trim().split("\n").at(-1) ?? "");
}

async function ours(slapd: Slapd, [args, name, password]: Attempt): Promise<Answer | null> {
  const { authenticator } = make({ ...args, tls_ca_file: slapd.authority.ca });
  const answer = await authenticator.authenticate(name, password);
  return answer === null || "refused" in answer ? null : { id: answer.id, state: answer.state ?? {} };
}

describe("the real Tiled and ours at one OpenLDAP", { skip: withoutLdap3() }, () => {
  let slapd: Slapd;
  before(async () => {
    slapd = await startSlapd(ENTRIES);
  });
  after(() => slapd.remove());

  const reach = () => ({ server_address: `localhost:${slapd.port}` });
  // Tiled has no default for it.
  const lookup = { ...LOOKUP, lookup_dn_user_dn_attribute: "uid" };
  const byName = { ...LOOKUP, lookup_dn_user_dn_attribute: "cn" };

  test("the same identities for the same people", async () => {
    const configurations: Record<string, unknown>[] = [
      TEMPLATE,
      { bind_dn_template: ["", `uid={username},ou=guests,${PEOPLE}`, `uid={username},${PEOPLE}`] },
      lookup,
      { ...lookup, ...TEMPLATE },
      byName,
      { ...byName, bind_dn_template: `cn={username},${PEOPLE}` },
      { ...byName, use_lookup_dn_username: false },
      { ...lookup, allowed_groups: [`cn=beam1,${GROUPS}`, `cn=unix,${GROUPS}`] },
      { ...TEMPLATE, allowed_groups: [`cn=beam2,${GROUPS}`] },
      { ...lookup, search_filter: "(&({userattr}={username})(sn=Ada*))" },
      { ...TEMPLATE, auth_state_attributes: ["mail", "sn", "title"] },
    ];
    const people = ["ada", "emil", "hugo", "nobody"];
    const attempts: Attempt[] = configurations.flatMap((args) =>
      people.flatMap((name): Attempt[] => [
        [{ ...reach(), ...args }, name, `${name}-pa55`],
        [{ ...reach(), ...args }, name, "wrong"],
      ]),
    );
    const expected = await theirs(attempts);
    for (const [index, attempt] of attempts.entries()) {
      assert.deepEqual(await ours(slapd, attempt), expected[index], JSON.stringify(attempt));
    }
    assert.ok(expected.filter((answer) => answer !== null).length >= 15);
  });

  test("ours refuses names that Tiled lets in as other accounts, or fails at", async () => {
    const any = { valid_username_regex: "[^]*" };
    const pythonAny = { valid_username_regex: "(?s).*" };
    const odd: readonly (readonly [args: Record<string, unknown>, name: string, password: string])[] = [
      [TEMPLATE, "hugo,ou=guests", "hugo-pa55"],
      [TEMPLATE, "\\61da", "ada-pa55"],
      [
        { ...lookup, use_lookup_dn_username: false, lookup_dn_search_filter: "(&(uid={login})(sn=Hugo))" },
        "*",
        "hugo-pa55",
      ],
      [lookup, "(", "ada-pa55"],
    ];
    const expected = await theirs(
      odd.map(([args, name, password]) => [{ ...reach(), ...args, ...pythonAny }, name, password]),
    );
    for (const [index, [args, name, password]] of odd.entries()) {
      assert.notEqual(expected[index], null, `Tiled refuses ${name}`);
      assert.equal(await ours(slapd, [{ ...reach(), ...args, ...any }, name, password]), null, name);
    }
    const [newline] = await theirs([[{ ...reach(), ...TEMPLATE }, "ada\n", "ada-pa55"]]);
    assert.ok(newline === null || newline === undefined || "id" in newline || "error" in newline);
    assert.equal(await ours(slapd, [{ ...reach(), ...TEMPLATE }, "ada\n", "ada-pa55"]), null);
  });

  test("one person is one account here, however the name is typed, and several in Tiled", async () => {
    const loose = { ...TEMPLATE, valid_username_regex: ".*" };
    const attempts: Attempt[] = ["ada", "ADA", " ada"].map((name) => [
      { ...reach(), ...loose },
      name,
      "ada-pa55",
    ]);
    assert.deepEqual(
      (await theirs(attempts)).map((answer) => (answer as Answer | null)?.id),
      ["ada", "ADA", " ada"],
    );
    for (const attempt of attempts) assert.equal((await ours(slapd, attempt))?.id, "ada");
  });
});
