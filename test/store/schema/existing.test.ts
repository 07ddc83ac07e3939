import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import Sqlite from "better-sqlite3";
import type { PrincipalDocument } from "../../../src/domain/model/entities.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import { openStore } from "../../../src/store/open.ts";
import { postgresOrSkip } from "../../support/postgres.ts";
import { type Facts, factsOf, postgresFixture, REVISIONS, sqliteFixture } from "../fixtures.ts";
import { at, folderFor, logIn, login, NOW, ORIGIN, openFor, refresh, storeOptions } from "../support.ts";

/** As the real Tiled writes a whoami, apart from offsets: seconds, no fraction. */
function whoami(document: PrincipalDocument): object {
  const seconds = (time: Date | null) => time?.toISOString().slice(0, 19) ?? null;
  return {
    uuid: document.uuid,
    type: document.type,
    identities: document.identities.map(({ id, provider, latestLogin }) => ({
      id,
      provider,
      latest_login: seconds(latestLogin),
    })),
    roles: document.roles,
    api_keys: document.apiKeys
      .toSorted((a, b) => (a.firstEight < b.firstEight ? -1 : 1))
      .map((key) => ({
        first_eight: key.firstEight,
        expiration_time: seconds(key.expirationTime),
        note: key.note,
        scopes: key.scopes,
        access_tags: key.accessTags,
        latest_activity: seconds(key.latestActivity),
      })),
    sessions: document.sessions.map(({ uuid, expirationTime, revoked, state }) => ({
      uuid,
      expiration_time: seconds(expirationTime),
      revoked,
      state,
    })),
    latest_activity: seconds(document.latestActivity),
  };
}

/** The order of keys is unspecified. */
function expected({ bob }: Facts): object {
  const keys = bob.api_keys.toSorted((a, b) => (a.first_eight < b.first_eight ? -1 : 1));
  return JSON.parse(JSON.stringify({ ...bob, api_keys: keys }).replaceAll("+00:00", ""));
}

/** `bind`: SQL for a row of `pending_sessions` as the real Tiled leaves it after a user has confirmed. */
async function confirmedLoginsAreCollected(
  store: Store,
  { sessions, principals }: Facts,
  bind: (session: string, digest: string, expiration: string) => Promise<unknown>,
): Promise<void> {
  const ask = (code: string, provider = "toy") =>
    store.deviceLogins.collectHandedOver({ deviceCode: sha256(code), provider, now: NOW, context: ORIGIN });
  const later = "2026-12-01 12:10:00";
  await bind(sessions.cara, sha256("cara"), later);
  await bind(sessions.bobRevoked, sha256("revoked"), later);
  await bind(sessions.alice, sha256("late"), "2026-12-01 11:59:00");
  assert.equal(await ask("cara", "orcid"), undefined, "of a provider that the person has no identity of");
  for (const code of ["revoked", "late", "unknown"]) assert.equal(await ask(code), undefined, code);
  const found = await ask("cara");
  assert.deepEqual(found?.identity, { provider: "toy", id: "çara" });
  assert.equal(found?.session.uuid, sessions.cara);
  assert.equal(await ask("cara"), undefined, "once");
  assert.equal((await store.sessions.rotate(refresh(sessions.cara, 0, "t"))).kind, "refreshed");
  await bind(sessions.cara, sha256("again"), later);
  await store.principals.setDisabled({
    principal: principals.cara,
    disabled: true,
    now: NOW,
    context: ORIGIN,
  });
  assert.equal(await ask("again"), undefined, "disabled");
}

/** Rows that the real Tiled wrote before, and rows that it adds while our server is stopped. */
async function spellingsAreFound(store: Store, addAsTiled: (id: string) => Promise<void>): Promise<void> {
  const open = (id: string) => store.sessions.open(login(id, { caseSensitive: false }));
  assert.equal((await open("BOB")).kind, "other_spelling");
  assert.equal((await open("ÇARA")).kind, "other_spelling");
  for (let number = 0; number < 70; number++) await addAsTiled(`Guest${number}`);
  assert.deepEqual(await store.principals.twins(["toy"]), []);
  for (const id of ["guest0", "guest69"]) assert.equal((await open(id)).kind, "other_spelling");
  await addAsTiled("alicE");
  for (const id of ["alice", "alicE"]) assert.equal((await open(id)).kind, "opened");
  assert.deepEqual(await store.principals.twins(["toy"]), [
    { provider: "toy", spellings: ["alicE", "alice"] },
  ]);

  // Behind many that we have added since, for providers that tell names apart.
  await addAsTiled("Grace");
  for (let count = 0; count < 60; count++) await logIn(store, `newcomer${count}`);
  const outcome = await store.sessions.open(login("GRACE", { caseSensitive: false }));
  assert.equal(outcome.kind, "other_spelling");
}

