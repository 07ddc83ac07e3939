/** `tiled admin import-cave`: what it writes into the database and the configuration, and which files it refuses. */
import assert from "node:assert/strict";
import { readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stringify } from "yaml";
import { loadConfig } from "../../../src/config/load.ts";
import { CaveRules } from "../../../src/domain/cave/rules.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import { logIn, withStoreAt } from "../../store/support.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

const TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const ADDRESS = ["--server-address", "https://cave.example.org"];

interface User {
  readonly id: number;
  readonly name: string;
  readonly [field: string]: unknown;
}

const person = (id: number, name: string, changes: object = {}): User => ({
  id,
  name,
  email: `${name.toLowerCase()}@example.org`,
  admin: false,
  parent_id: null,
  read_only: false,
  created: "2023-04-05T06:07:08.123456",
  ...changes,
});

const token = (user_id: number, secret: string, changes: object = {}) => ({
  user_id,
  first_eight: secret.slice(0, 8),
  sha256: sha256(Buffer.from(secret, "hex")),
  description: "laptop",
  created: null,
  last_used: null,
  ...changes,
});

/** Ada and Grace proofread, the robot serves. */
function exported(changes: Record<string, unknown> = {}) {
  return {
    format: "middle_auth/1",
    users: [
      person(3, "Ada"),
      person(7, "Grace", { admin: true }),
      person(12, "robot", { email: null, parent_id: 7, admin: true }),
    ],
    tokens: [token(3, TOKEN)],
    groups: [
      { id: 1, name: "default" },
      { id: 2, name: "proofreaders" },
    ],
    members: [
      { user_id: 3, group_id: 1, admin: false },
      { user_id: 3, group_id: 2, admin: false },
      { user_id: 7, group_id: 2, admin: true },
      { user_id: 12, group_id: 2, admin: false },
    ],
    datasets: [{ id: 1, name: "minnie65", tos_id: 2 }],
    dataset_admins: [{ user_id: 7, dataset_id: 1 }],
    permissions: [
      { group_id: 2, dataset_id: 1, permission_id: 1, permission: "view" },
      { group_id: 2, dataset_id: 1, permission_id: 2, permission: "edit" },
    ],
    tables: [{ service: "datastack", table: "minnie65_public", dataset_id: 1 }],
    tos: [{ id: 2, name: "microns", text: "# Terms\n\n  Be kind: cite\u2014always.\n" }],
    accepted: [{ user_id: 3, tos_id: 2, time: "2023-04-07T00:00:00" }],
    apps: [{ url: "https://viewer.example.org/" }],
    ...changes,
  };
}

const OIDC = {
  authenticator: "tiled.authenticators:OIDCAuthenticator",
  args: {
    well_known_uri: "https://accounts.google.com/.well-known/openid-configuration",
    client_id: "id",
    client_secret: "0f4b1d7c9a6e",
  },
};
const GOOGLE = { ...OIDC, provider: "google", args: { ...OIDC.args, user_id_claim: "email" } };
const TOY = {
  provider: "toy",
  authenticator: "tiled.authenticators:DictionaryAuthenticator",
  args: { users_to_passwords: { "ada@example.org": "secret1" } },
};

class Scene {
  readonly folder: string;
  readonly config: string;
  readonly uri: string;
  readonly output: string;

  constructor(folder: string) {
    this.folder = folder;
    this.config = join(folder, "config.yml");
    this.uri = `sqlite:///${join(folder, "cave.db")}`;
    this.output = join(folder, "cave.yml");
  }

  async configure(...providers: object[]): Promise<void> {
    const configuration = {
      authentication: { providers, secret_keys: ["5ce1f0a97b3d2846e1907fd3a6b8c254"] },
      database: { uri: this.uri },
      trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
    };
    await writeFile(this.config, stringify(configuration));
  }

  async run(file: unknown, ...args: string[]) {
    const path = join(this.folder, "export.json");
    await writeFile(path, typeof file === "string" ? file : JSON.stringify(file));
    const options = ["--config", this.config, "--output", this.output, ...args];
    return tiled(["admin", "import-cave", path, ...options]);
  }

