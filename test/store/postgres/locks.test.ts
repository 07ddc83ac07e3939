/**
 * Locks on PostgreSQL while principals are disabled, identities are linked and browsers log in again. Another
 * connection holds the row, so that the order is known.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { RequestContext } from "../../../src/domain/model/entities.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { type Digest, sha256 } from "../../../src/lib/secrets.ts";
import { newUuid, type Uuid } from "../../../src/lib/uuid.ts";
import type { Postgres } from "../../support/postgres.ts";
import { onPostgres, type PostgresCases } from "../on-postgres.ts";
import { at, logIn, login, newKey, ORIGIN, opened, openFor, refresh } from "../support.ts";

const ORCID = { provider: "orcid", id: "0000-0001" };

/** A transaction of another program. */
async function transaction(t: TestContext, uri: string, ...statements: string[]): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  t.after(() => client.end());
  await client.query("begin");
  for (const statement of statements) await client.query(statement);
  return client;
}

/** Counts this database only: a backend that waits for another transaction holds locks on its tables, too. */
const WAITING = `select count(*)::int as waiting from pg_locks where not granted and pid in
  (select pid from pg_locks join pg_database on pg_database.oid = database where datname = current_database())`;

/** Waits until this number of our commands wait for a lock. */
async function waiting(client: pg.Client, count: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    // Not pg_stat_activity, which is a snapshot within a transaction.
    const { rows } = await client.query(WAITING);
    if (rows[0]?.waiting === count) return;
    assert.ok(performance.now() < deadline, `${rows[0]?.waiting} wait for a lock, not ${count}`);
    await delay(20);
  }
}

interface Person {
  readonly owner: Uuid;
  /** The session that acts, and the session that is ended. */
  readonly mine: Uuid;
  readonly theirs: Uuid;
  /** Token of the browser that opened the first session. */
  readonly token: Digest;
}

type ChangeOfOne = (store: Store, person: Person) => Promise<{ readonly kind: string }>;

const by = ({ owner, mine }: Person): RequestContext => ({
  ...ORIGIN,
  actor: owner,
  credential: { kind: "session", session: mine },
});
const fresh = (person: Person) => ({
  principal: person.owner,
  session: person.mine,
  context: by(person),
  since: at(0),
  now: at(1),
});
const endOther: ChangeOfOne = (store, person) =>
  store.sessions.revoke({ session: person.theirs, principal: person.owner, now: at(1), context: by(person) });
const endOthers: ChangeOfOne = (store, person) =>
  store.accounts.revokeOthers({
    principal: person.owner,
    keep: person.mine,
    now: at(1),
    context: by(person),
  });
const link: ChangeOfOne = (store, person) =>
  store.accounts.link({ ...fresh(person), identity: ORCID, limit: 5, code: null });
const unlink: ChangeOfOne = (store, person) =>
  store.accounts.unlink({ ...fresh(person), identity: ORCID, providers: ["toy", "orcid"] });

const CIRCLES: Readonly<Record<string, readonly [ChangeOfOne, ChangeOfOne]>> = {
  "sessions end each other": [endOther, endOther],
  "sessions end all others": [endOthers, endOthers],
  "an identity is linked": [link, endOther],
  "an identity is unlinked": [unlink, endOthers],
  "a browser logs in again": [
    async (store, { token }) =>
      (await store.browserSessions.open(sha256(token), login("a browser logs in again"), token)).outcome,
    endOthers,
  ],
};

