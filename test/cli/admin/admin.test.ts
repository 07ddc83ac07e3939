import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Store } from "../../../src/domain/ports/store.ts";
import { randomHex, sha256 } from "../../../src/lib/secrets.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import { sqliteFixture } from "../../store/fixtures.ts";
import { logIn, newKey, withStoreAt } from "../../store/support.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

const FOREVER = new Date("2100-01-01T00:00:00Z");

const folder = await temporaryFolder(after);
const uri = `sqlite:///${join(folder, "tiled.db")}`;
const database = ["--database", uri];

before(async () => {
  const { code, stderr } = await tiled(["admin", "initialize-database", uri]);
  assert.equal(code, 0, stderr);
});

/** The store that a server would have open, for the time of one test. */
const withStore = <T>(work: (store: Store) => Promise<T>) => withStoreAt(uri, work);

function userWithSessions(name: string, sessions = 1) {
  return withStore(async (store) => {
    const all = [];
    for (let count = 0; count < sessions; count += 1) {
      all.push(await logIn(store, name, { now: new Date(), expirationTime: FOREVER }));
    }
    return all.map(({ principal, session }) => ({ principal: principal.uuid, session: session.uuid }));
  });
}

async function refused(args: readonly string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await tiled(args);
  assert.equal(code, 1, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, message);
  assert.doesNotMatch(stderr, /\n {4}at /, "no stack trace");
}

async function done(args: readonly string[], message: RegExp): Promise<string> {
  const { code, stdout, stderr } = await tiled(args);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, message);
  return stdout;
}

test("a database is initialized once, checked without a change, and needs no upgrade", async () => {
  await refused(["admin", "initialize-database", uri], /is already initialized \(revision 0a017b76d0d0\)/);
  const file = join(folder, "tiled.db");
  const bytes = await readFile(file);
  await done(
    ["admin", "check-database", ...database],
    /tiled\.db can be served\.\n.*revision 0a017b76d0d0\n.*own tables: 00/,
  );
  assert.deepEqual(await readFile(file), bytes);
  const { code, stderr } = await tiled(["admin", "upgrade-database", uri]);
  assert.equal(code, 0);
  assert.equal(stderr, `tiled-auth's own tables in the database at ${file} are up to date.\n`);
  assert.equal((await tiled(["admin", "upgrade-database", uri, "0a017b76d0d0"])).code, 0);
  await refused(
    ["admin", "upgrade-database", uri, "2d1b550e12e0"],
    /is at revision 0a017b76d0d0, .* Nothing was changed\./,
  );
  await refused(["admin", "upgrade-database", uri, "d829476bc173"], /serves the revisions 0a017b76d0d0 and/);
});

test("of an upgrade it is said which tables it is of; a revision of Tiled's that is not there is refused", async () => {
  const { path, uri } = sqliteFixture(folder, "2d1b550e12e0");
  const bytes = await readFile(path);
  const stays =
    /Tiled's own tables are at revision 2d1b550e12e0\. This server can use them as they are.*tiled admin upgrade-database sqlite:\/\/\/\//;
  for (const revision of ["0a017b76d0d0", "head"]) {
    await refused(["admin", "upgrade-database", uri, revision], stays);
    await refused(["admin", "upgrade-database", uri, revision], /Nothing was changed\.\n$/);
  }
  assert.deepEqual(await readFile(path), bytes);
  for (const first of [
    /^Upgraded tiled-auth's own tables .*: 0001_own_tables, /,
    /own tables .* are up to date/,
  ]) {
    const { code, stderr } = await tiled(["admin", "upgrade-database", uri]);
    assert.equal(code, 0);
    assert.match(stderr, first);
    assert.match(stderr, stays);
  }
  assert.equal((await tiled(["admin", "upgrade-database", uri, "2d1b550e12e0"])).code, 0);
  await done(["admin", "check-database", "--database", uri], /revision 2d1b550e12e0\n.*own tables: 00/);
});