  async done(file: unknown, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(file, ...args);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** Nothing is written, and the message has no stack. */
  async refused(file: unknown, message: RegExp, ...args: string[]): Promise<string> {
    const before = await readFile(this.output, "utf8").catch(() => null);
    const { code, stdout, stderr } = await this.run(file, ...args);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /);
    assert.equal(await readFile(this.output, "utf8").catch(() => null), before);
    return stderr;
  }

  people() {
    return withStoreAt(this.uri, (store) => store.cave.people(0, 100));
  }
}

async function scene(t: TestContext, ...providers: object[]): Promise<Scene> {
  const made = new Scene(await temporaryFolder((last) => t.after(last)));
  await made.configure(...(providers.length === 0 ? [GOOGLE] : providers));
  const { code, stderr } = await tiled(["admin", "initialize-database", made.uri]);
  assert.equal(code, 0, stderr);
  return made;
}

test("people keep their numbers, names, tokens and terms, and the configuration their rights", async (t) => {
  const here = await scene(t);
  const said = await here.done(exported(), ...ADDRESS);
  assert.match(
    said,
    /^Imported 2 people \(provider google\) and 1 service, with 1 token and 1 acceptance of/,
  );
  assert.match(said, /Note: The service 12 "robot" was a superadmin\. Only people can be/);
  assert.equal((await stat(here.output)).mode & 0o777, 0o600);
  const [ada, grace] = await here.people();
  assert.deepEqual(
    [ada, grace].map((one) => [one?.id, one?.name, one?.email, one?.acceptedTos]),
    [
      [3, "Ada", "ada@example.org", [2]],
      [7, "Grace", "grace@example.org", []],
    ],
  );
  assert.deepEqual(ada?.created, new Date("2023-04-05T06:07:08.123Z"));
  const { cave } = loadConfig(here.folder, {});
  assert.equal(cave?.serverAddress, "https://cave.example.org");
  assert.ok(cave && ada && grace);
  assert.deepEqual(cave.rules.origins, ["https://viewer.example.org"]);
  assert.deepEqual(cave.rules.tos, [{ id: 2, name: "microns", text: exported().tos[0]?.text }]);
  const rules = new CaveRules(cave.rules);
  assert.equal(rules.datasetOf("datastack", "minnie65_public"), "minnie65");
  const rights = rules.rightsOf(ada);
  assert.deepEqual([...rights.permissions], [["minnie65", ["view", "edit"]]]);
  assert.deepEqual([rights.groups, rights.superadmin], [["default", "proofreaders"], false]);
  const graces = rules.rightsOf(grace);
  assert.equal(graces.superadmin, true);
  assert.deepEqual(
    graces.missingTos.map(({ name }) => name),
    ["minnie65"],
  );
  assert.deepEqual(
    graces.adminOfGroups.map(({ name }) => name),
    ["proofreaders"],
  );
  assert.deepEqual(
    graces.adminOfDatasets.map(({ name }) => name),
    ["minnie65"],
  );
  const [robot] = await withStoreAt(here.uri, (store) => store.cave.peopleByNumber([12]));
  assert.deepEqual([robot?.type, robot?.name], ["service", "robot"]);
  assert.ok(robot !== undefined);
  assert.deepEqual(rules.rightsOf(robot).groups, ["proofreaders"]);
  const audited = await tiled(["admin", "audit", "--database", here.uri, "--event", "api_key_created"]);
  assert.match(audited.stdout, /0a1b2c3d.*imported/);
});

test("the person who logs in afterwards is the imported one, and later people get later numbers", async (t) => {
  const here = await scene(t);
  await here.done(exported(), ...ADDRESS);
  await withStoreAt(here.uri, async (store) => {
    const forever = { now: new Date(), expirationTime: new Date("2100-01-01T00:00:00Z") };
    const identity = (id: string) => ({ ...forever, identity: { provider: "google", id } });
    const ada = await logIn(store, "ada", identity("ada@example.org"));
    assert.equal((await store.cave.person(ada.principal.uuid))?.id, 3);
    const eve = await logIn(store, "eve", identity("eve@example.org"));
    assert.equal((await store.cave.person(eve.principal.uuid))?.id, 13);
  });
});