const CASES: PostgresCases<Postgres> = {
  "a login that waits while its identity is unlinked creates a new principal": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const ann = await logIn(store, "ann");
    const change = { principal: ann.principal.uuid, session: ann.session.uuid, context: ORIGIN };
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

  "a refresh that waits while its principal is disabled is refused": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const { session } = await logIn(store, "ann");
    const other = await transaction(
      t,
      uri,
      "select id from sessions for update",
      "update sessions set time_updated = now()",
      "insert into tiled_auth_disabled_principals (principal_id, time) select id, now() from principals",
    );
    const late = store.sessions.rotate(refresh(session.uuid, 0, "t0"));
    await waiting(other, 1);
    await other.query("commit");
    assert.deepEqual(await late, { kind: "ended" });
  },

  "a login that waits while its identity moves to another principal becomes that principal's": async (
    t,
    _,
    uri,
  ) => {
    const store = await openFor(t, uri);
    const [ann, bob] = [await logIn(store, "ann"), await logIn(store, "bob")];
    const change = { principal: ann.principal.uuid, session: ann.session.uuid, context: ORIGIN };
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

  "changes of one principal's identities run one after the other": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const ann = await logIn(store, "ann");
    const change = {
      principal: ann.principal.uuid,
      session: ann.session.uuid,
      context: ORIGIN,
      since: at(0),
      now: at(1),
    };
    await store.accounts.link({ ...change, identity: ORCID, limit: 5, code: null });
    const providers = ["toy", "orcid"];
    const other = await transaction(t, uri, "select id from principals for update");
    const [second, third] = [await openFor(t, uri), await openFor(t, uri)];
    const changes = [
      store.accounts.unlink({ ...change, identity: ORCID, providers }),
      second.accounts.unlink({ ...change, identity: { provider: "toy", id: "ann" }, providers }),
      third.accounts.link({ ...change, identity: { provider: "toy", id: "b" }, limit: 5, code: null }),
    ];
    await waiting(other, 3);
    await other.query("commit");
    await Promise.all(changes);
    const left = (await store.principals.summary(ann.principal.uuid))?.identities ?? [];
    assert.ok(left.length >= 1, "one can still log in");
  },

  "an actor is disabled, or their session or key ends, while their change waits: the change is not made":
    async (t, _, uri) => {
      const store = await openFor(t, uri);
      const ann = await logIn(store, "ann", { admin: true });
      const { principal } = await logIn(store, "bob", { admin: true });
      const key = newKey(ann.principal.uuid);
      await store.apiKeys.create(key);
      const actor = ann.principal.uuid;
      const session: RequestContext = {
        ...ORIGIN,
        actor,
        credential: { kind: "session", session: ann.session.uuid },
      };
      const { firstEight } = key.key;
      const byKey: RequestContext = {
        ...ORIGIN,
        actor,
        credential: { kind: "api_key", firstEight, digest: key.digest },
      };
      const id = `(select id from principals where uuid = '${actor}')`;
      for (const [context, why, statements] of [
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
          store.apiKeys.create(newKey(principal.uuid, {}, { context })),
          store.principals.setDisabled({ principal: principal.uuid, disabled: true, now: at(1), context }),
        ];
        await waiting(other, 2);
        await other.query("commit");
        for (const outcome of await Promise.all(changes))
          assert.deepEqual(outcome, { kind: "credential_revoked", why });
      }
      assert.deepEqual((await store.principals.document(principal.uuid, at(1)))?.apiKeys, []);
      assert.equal((await store.principals.summary(principal.uuid))?.disabled, false);
    },

  "a disabled principal links nothing, however long the change waited": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const ann = await logIn(store, "ann");
    const id = `(select id from principals where uuid = '${ann.principal.uuid}')`;
    const other = await transaction(
      t,
      uri,
      `select id from principals where id = ${id} for no key update`,
      `insert into tiled_auth_disabled_principals values (${id}, now())`,
    );
    const change = { principal: ann.principal.uuid, session: ann.session.uuid, context: ORIGIN };
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

  "two admins who act on each other at once: one succeeds, and neither waits forever": async (t, _, uri) => {
    const [store, second] = [await openFor(t, uri), await openFor(t, uri)];
    const [ann, bob] = [
      await logIn(store, "ann", { admin: true }),
      await logIn(store, "bob", { admin: true }),
    ];
    await logIn(store, "cara", { admin: true });
    const by = ({ principal, session }: typeof ann): RequestContext => ({
      ...ORIGIN,
      actor: principal.uuid,
      credential: { kind: "session", session: session.uuid },
    });
    const other = await transaction(t, uri, "select id from principals for update");
    const disabling = [
      store.principals.setDisabled({
        principal: ann.principal.uuid,
        disabled: true,
        now: at(1),
        context: by(bob),
      }),
      second.principals.setDisabled({
        principal: bob.principal.uuid,
        disabled: true,
        now: at(1),
        context: by(ann),
      }),
    ];
    await waiting(other, 2);
    await other.query("commit");
    const kinds = (await Promise.all(disabling)).map(({ kind }) => kind).sort();
    assert.deepEqual(kinds, ["credential_revoked", "done"]);
  },

  "two changes of one principal, each by a session that the other ends, wait for each other once": async (
    t,
    server,
    uri,
  ) => {
    const name = new URL(uri).pathname.slice(1);
    await server.query(uri, `alter database "${name}" set deadlock_timeout = '1min'`);
    const [here, there] = [await openFor(t, uri), await openFor(t, uri)];
    for (const [index, [one, other]] of Object.entries(CIRCLES)) {
      const token = sha256(index);
      const { outcome } = await here.browserSessions.open(token, login(index), null);
      const { principal, session } = opened(outcome);
      const second = await logIn(here, index);
      const people = await transaction(t, uri, "select id from principals for update");
      const person = { owner: principal.uuid, token };
      const both = [
        one(here, { ...person, mine: session.uuid, theirs: second.session.uuid }),
        other(there, { ...person, mine: second.session.uuid, theirs: session.uuid }),
      ];
      await waiting(people, 2);
      await people.query("commit");
      const kinds = (await Promise.all(both)).map(({ kind }) => kind);
      assert.ok(kinds.length === 2 && kinds.includes("revoked"), `${index}: ${kinds}`);
    }
  },

  "a key acts while its use is being noted": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const { principal } = await logIn(store, "ann");
    const [acting, revoked] = [newKey(principal.uuid), newKey(principal.uuid)];
    for (const key of [acting, revoked]) await store.apiKeys.create(key);
    const { firstEight } = acting.key;
    await transaction(
      t,
      uri,
      `select note from api_keys where first_eight = '${firstEight}' for no key update`,
    );
    const credential = { kind: "api_key", firstEight, digest: acting.digest } as const;
    const context = { ...ORIGIN, actor: principal.uuid, credential };
    const { kind } = await store.apiKeys.revoke({
      principal: principal.uuid,
      firstEight: revoked.key.firstEight,
      now: at(1),
      context,
    });
    assert.equal(kind, "revoked");
  },

  "however many changes wait, others can read": async (t, _, uri) => {
    for (const poolSize of [2, 3, 15]) {
      const store = await openFor(t, uri, { poolSize, maxOverflow: 0 });
      const { principal } = await logIn(store, "ann");
      const people = await transaction(
        t,
        uri,
        "select id from principals for update",
        "lock table tiled_auth_failures in share mode",
      );
      const changes = Array.from({ length: 40 }, (_none, index) =>
        store.principals.setDisabled({
          principal: principal.uuid,
          disabled: index % 2 === 0,
          now: at(1),
          context: ORIGIN,
        }),
      );
      const keys = Array.from({ length: 40 }, () =>
        store.apiKeys.create(newKey(principal.uuid, {}, { context: { ...ORIGIN, actor: newUuid() } })),
      );
      const failures = Array.from({ length: 40 }, () => store.failures.count("ann", { failures: 9, per: 9 }));
      await waiting(people, poolSize - Math.ceil(poolSize / 4));
      assert.ok(await store.principals.summary(principal.uuid));
      await people.query("commit");
      await Promise.all([...changes, ...keys, ...failures]);
    }
  },

  "two removals of administrators run one after the other, and the second counts those left by the first":
    async (t, _, uri) => {
      const [store, second] = [await openFor(t, uri), await openFor(t, uri)];
      const ann = await logIn(store, "ann", { admin: true });
      const { principal } = await logIn(store, "bob", { admin: true });
      const other = await transaction(
        t,
        uri,
        "select id from roles where name = 'admin' for no key update",
        `insert into tiled_auth_disabled_principals select id, now() from principals where uuid = '${ann.principal.uuid}'`,
      );
      const late = [
        store.principals.revokeAdmin({ principal: principal.uuid, now: at(1), context: ORIGIN }),
        second.principals.setDisabled({
          principal: principal.uuid,
          disabled: true,
          now: at(1),
          context: ORIGIN,
        }),
      ];
      await waiting(other, 2);
      await other.query("commit");
      for (const outcome of await Promise.all(late)) assert.deepEqual(outcome, { kind: "last_admin" });
    },

  "two logins that replace one session wait for each other": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const token = sha256("token");
    opened((await store.browserSessions.open(token, login("ann", { limit: 1 }), null)).outcome);
    const other = await transaction(t, uri, "select id from sessions for update");
    const again = [store, await openFor(t, uri)].map((server, index) =>
      server.browserSessions.open(sha256(`${index}`), login("ann", { limit: 1, now: at(5) }), token),
    );
    await waiting(other, 2);
    await other.query("commit");
    const kinds = (await Promise.all(again)).map(({ outcome }) => outcome.kind).sort();
    assert.deepEqual(kinds, ["limit", "opened"]);
  },
};

onPostgres(CASES);
