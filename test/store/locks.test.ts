/**
 * Who waits for whom on PostgreSQL where somebody is shut out, identities are linked and browsers log in again: another
 * connection holds the row, so that the order of things is known.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { Origin } from "../../src/domain/model.ts";
import { sha256 } from "../../src/lib/secrets.ts";
import { type PrivatePostgres, startPostgresOrSkip } from "../support/postgres.ts";
import { at, logIn, login, newKey, ORIGIN, opened, openFor } from "./support.ts";

const ORCID = { provider: "orcid", id: "0000-0001" };

/** Another program's transaction. */
async function transaction(t: TestContext, uri: string, ...statements: string[]): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  t.after(() => client.end());
  await client.query("begin");
  for (const statement of statements) await client.query(statement);
  return client;
}

/** Waits until so many of our commands wait for a lock. */
async function waiting(client: pg.Client, count: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    // Not pg_stat_activity, which stands still within a transaction.
    const { rows } = await client.query("select count(*)::int as waiting from pg_locks where not granted");
    if (rows[0]?.waiting === count) return;
    assert.ok(performance.now() < deadline, `${rows[0]?.waiting} wait for a lock, not ${count}`);
    await delay(20);
  }
}

const CASES: Readonly<
  Record<string, (t: TestContext, server: PrivatePostgres, uri: string) => Promise<void>>
