import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Store } from "../../../src/domain/ports/store.ts";
import { logIn, ORIGIN, withStoreAt } from "../../store/support.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

const folder = await temporaryFolder(after);
const uri = `sqlite:///${join(folder, "tiled.db")}`;
const database = ["--database", uri];
const config = join(folder, "config.yml");
const FOREVER = new Date("2100-01-01T00:00:00Z");

before(async () => {
  assert.equal((await tiled(["admin", "initialize-database", uri])).code, 0);
  await writeFile(
    config,
    `trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]
authentication:
  providers: [{provider: toy, authenticator: "tiled.authenticators:DummyAuthenticator"}]
  tiled_admins: [{provider: toy, id: listed}]
database: {uri: "${uri}"}
`,
  );
});

/** The store that a server would have open, for the time of one test. */
const withStore = <T>(work: (store: Store) => Promise<T>) => withStoreAt(uri, work);

const logInAs = (id: string) =>
  withStore(async (store) => {
    const { principal } = await logIn(store, id, { now: new Date(), expirationTime: FOREVER });
    return principal.uuid;
  });

const admin = (...args: readonly string[]) => tiled(["admin", ...args]);

test("an administrator has a name, and a provider that the configuration has where one is known", async () => {
  for (const names of [
    ["toy", ""],
    ["toy", " "],
    ["", "bob"],
  ]) {
    const { code, stderr } = await admin("make-admin", ...names, ...database);
    assert.deepEqual([code, /It is empty\./.test(stderr)], [2, true], stderr);
  }
  const unknown = await admin("make-admin", "nope", "x", "--config", config);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /has no provider nope, .* It has: toy\.\n$/);
  assert.equal((await admin("principals", ...database)).stdout, "");
  assert.equal((await admin("make-admin", "toy", "x", "--config", config)).code, 0);
  assert.equal((await admin("make-admin", "later", "x", ...database)).code, 0, "no configuration is known");
});

test("an administrator who never logged in does not replace the last one who did", async () => {
  await logInAs("real");
  await admin("make-admin", "toy", "real", ...database);
  for (const [verb, otherwise] of [
    ["disable", ", or use --even-last-admin"],
    ["revoke-admin", ""],
  ] as const) {
    const { code, stderr } = await admin(verb, "toy:real", ...database);
    assert.equal(code, 1);
    assert.match(stderr, /\(toy:real\) is the last working administrator: no other enabled account /);
    assert.ok(stderr.endsWith(`Let another administrator log in first${otherwise}.\n`), stderr);
  }
  const shutOut = await admin("disable", "toy:real", "--even-last-admin", ...database);
  assert.deepEqual([shutOut.code, shutOut.stderr], [0, ""]);
  assert.match(shutOut.stdout, /\(toy:real\) is disabled\.\n$/);
  assert.equal((await admin("enable", "toy:real", ...database)).code, 0);
  await logInAs("x");
  assert.equal((await admin("disable", "toy:real", ...database)).code, 0);
  const disabled = await admin("make-admin", "toy", "real", ...database);
  assert.match(
    disabled.stdout,
    /has the roles user and admin\.\nThe account is disabled\. .*tiled admin enable [-0-9a-f]{36}\n$/,
  );
  assert.equal((await admin("enable", "toy:real", ...database)).code, 0);
});

test("the role is taken back by name or UUID, audited, and only once", async () => {
  const uuid = await logInAs("formerly");
  for (const who of [["toy", "formerly"], ["toy:formerly"], [uuid]]) {
    await admin("make-admin", "toy", "formerly", ...database);
    const { code, stdout } = await admin("revoke-admin", ...who, ...database);
    assert.deepEqual([code, stdout], [0, `${uuid} (toy:formerly) no longer has the role admin.\n`]);
  }
  const again = await admin("revoke-admin", "toy", "formerly", ...database);
  assert.deepEqual([again.code, again.stdout], [1, ""]);
  assert.match(again.stderr, /\(toy:formerly\) does not have the role admin\.\n$/);
  assert.equal((await admin("revoke-admin", "toy", "nobody", ...database)).code, 1);
  assert.equal((await admin("revoke-admin", "", ...database)).code, 2);
  const rows = await admin("audit", "--event", "role_revoked", "--principal", uuid, ...database);
  assert.equal(rows.stdout.match(/ role_revoked .*role=admin/g)?.length, 3);
});

test("it is said where the configuration would give the role back", async () => {
  await logInAs("listed");
  await withStore(({ principals }) =>
    principals.ensureAdmins({
      identities: [{ provider: "toy", id: "listed" }],
      now: new Date(),
      context: ORIGIN,
    }),
  );
  const { code, stdout } = await admin("revoke-admin", "toy", "listed", "--config", config);
  assert.equal(code, 0);
  assert.match(stdout, /role admin\.\ntoy:listed is in authentication\.tiled_admins, so .* gives it back\./);
  await admin("make-admin", "toy", "x", ...database);
  const other = await admin("revoke-admin", "toy", "x", "--config", config);
  assert.doesNotMatch(other.stdout, /tiled_admins/);
});