test("a file that is not a database is refused and left alone", async () => {
  const file = join(folder, "letter.txt");
  await writeFile(file, "Dear reader");
  await refused(["admin", "check-database", "--database", file], /is not a SQLite database/);
  await refused(["admin", "initialize-database", file], /is not a SQLite database/);
  assert.equal(await readFile(file, "utf8"), "Dear reader");
  await refused(
    ["admin", "check-database", "--database", join(folder, "gone.db")],
    /There is no database at/,
  );
  await refused(["admin", "principals", "--database", "sqlite://"], /in the server's memory/);
});

test("a mistyped URI is no path in which a password would be shown", async () => {
  const config = join(folder, "mistyped.yml");
  const mistyped = "postgresql:/u:hunter2@h/db";
  await writeFile(
    config,
    `trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]\ndatabase: {uri: "${mistyped}"}\n`,
  );
  for (const args of [
    ["admin", "initialize-database", mistyped],
    ["admin", "check-database", "--database", "postgresql//u:hunter2@h/db"],
    ["admin", "check-config", config],
    ["config", "check", config],
    ["serve", "config", config],
  ]) {
    const { code, stdout, stderr } = await tiled(args);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /neither a URI nor a path|must be a database URI/);
    assert.doesNotMatch(stderr, /hunter2/);
  }
});

test("check-config checks a configuration as config check does", async () => {
  const config = join(folder, "config.yml");
  await writeFile(
    config,
    `trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]
authentication: {providers: [{provider: toy, authenticator: "tiled.authenticators:DummyAuthenticator"}]}
database: {uri: "${uri}"}
`,
  );
  const checked = await tiled(["admin", "check-config", config]);
  assert.deepEqual([checked.code, checked.stdout], [0, "No errors found in configuration.\n"]);
});

test("an administrator is made before their first login, and the last one cannot be disabled", async () => {
  await done(
    ["admin", "make-admin", "toy", "root", ...database],
    /^toy:root has the roles user and admin\.\n$/,
  );
  await refused(["admin", "disable", "toy:root", ...database], /is the last working administrator/);
  await done(["admin", "make-admin", "toy", "other", ...database], /toy:other/);
  await done(["admin", "disable", "toy:other", ...database], /\(toy:other\) is disabled\./);
  const listed = await done(["admin", "principals", ...database], /^UUID +Type +Identities/);
  assert.match(listed, /user +toy:root +(user, admin|admin, user) +0 +0 +-\n/);
  assert.match(listed, /user +toy:other +(user, admin|admin, user) +0 +0 +- +disabled\n/);
  await done(["admin", "enable", "toy:other", ...database], /\(toy:other\) is enabled\./);
});