> = {
  "a login that waits while its identity is unlinked is one of somebody new": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const ann = await logIn(store, "ann");
    const change = { principal: ann.principal.uuid, session: ann.session.uuid, origin: ORIGIN };
    await store.accounts.link({ ...change, since: at(0), now: at(1), identity: ORCID, limit: 5, code: null });
    const other = await transaction(
      t,
      uri,
      "select id from principals for update",
      "delete from identities where provider = 'orcid'",
    );
    const late = store.sessions.open(login("x", { identity: ORCID, now: at(5) }));
    await waiting(other, 1);
    await other.query("commit");
    const { principal } = opened(await late);
    assert.notEqual(principal.uuid, ann.principal.uuid);
    assert.deepEqual(principal.identities, [ORCID]);
  },

  "a login that waits while its identity becomes somebody else's is theirs": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const [ann, bob] = [await logIn(store, "ann"), await logIn(store, "bob")];
    const change = { principal: ann.principal.uuid, session: ann.session.uuid, origin: ORIGIN };
    await store.accounts.link({ ...change, since: at(0), now: at(1), identity: ORCID, limit: 5, code: null });
    const other = await transaction(
      t,
      uri,
      "select id from principals for update",
      `update identities set principal_id = (select id from principals where uuid = '${bob.principal.uuid}') where provider = 'orcid'`,
    );
    const late = store.sessions.open(login("x", { identity: ORCID, now: at(5) }));
    await waiting(other, 1);
    await other.query("commit");
    assert.equal(opened(await late).principal.uuid, bob.principal.uuid);
  },

  "changes of one person's identities come one after the other": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const ann = await logIn(store, "ann");
    const change = {
      principal: ann.principal.uuid,
      session: ann.session.uuid,
      origin: ORIGIN,
      since: at(0),
      now: at(1),
    };
    await store.accounts.link({ ...change, identity: ORCID, limit: 5, code: null });
    const providers = ["toy", "orcid"];
    const other = await transaction(t, uri, "select id from principals for update");
    const changes = [
      store.accounts.unlink({ ...change, identity: ORCID, providers }),
      store.accounts.unlink({ ...change, identity: { provider: "toy", id: "ann" }, providers }),
      store.accounts.link({ ...change, identity: { provider: "toy", id: "b" }, limit: 5, code: null }),
    ];
    await waiting(other, 3);
    await other.query("commit");
    await Promise.all(changes);
    const left = (await store.principals.summary(ann.principal.uuid))?.identities ?? [];
    assert.ok(left.length >= 1, "somebody can still log in");
  },

  "somebody is disabled, or their session or key ends, while their change waits: it is not made": async (
    t,
    _,
    uri,
  ) => {
    const store = await openFor(t, uri);
    const ann = await logIn(store, "ann", { admin: true });
    const { principal } = await logIn(store, "bob", { admin: true });
    const key = newKey(ann.principal.uuid);
    await store.apiKeys.create(key);
    const actor = ann.principal.uuid;
    const session: Origin = { ...ORIGIN, actor, credential: { kind: "session", session: ann.session.uuid } };
    const { firstEight } = key.key;
    const byKey: Origin = {
      ...ORIGIN,
      actor,
      credential: { kind: "api_key", firstEight, digest: key.digest },
    };
    const id = `(select id from principals where uuid = '${actor}')`;
    for (const [origin, why, statements] of [
      [session, "credential", ["update sessions set revoked = true"]],
      [byKey, "credential", [`delete from api_keys where first_eight = '${firstEight}'`]],
      [
        { ...ORIGIN, actor, credential: { kind: "token" } } as const,
        "principal",
        [
          `select id from principals where id = ${id} for no key update`,
          `insert into tiled_auth_disabled_principals values (${id}, now())`,
        ],
      ],
    ] as const) {
      const other = await transaction(t, uri, ...statements);
      const changes = [
        store.apiKeys.create(newKey(principal.uuid, {}, { origin })),
        store.principals.setDisabled(principal.uuid, true, at(1), origin),
      ];
      await waiting(other, 2);
      await other.query("commit");
      for (const outcome of await Promise.all(changes)) assert.deepEqual(outcome, { kind: "shut_out", why });
    }
    assert.deepEqual((await store.principals.document(principal.uuid, at(1)))?.apiKeys, []);
    assert.equal((await store.principals.summary(principal.uuid))?.disabled, false);
  },

  "whoever is disabled links nothing any more, however long the change waited": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const ann = await logIn(store, "ann");
    const id = `(select id from principals where uuid = '${ann.principal.uuid}')`;
    const other = await transaction(
      t,
      uri,
      `select id from principals where id = ${id} for no key update`,
      `insert into tiled_auth_disabled_principals values (${id}, now())`,
    );
    const change = { principal: ann.principal.uuid, session: ann.session.uuid, origin: ORIGIN };
    const linked = store.accounts.link({
      ...change,
      since: at(0),
      now: at(1),
      identity: ORCID,
      limit: 5,
      code: null,
    });
    await waiting(other, 1);
    await other.query("commit");
    assert.deepEqual(await linked, { kind: "stale" });
  },

  "two admins who act on each other at once: one of them, and nobody waits for ever": async (t, _, uri) => {
    const [store, second] = [await openFor(t, uri), await openFor(t, uri)];
    const [ann, bob] = [
      await logIn(store, "ann", { admin: true }),
      await logIn(store, "bob", { admin: true }),
    ];
    await logIn(store, "cara", { admin: true });
    const by = ({ principal, session }: typeof ann): Origin => ({
      ...ORIGIN,
      actor: principal.uuid,
      credential: { kind: "session", session: session.uuid },
    });
    const other = await transaction(t, uri, "select id from principals for update");
    const disabling = [
      store.principals.setDisabled(ann.principal.uuid, true, at(1), by(bob)),
      second.principals.setDisabled(bob.principal.uuid, true, at(1), by(ann)),
    ];
    await waiting(other, 2);
    await other.query("commit");
    const kinds = (await Promise.all(disabling)).map(({ kind }) => kind).sort();
    assert.deepEqual(kinds, ["done", "shut_out"]);
  },

  "two that replace one session wait for each other": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const token = sha256("token");
    opened((await store.browserSessions.open(token, login("ann", { limit: 1 }), null)).outcome);
    const other = await transaction(t, uri, "select id from sessions for update");
    const again = ["a", "b"].map((name) =>
      store.browserSessions.open(sha256(name), login("ann", { limit: 1, now: at(5) }), token),
    );
    await waiting(other, 2);
    await other.query("commit");
    const kinds = (await Promise.all(again)).map(({ outcome }) => outcome.kind).sort();
    assert.deepEqual(kinds, ["limit", "opened"]);
  },
};

test("PostgreSQL", async (t) => {
  const server = await startPostgresOrSkip(t);
  if (server === undefined) return;
  t.after(() => server.remove());
  for (const [name, run] of Object.entries(CASES)) {
    await t.test(name, async (inner) => run(inner, server, await server.createDatabase()));
  }
});