async function everythingIsThere(store: Store, facts: Facts): Promise<void> {
  const { principals, sessions, keys } = facts;
  const bob = await store.principals.document(principals.bob, NOW);
  assert.deepEqual(bob && whoami(bob), expected(facts));
  const alice = await store.principals.summaryOfIdentity({ provider: "toy", id: "alice" });
  assert.equal(alice?.uuid, principals.alice);
  assert.ok(alice?.scopes.includes("admin:apikeys"));
  assert.equal(
    (await store.principals.summaryOfIdentity({ provider: "toy", id: "çara" }))?.uuid,
    principals.cara,
  );
  assert.equal((await store.principals.summary(principals.service))?.type, "service");
  for (const [name, key] of Object.entries(keys)) {
    const found = await store.apiKeys.find(key.firstEight, key.digest);
    assert.equal(found?.principal, name === "service" ? principals.service : principals.bob, name);
  }
  assert.equal((await store.sessions.status(sessions.bobRevoked))?.revoked, true);

  assert.equal((await store.sessions.rotate(refresh(sessions.bob, null, "digest"))).kind, "refreshed");
  assert.equal((await store.sessions.rotate(refresh(sessions.bob, null, "digest"))).kind, "refreshed");
  assert.equal((await store.sessions.rotate(refresh(sessions.bobRevoked, null, "digest"))).kind, "ended");
  assert.equal((await logIn(store, "bob")).principal.uuid, principals.bob);
  assert.equal(
    (
      await store.sessions.revoke({
        session: sessions.cara,
        principal: principals.cara,
        now: NOW,
        context: ORIGIN,
      })
    ).kind,
    "revoked",
  );
  assert.deepEqual(
    await store.apiKeys.revoke({
      principal: principals.bob,
      firstEight: keys.tagged.firstEight,
      now: NOW,
      context: ORIGIN,
    }),
    {
      kind: "revoked",
      digests: [keys.tagged.digest],
    },
  );
  await store.principals.ensureAdmins({
    identities: [{ provider: "toy", id: "çara" }],
    now: NOW,
    context: ORIGIN,
  });
}

/** An expired device login of the real Tiled that is bound to an expired session. */
const PENDING = (session: string, bytes: string) =>
  `insert into pending_sessions select ${bytes}, 'ABCD1234', '2026-01-01 00:00:00', id from sessions where uuid = '${session}'`;

async function purgesBoundSessions(store: Store, session: Facts["sessions"]["bob"]): Promise<void> {
  const far = at(400 * 24 * 3600);
  assert.equal((await store.maintenance.purge({ now: far, batch: 100, auditBefore: null })).more, false);
  assert.equal(await store.sessions.status(session), undefined);
}

for (const revision of REVISIONS) {
  test(`SQLite: a database of the real Tiled at ${revision} is served unchanged`, async (t) => {
    const { path, uri } = sqliteFixture(folderFor(t), revision);
    const facts = factsOf("sqlite");
    const db = new Sqlite(path);
    t.after(() => db.close());
    const schema = () =>
      db
        .prepare(
          "select name, sql from sqlite_master where name not like '%tiled_auth%' and name <> 'sqlite_sequence' order by name",
        )
        .all();
    const before = schema();
    const store = await openFor(t, uri, { initIfNotExists: false });
    await everythingIsThere(store, facts);
    assert.deepEqual(schema(), before);
    assert.equal(db.prepare("select version_num from alembic_version").pluck().get(), revision);
    assert.deepEqual(db.pragma("foreign_key_check"), []);
    assert.deepEqual(db.pragma("integrity_check", { simple: true }), "ok");
    db.exec(PENDING(facts.sessions.alice, "x'00ff'"));
    await purgesBoundSessions(store, facts.sessions.alice);
  });

  test(`SQLite: rows that the real Tiled deletes at ${revision} take our rows with them`, async (t) => {
    const { path, uri } = sqliteFixture(folderFor(t), revision);
    const facts = factsOf("sqlite");
    const store = await openFor(t, uri);
    await store.sessions.rotate(refresh(facts.sessions.bob, null, "digest"));
    const db = new Sqlite(path);
    t.after(() => db.close());
    db.pragma("foreign_keys = ON");
    db.prepare("delete from sessions where uuid = ?").run(facts.sessions.bob);
    assert.equal(db.prepare("select count(*) from tiled_auth_rotations").pluck().get(), 0);
    assert.equal((await store.sessions.rotate(refresh(facts.sessions.bob, 1, "x"))).kind, "ended");
  });
}