test("principals as JSON have the API's field names, page by page", async () => {
  const [login] = await userWithSessions("json");
  const all = JSON.parse(await done(["admin", "principals", "--json", ...database], /^\[/)) as Record<
    string,
    unknown
  >[];
  const mine = all.find((principal) => principal["uuid"] === login?.principal);
  assert.deepEqual(Object.keys(mine ?? {}).sort(), [
    "api_keys",
    "disabled",
    "identities",
    "latest_activity",
    "roles",
    "sessions",
    "type",
    "uuid",
  ]);
  assert.deepEqual(mine?.["sessions"], [
    { uuid: login?.session, expiration_time: FOREVER.toISOString(), revoked: false },
  ]);
  const page = JSON.parse(
    await done(["admin", "principals", "--json", "--offset", "1", "--limit", "1", ...database], /^\[/),
  ) as unknown[];
  assert.deepEqual(page, all.slice(1, 2));
  const beyond = await tiled(["admin", "principals", "--offset", "1000", ...database]);
  assert.deepEqual([beyond.code, beyond.stdout, beyond.stderr], [0, "", "No principals.\n"]);
});

test("a key's note cannot send control characters to the terminal", async () => {
  const [login] = await userWithSessions("note");
  const note = "\u009b31m\u009d0;owned\u009c\u202eü\u007f";
  await withStore(async (store) => {
    const request = newKey(login?.principal ?? newUuid(), { note }, { now: new Date() });
    assert.equal((await store.apiKeys.create(request)).kind, "created");
  });
  const out = await done(["admin", "principals", "--json", ...database], /^\[/);
  assert.doesNotMatch(out.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  const principals = JSON.parse(out) as { uuid: string; api_keys: { note: string }[] }[];
  const mine = principals.find(({ uuid }) => uuid === login?.principal);
  assert.deepEqual(
    mine?.api_keys.map((key) => key.note),
    [note],
  );
});

test("one session or all sessions of a principal are ended", async () => {
  const [first, second, third] = await userWithSessions("sessions", 3);
  await done(["admin", "revoke-session", String(first?.session), ...database], /is revoked/);
  await done(
    ["admin", "revoke-sessions", String(first?.principal), ...database],
    /^2 sessions of .* are revoked/,
  );
  await done(["admin", "revoke-sessions", "toy:sessions", ...database], /^0 sessions of .* are revoked/);
  await withStore(async ({ sessions }) => {
    for (const login of [first, second, third]) {
      assert.equal((await sessions.status(login?.session ?? newUuid()))?.revoked, true);
    }
  });
  await refused(["admin", "revoke-session", newUuid(), ...database], /There is no session/);
});

test("a key is revoked by its first eight digits; of a whole one no more is repeated", async () => {
  const [login] = await userWithSessions("keys");
  const secret = randomHex(36);
  const firstEight = secret.slice(0, 8);
  await withStore(async (store) => {
    const digest = sha256(Buffer.from(secret, "hex"));
    const request = newKey(login?.principal ?? newUuid(), { firstEight }, { digest, now: new Date() });
    assert.equal((await store.apiKeys.create(request)).kind, "created");
  });
  const out = await done(["admin", "revoke-key", "toy:keys", secret, ...database], /is revoked/);
  assert.ok(out.includes(firstEight) && !out.includes(secret.slice(0, 9)));
  await refused(["admin", "revoke-key", "toy:keys", firstEight, ...database], /has no API key/);
});

test("an unknown principal is refused by each verb, and shown without its control characters", async () => {
  for (const verb of [["disable"], ["enable"], ["revoke-sessions"], ["revoke-key"]]) {
    const further = verb[0] === "revoke-key" ? ["0123abcd"] : [];
    await refused(
      ["admin", ...verb, "toy:no\u001b[2Jbody", ...further, ...database],
      /no principal toy:no\\u\{1b\}\[2Jbody/,
    );
    await refused(["admin", ...verb, newUuid(), ...further, ...database], /There is no principal/);
  }
});

test("purge deletes expired rows at once", async () => {
  await withStore((store) =>
    logIn(store, "expired", { now: new Date("2020-01-01"), expirationTime: new Date("2020-01-02") }),
  );
  await done(
    ["admin", "purge", ...database],
    /^Deleted: 1 sessions, 0 unfinished logins, 0 API keys, 0 audit rows\.\n/,
  );
  await done(["admin", "purge", ...database], /^Deleted: 0 sessions,/);
  const out = await done(["admin", "audit", "--json", "--event", "database_purged", ...database], /^\{/);
  // One row: the second purge found nothing.
  const { id: _, time: __, ...row } = JSON.parse(out) as Record<string, unknown>;
  assert.deepEqual(row, {
    event: "database_purged",
    principal: null,
    identity: null,
    actor: null,
    address: null,
    request_id: null,
    detail: {
      sessions: 1,
      pending_sessions: 0,
      api_keys: 0,
      audit_rows: 0,
      by: "command line",
      os_user: userInfo().username,
    },
  });
});

test("the audit log names the action, its target, the command line and the machine's user", async () => {
  const [login] = await userWithSessions("audited");
  await tiled(["admin", "revoke-sessions", "toy:audited", ...database]);
  const out = await done(
    ["admin", "audit", "--json", "--principal", "toy:audited", "--event", "session_revoked", ...database],
    /^\{/,
  );
  const [row, ...others] = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(others, []);
  assert.equal(row?.["event"], "session_revoked");
  assert.equal(row?.["principal"], login?.principal);
  assert.deepEqual([row?.["actor"], row?.["address"], row?.["request_id"]], [null, null, null]);
  assert.deepEqual(row?.["detail"], {
    session: login?.session,
    by: "command line",
    os_user: userInfo().username,
  });
  const text = await done(["admin", "audit", "--principal", "toy:audited", ...database], /./);
  assert.match(text, / session_revoked .* by="command line" os_user=/);
  assert.doesNotMatch(text, / login .*command line/);
});

test("the audit says where it shows none, or not all", async () => {
  await userWithSessions("listed", 3);
  const listed = async (...args: string[]) => {
    const { code, stdout, stderr } = await tiled([
      "admin",
      "audit",
      "--principal",
      "toy:listed",
      ...args,
      ...database,
    ]);
    assert.equal(code, 0, stderr);
    return [stdout.split("\n").length - 1, stderr];
  };
  assert.deepEqual(await listed("--since", "2100-01-01"), [0, "No such events.\n"]);
  assert.deepEqual(await listed("--limit", "3", "--since", "7d"), [
    3,
    "These are the newest 3 events only; --limit shows more.\n",
  ]);
  assert.deepEqual(await listed("--limit", "4"), [4, ""]);
  const { code, stderr } = await tiled(["admin", "audit", "--since", "2026-11-31", ...database]);
  assert.equal(code, 2);
  assert.match(stderr, /2026-11-31.*Use a time like/);
});