test("a second run changes nothing and says so; a changed file's differences are listed", async (t) => {
  const here = await scene(t);
  await here.done(exported(), ...ADDRESS);
  const before = await here.people();
  const text = await readFile(here.output, "utf8");
  const again = await here.done(exported(), ...ADDRESS);
  assert.equal(
    again.replaceAll(/^Note: .*\n/gm, ""),
    `Nothing to import: the database has all of them.\nLeft as they are, since they are known: 3 accounts.\n${here.output} is up to date.\n`,
  );
  assert.deepEqual(await here.people(), before);
  assert.equal(await readFile(here.output, "utf8"), text);

  const changed = exported({
    users: [person(3, "Ada", { name: "Ada L." }), ...exported().users.slice(1), person(20, "Eve")],
    tokens: [token(3, TOKEN, { description: null }), token(3, "feedfacecafebeef0123456789abcdef")],
  });
  await here.refused(
    { ...changed, groups: [...exported().groups, { id: 9, name: "new" }] },
    /cave\.yml exists and has other content\. Nothing was changed\. Use --output/,
    ...ADDRESS,
  );
  assert.equal((await here.people()).length, 2);
  const told = await here.done(changed, ...ADDRESS, "--force");
  assert.match(await readFile(here.output, "utf8"), /# 3 Ada L\.$/m);
  assert.match(told, /^Imported 1 person .* and 0 services, with 0 tokens and 0 acceptances of terms\.$/m);
  assert.match(told, /known: 3 accounts\.\nThe file differs from the database in 3 places\. Nothing/);
  assert.match(told, /\n {2}user 3: the name is "Ada" here, "Ada L\." in the file\n/);
  assert.match(told, /\n {2}user 3: the token's description is "laptop" here, none in the file\n/);
  assert.match(
    told,
    /\n {2}user 3: the token feedface is not here: made after the import, or revoked here\n/,
  );
});

test("a dry run checks and writes nothing", async (t) => {
  const here = await scene(t);
  const said = await here.done(exported(), ...ADDRESS, "--dry-run");
  assert.match(said, /^Would import 2 people .*\nNote: The service 12 "robot" was a superadmin.*\n/);
  assert.ok(said.endsWith(`\nWould write ${here.output}.\nNothing was changed.\n`), said);
  assert.deepEqual(await here.people(), []);
  await assert.rejects(readFile(here.output));
  await here.done(exported(), ...ADDRESS);
  assert.match(await here.done(exported(), ...ADDRESS, "--dry-run"), /cave\.yml is up to date\.\nNothing/);
});

test("a dry run lists differences even if the output file is another one, and names that file", async (t) => {
  const here = await scene(t);
  await here.done(exported(), ...ADDRESS);
  const users = [person(3, "Ada", { name: "Ada L." }), ...exported().users.slice(1)];
  const said = await here.done(exported({ users }), ...ADDRESS, "--dry-run");
  assert.match(said, /user 3: the name is "Ada" here/);
  assert.match(said, /cave\.yml exists and has other content: use another --output, or --force/);
  const forced = await here.done(exported({ users }), ...ADDRESS, "--dry-run", "--force");
  assert.match(forced, /Would write .*cave\.yml\.\nNothing was changed/);
});

test("an address that the configuration would refuse is refused before anything is written", async (t) => {
  const here = await scene(t);
  const refused = (address: string, message: RegExp) =>
    here.refused(exported(), message, "--server-address", address);
  await refused("http://cave.example.org", /--server-address: tokens need HTTPS/);
  await refused("https://cave.example.org/sticky_auth", /Use 'https:\/\/cave\.example\.org'\./);
  await here.refused(exported(), /Name the address .* with --server-address/, "--dry-run");
  assert.deepEqual(await here.people(), []);
});

test("an existing file is replaced with --force only, and before that nothing is written", async (t) => {
  const here = await scene(t);
  await writeFile(here.output, "# mine\n");
  await here.refused(exported(), /exists and has other content/, ...ADDRESS);
  assert.deepEqual(await here.people(), []);
  await here.done(exported(), ...ADDRESS, "--force");
  assert.match(await readFile(here.output, "utf8"), /^cave:/m);
});

test("people who would collide are listed, and nothing is written", async (t) => {
  const here = await scene(t);
  await tiled(["admin", "make-admin", "google", "eve@example.org", "--config", here.config]);
  const users = [person(1, "Ada"), person(5, "Eve"), person(6, "Bob")];
  const none = { users, tokens: [], members: [], dataset_admins: [], accepted: [] };
  const stderr = await here.refused(exported(none), /Nothing was changed/, ...ADDRESS);
  assert.match(stderr, /\n {2}user 1 \(ada@example\.org\): the number belongs to google:eve@example\.org\n/);
  assert.match(stderr, /\n {2}user 5 \(eve@example\.org\): is principal 1 here\n/);
  assert.match(stderr, /a new one, before its first login/);
  const page = { offset: 0, limit: 10 };
  const left = await withStoreAt(here.uri, (store) => store.principals.list(page, new Date()));
  assert.equal(left.length, 1);
});

test("a file with errors is refused with their places, at most twenty, and changes nothing", async (t) => {
  const here = await scene(t);
  const { users, tokens } = exported();
  const cases: [unknown, RegExp][] = [
    [
      exported({ users: [...users, person(8, "x", { email: "x" })] }),
      /\n {2}users\[3\]\.email: must be an e-m/,
    ],
    [exported({ tokens: [...tokens, token(3, TOKEN)] }), /\n {2}tokens\[1\]\.sha256: is the same as/],
    [exported({ tokens: [{ ...tokens[0], sha256: "0a" }] }), /\n {2}tokens\[0\]\.sha256: must be the hash/],
    [exported({ tokens: [{ ...tokens[0], key: TOKEN }] }), /\n {2}tokens\[0\]\.key: is not a known field/],
    [exported({ groups: [] }), /\n {2}members\[0\]\.group_id: names the group 1, which is not in the file/],
    [
      exported({ tables: [{ service: "datastack", table: "$HOME", dataset_id: 1 }] }),
      /\n {2}tables\[0\]\.table: has a '\$' before a name/,
    ],
    [exported({ tokens: Array.from({ length: 25 }, () => ({})) }), /\n {2}and 130 more$/m],
    [[], /the file: must be a JSON object/],
    [`{"key": "${TOKEN}"`, /export\.json is not JSON/],
    [`${TOKEN}`, /export\.json is not JSON/],
  ];
  for (const [file, message] of cases) {
    const stderr = await here.refused(file, message, ...ADDRESS);
    assert.doesNotMatch(stderr, new RegExp(TOKEN));
  }
  assert.deepEqual(await here.people(), []);
  const path = join(here.folder, "large.json");
  await writeFile(path, "");
  await truncate(path, 101 * 1024 * 1024);
  const large = await tiled(["admin", "import-cave", path, "--config", here.config, ...ADDRESS]);
  assert.deepEqual([large.code, /at most 104857600 are read/.test(large.stderr)], [1, true], large.stderr);
  const gone = await tiled(["admin", "import-cave", join(here.folder, "gone.json"), "--config", here.config]);
  assert.match(gone.stderr, /There is no file/);
});

test("the provider has to identify people by e-mail address, or to be named", async (t) => {
  const here = await scene(t, { ...OIDC, provider: "google" });
  await here.refused(exported(), /no provider of this configuration does \(it has: google\)/, ...ADDRESS);
  await here.refused(exported(), /Add 'user_id_claim: email'/, ...ADDRESS, "--provider", "google");
  await here.refused(
    exported(),
    /has no provider orcid\. It has: google\./,
    ...ADDRESS,
    "--provider",
    "orcid",
  );
  await here.configure(GOOGLE, { ...GOOGLE, provider: "campus" });
  await here.refused(exported(), /Which provider\? google, campus identify people/, ...ADDRESS);
  await here.configure(TOY, { ...OIDC, provider: "orcid" });
  await here.refused(exported(), /name it with --provider/, ...ADDRESS);
  const toy = ["--provider", "toy"];
  await here.refused(exported(), /Name the address .* with --server-address/, ...toy);
  await here.refused(
    exported(),
    /--server-address is not a URL/,
    ...toy,
    "--server-address",
    "cave.example.org",
  );
  const said = await here.done(exported(), ...ADDRESS, "--provider", "toy");
  assert.match(said, /^Imported 2 people \(provider toy\)/);
  const [ada] = await here.people();
  assert.deepEqual(ada?.identities, [{ provider: "toy", id: "ada@example.org" }]);
});

test("a read-only account is in a group of its own, which may not edit", async (t) => {
  const here = await scene(t);
  const users = [person(3, "Ada"), person(7, "Grace", { read_only: true })];
  const members = [
    { user_id: 3, group_id: 2, admin: false },
    { user_id: 7, group_id: 2, admin: true },
  ];
  await here.done(exported({ users, members }), ...ADDRESS);
  const { cave } = loadConfig(here.folder, {});
  assert.ok(cave);
  assert.deepEqual(
    cave.rules.groups.map(({ id, name, members, admins, permissions }) => ({
      id,
      name,
      people: [...members, ...admins].length,
      permissions: [...permissions],
    })),
    [
      { id: 1, name: "default", people: 0, permissions: [] },
      { id: 2, name: "proofreaders", people: 1, permissions: [["minnie65", ["view", "edit"]]] },
      { id: 3, name: "proofreaders (read-only)", people: 1, permissions: [["minnie65", ["view"]]] },
    ],
  );
});

test("names of every kind survive the way through YAML", async (t) => {
  const here = await scene(t);
  const name = "a: [b] #c 'd' \"e\" *f \u200b\u2028 – null";
  const users = [person(3, "Ada", { name: "Ada\u202e # Lovelace" }), person(7, "Grace")];
  const text = "  $USER pays\r\n\ttabs \u0085\n\n";
  const file = exported({
    users,
    members: [{ user_id: 3, group_id: 2, admin: false }],
    groups: [
      { id: 1, name: "null" },
      { id: 2, name },
      { id: 4, name: "__proto__" },
    ],
    datasets: [{ id: 1, name, tos_id: 2 }],
    permissions: [{ group_id: 2, dataset_id: 1, permission_id: 1, permission: name }],
    tables: [{ service: "constructor", table: name, dataset_id: 1 }],
    tos: [
      { id: 1, name: "terms", text: "1" },
      { id: 2, name: "terms", text },
    ],
  });
  await here.done(file, ...ADDRESS);
  const { cave } = loadConfig(here.folder, {});
  assert.ok(cave);
  assert.deepEqual(
    cave.rules.groups.map((group) => group.name),
    ["null", name, "__proto__"],
  );
  const [, group] = cave.rules.groups;
  assert.deepEqual([...(group?.permissions ?? [])], [[name, [name]]]);
  assert.deepEqual([...(cave.rules.datasets[0]?.tables ?? [])], [["constructor", [name]]]);
  assert.deepEqual(cave.rules.tos, [
    { id: 1, name: "terms (1)", text: "1" },
    { id: 2, name: "terms (2)", text },
  ]);
});

test("ten thousand people with tokens are imported and their configuration loads", async (t) => {
  const here = await scene(t);
  const users = Array.from({ length: 10_000 }, (_, index) => person(index + 1, `p${index}`));
  const file = exported({
    users,
    tokens: users.map(({ id }) => token(id, id.toString(16).padStart(8, "0").padEnd(32, "a"))),
    members: users.map(({ id }) => ({ user_id: id, group_id: 2, admin: false })),
    dataset_admins: [],
  });
  assert.match(await here.done(file, ...ADDRESS), /^Imported 10000 people .* with 10000 tokens/);
  const { cave } = loadConfig(here.folder, {});
  assert.equal(cave?.rules.groups[1]?.members.length, 10_000);
});