test("SQLite: another spelling of an identity of the real Tiled is found", async (t) => {
  const { path, uri } = sqliteFixture(folderFor(t), "0a017b76d0d0");
  const store = await openFor(t, uri);
  const db = new Sqlite(path);
  t.after(() => db.close());
  await spellingsAreFound(store, async (id) => {
    db.prepare("insert into principals (uuid, type) values (?, 'user')").run(newUuid());
    db.prepare(
      "insert into identities (id, provider, principal_id) values (?, 'toy', (select max(id) from principals))",
    ).run(id);
  });
});

test("SQLite: a device login that was confirmed in the real Tiled is collected", async (t) => {
  const { path, uri } = sqliteFixture(folderFor(t), "0a017b76d0d0");
  const store = await openFor(t, uri);
  const db = new Sqlite(path);
  t.after(() => db.close());
  await confirmedLoginsAreCollected(store, factsOf("sqlite"), async (session, digest, expiration) => {
    db.prepare(
      "insert into pending_sessions select ?, substr(upper(?), 1, 8), ?, id from sessions where uuid = ?",
    ).run(Buffer.from(digest, "hex"), digest, `${expiration}.000000`, session);
  });
});

test("SQLite: indexes that an upgrade by the real Tiled drops come back", async (t) => {
  const { path, uri } = sqliteFixture(folderFor(t), "2d1b550e12e0");
  await (await openStore(storeOptions(uri))).close();
  const db = new Sqlite(path);
  t.after(() => db.close());
  const names = () =>
    db
      .prepare(
        "select name from sqlite_master where type = 'index' and name like 'tiled_auth_ix_%' order by 1",
      )
      .pluck()
      .all();
  const before = names();
  assert.ok(before.length > 10);
  for (const name of before) db.exec(`drop index ${name}`);
  await (await openStore(storeOptions(uri))).close();
  assert.deepEqual(names(), before);
});

test("PostgreSQL", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;
  for (const revision of REVISIONS) {
    await t.test(
      `a database of the real Tiled at ${revision} is served unchanged`,
      async (inner: TestContext) => {
        const uri = await postgresFixture(server, revision);
        const facts = factsOf("postgresql");
        const columns = () =>
          server.query(
            uri,
            "select * from information_schema.columns where table_schema = 'public' and table_name not like 'tiled_auth%' order by table_name, ordinal_position",
          );
        const before = await columns();
        const store = await openFor(inner, uri, { initIfNotExists: false });
        await everythingIsThere(store, facts);
        assert.deepEqual(await columns(), before);
        assert.deepEqual(await server.query(uri, "select version_num from alembic_version"), [
          { version_num: revision },
        ]);
        await server.query(uri, PENDING(facts.sessions.alice, "'\\x00ff'"));
        await purgesBoundSessions(store, facts.sessions.alice);
        assert.equal(await store.sessions.status(newUuid()), undefined);
      },
    );
  }
  await t.test("a device login that was confirmed in the real Tiled is collected", async (inner) => {
    const uri = await postgresFixture(server, "0a017b76d0d0");
    const store = await openFor(inner, uri);
    await confirmedLoginsAreCollected(store, factsOf("postgresql"), (session, digest, expiration) =>
      server.query(
        uri,
        `insert into pending_sessions select '\\x${digest}', '${digest.slice(0, 8).toUpperCase()}', '${expiration}+00', id from sessions where uuid = '${session}'`,
      ),
    );
  });
  await t.test("another spelling of an identity of the real Tiled is found", async (inner: TestContext) => {
    const uri = await postgresFixture(server, "0a017b76d0d0");
    const store = await openFor(inner, uri);
    await spellingsAreFound(store, async (id) => {
      await server.query(uri, `insert into principals (uuid, type) values ('${newUuid()}', 'user')`);
      await server.query(
        uri,
        `insert into identities (id, provider, principal_id) values ('${id}', 'toy', (select max(id) from principals))`,
      );
    });
  });
});
