/**
 * Specific to PostgreSQL: server restarts, lost connections, several servers on one database.
 */
import assert from "node:assert/strict";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import pg from "pg";
import { LoginThrottle } from "../../../src/domain/throttling/throttle.ts";
import { Failure } from "../../../src/errors.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";
import { openStore } from "../../../src/store/open.ts";
import { onPrivatePostgres, type PostgresCases } from "../on-postgres.ts";
import {
  at,
  logIn,
  login,
  NOW,
  newKey,
  openFor,
  refresh,
  STRICTER,
  storeOptions,
  strictDatabase,
} from "../support.ts";

const CASES: PostgresCases = {
  "a restart under load: no acknowledged write is lost, the only error is unavailable, and the store recovers":
    async (t, server, uri) => {
      const store = await openFor(t, uri, { poolSize: 4, maxOverflow: 4 });
      const { principal } = await logIn(store, "ann");
      const acknowledged: Uuid[] = [];
      let [refused, stop] = [0, false];
      const attempt = async (work: () => Promise<unknown>) => {
        try {
          await work();
        } catch (error) {
          assert.ok(error instanceof Failure && error.code === "store_unavailable", String(error));
          refused++;
          await delay(20);
        }
      };
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        while (!stop) {
          await attempt(async () =>
            acknowledged.push((await logIn(store, `writer${writer}`, { limit: 1e6 })).session.uuid),
          );
          await attempt(() => store.principals.summary(principal.uuid));
          await attempt(() => store.failures.count(`writer${writer}`, { failures: 1e6, per: 300 }));
        }
      });
      try {
        await delay(300);
        for (const _ of [1, 2]) {
          await server.halt();
          await delay(200);
          await server.start();
          await delay(300);
        }
      } finally {
        stop = true;
      }
      await Promise.all(writers);
      const before = acknowledged.length;
      await logIn(store, "after");
      await store.maintenance.ping();
      assert.ok(refused > 0 && before > 20, `${refused} refused, ${before} acknowledged`);
      for (const uuid of acknowledged) assert.ok(await store.sessions.status(uuid), uuid);
    },

  "connections that end while idle leave one line in the log": async (t, server, uri) => {
    const lines: string[] = [];
    const store = await openFor(t, uri, { log: (_, message) => lines.push(message) });
    const logins = await Promise.all(Array.from({ length: 10 }, (_, index) => logIn(store, `user${index}`)));
    await server.query(
      uri,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tiled-auth'",
    );
    // No pause: the connections may be used before their end is noticed.
    for (const { principal, session } of logins) {
      assert.ok(await store.principals.summary(principal.uuid));
      assert.equal((await store.sessions.rotate(refresh(session.uuid, 0, "t"))).kind, "refreshed");
    }
    assert.ok(
      lines.some((line) => line.includes("lost while idle")),
      lines.join("\n"),
    );
  },

  "more callers than connections wait for their turn": async (t, _server, uri) => {
    const store = await openFor(t, uri, { poolSize: 2, maxOverflow: 0, poolPrePing: true });
    await Promise.all(Array.from({ length: 60 }, (_, index) => logIn(store, `user${index % 7}`)));
    assert.equal((await store.principals.list({ offset: 0, limit: 100 }, NOW)).length, 7);
  },

  "many refreshes of one session, or keys of one owner, do not use up the connections": async (
    t,
    _server,
    uri,
  ) => {
    const store = await openFor(t, uri, { poolSize: 4, maxOverflow: 0 });
    const [ann, bob] = [await logIn(store, "ann"), await logIn(store, "bob")];
    let answered = 0;
    const flood = Array.from({ length: 300 }, async (_, index) => {
      if (index % 2 === 0) await store.sessions.rotate(refresh(ann.session.uuid, 0, "t"));
      else await store.apiKeys.create(newKey(ann.principal.uuid, {}, { limit: 1000 }));
      answered++;
    });
    assert.equal((await store.sessions.rotate(refresh(bob.session.uuid, 0, "t"))).kind, "refreshed");
    assert.ok(answered < 150, `${answered} were answered before`);
    await Promise.all(flood);
    assert.equal((await store.principals.document(ann.principal.uuid, NOW))?.apiKeys.length, 150);
  },

  "without a free connection the database is busy, not unavailable": async (t, _server, uri) => {
    const store = await openFor(t, uri, { poolSize: 1, maxOverflow: 0 });
    const { principal } = await logIn(store, "ann");
    const other = new pg.Client({ connectionString: uri });
    await other.connect();
    await other.query("begin; lock table sessions in access exclusive mode");
    const waiting = logIn(store, "bob");
    const busy = (error: unknown) => error instanceof Failure && error.code === "store_busy";
    await assert.rejects(store.principals.summary(principal.uuid), busy);
    await other.query("rollback");
    await other.end();
    await waiting;
    assert.ok(await store.principals.summary(principal.uuid));
  },

  "a flood of unknown keys, browsers and device codes does not use up the connections": async (
    t,
    _server,
    uri,
  ) => {
    const store = await openFor(t, uri, { poolSize: 7, maxOverflow: 0 });
    const { principal } = await logIn(store, "ann");
    let answered = 0;
    const flood = Array.from({ length: 4000 }, async (_, index) => {
      const digest = sha256(`nobody's ${index}`);
      if (index % 3 === 0) await store.apiKeys.find(digest.slice(0, 8), digest);
      else if (index % 3 === 1) await store.browserSessions.find(digest);
      else await store.deviceLogins.byDeviceCode(digest);
      answered++;
    });
    assert.equal((await store.principals.summary(principal.uuid))?.uuid, principal.uuid);
    assert.ok(answered < 3500, `${answered} were answered before`);
    await Promise.all(flood);
  },

  "the limits hold for several servers together": async (t, _server, uri) => {
    const stores = [await openFor(t, uri), await openFor(t, uri)];
    const [first] = await Promise.all(stores.map((store) => logIn(store, "ann", { limit: 1000 })));
    const outcomes = await Promise.all(
      stores.flatMap((store) =>
        Array.from({ length: 10 }, () => store.sessions.open(login("ann", { limit: 7 }))),
      ),
    );
    assert.equal(outcomes.filter(({ kind }) => kind === "opened").length, 5);
    const uuid = first?.principal.uuid ?? ("" as Uuid);
    const keys = await Promise.all(
      stores.flatMap((store) =>
        Array.from({ length: 10 }, () => store.apiKeys.create(newKey(uuid, {}, { limit: 5 }))),
      ),
    );
    assert.equal(keys.filter(({ kind }) => kind === "created").length, 5);
    const counted = await Promise.all(
      stores.flatMap((store) =>
        Array.from({ length: 10 }, () => store.failures.count("ann", { failures: 5, per: 300 })),
      ),
    );
    assert.equal(counted.filter((wait) => wait === 0).length, 5);
    for (const store of stores)
      assert.ok((await store.failures.blocked("ann", { failures: 5, per: 300 })) > 0);
  },

  "with stricter default isolation, servers start at once and share their counters all the same": async (
    _t,
    server,
  ) => {
    for (const level of STRICTER) {
      const uri = await strictDatabase(server, level);
      const stores = await Promise.all(
        Array.from({ length: 5 }, () => openStore(storeOptions(uri, { poolSize: 4, maxOverflow: 0 }))),
      );
      const limit = { failures: 5, per: 300 };
      const counted = await Promise.all(
        stores.flatMap(({ failures }) => Array.from({ length: 10 }, () => failures.count("ann", limit))),
      );
      assert.equal(counted.filter((wait) => wait === 0).length, 5);
      await Promise.all(stores.map((store) => logIn(store, "ann")));
      await Promise.all(stores.map((store) => store.close()));
    }
  },

  "the end of a session at one server is known to the other": async (t, _server, uri) => {
    const [one, other] = [await openFor(t, uri), await openFor(t, uri)];
    const { principal, session } = await logIn(one, "ann");
    await one.sessions.revoke({
      session: session.uuid,
      principal: null,
      now: NOW,
      context: { address: null, requestId: null, actor: null },
    });
    assert.equal((await other.sessions.status(session.uuid))?.revoked, true);
    await other.principals.setDisabled({
      principal: principal.uuid,
      disabled: true,
      now: NOW,
      context: {
        address: null,
        requestId: null,
        actor: null,
      },
    });
    assert.equal((await one.principals.summary(principal.uuid))?.disabled, true);
  },

  "one server at a time purges": async (t, _server, uri) => {
    const store = await openFor(t, uri);
    await logIn(store, "ann", { expirationTime: at(1) });
    const client = new pg.Client({ connectionString: uri });
    await client.connect();
    t.after(() => client.end());
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock(7446381209553001)");
    const purge = () => store.maintenance.purge({ now: at(2), batch: 10, auditBefore: null });
    assert.deepEqual(await purge(), {
      sessions: 0,
      pendingSessions: 0,
      apiKeys: 0,
      auditRows: 0,
      more: false,
      busy: true,
    });
    await client.query("commit");
    assert.equal((await purge()).sessions, 1);
  },

  "counters hold no name in clear and are purged once expired": async (t, server, uri) => {
    const store = await openFor(t, uri);
    await store.failures.count("ann 192.0.2.7", { failures: 3, per: 300 });
    const rows = await server.query(uri, "select key, points from tiled_auth_failures");
    assert.equal(rows.length, 1);
    assert.match(String(rows[0]?.["key"]), /[0-9a-f]{64}$/);
    assert.doesNotMatch(JSON.stringify(rows), /ann|192\.0/);
    await store.maintenance.purge({ now: new Date(), batch: 10, auditBefore: null });
    assert.equal((await server.query(uri, "select * from tiled_auth_failures")).length, 1);
    await store.maintenance.purge({ now: new Date(Date.now() + 301_000), batch: 10, auditBefore: null });
    assert.equal((await server.query(uri, "select * from tiled_auth_failures")).length, 0);
  },

  "a flood from one address adds no rows": async (t, server, uri) => {
    const { failures } = await openFor(t, uri);
    const throttle = new LoginThrottle(failures, {
      account: { failures: 3, per: 300 },
      address: { failures: 1, per: 300 },
    });
    for (const round of [1, 2]) {
      const names = Array.from({ length: 80 }, (_, index) => `user${round}.${index}`);
      await Promise.all(names.map((name) => throttle.attempt(name, "192.0.2.7", async () => null)));
      // One for each of fifty names, and two for the address.
      assert.equal((await server.query(uri, "select * from tiled_auth_failures")).length, 52);
    }
  },

  "times and lists are written as the real Tiled writes them": async (t, server, uri) => {
    const store = await openFor(t, uri);
    const { principal } = await logIn(store, "ann", { now: new Date("2026-12-01T12:00:00.123Z") });
    await store.apiKeys.create(newKey(principal.uuid, { accessTags: ["é"], scopes: ["a", "b"] }));
    const [row] = await server.query(
      uri,
      "select scopes, access_tags, time_created, time_updated, latest_activity from api_keys",
    );
    assert.deepEqual(row, {
      scopes: '["a", "b"]',
      access_tags: '["\\u00e9"]',
      time_created: NOW,
      time_updated: null,
      latest_activity: null,
    });
    const [session] = await server.query(
      uri,
      "select refresh_count, revoked, time_created, time_updated from sessions",
    );
    assert.deepEqual(session, {
      refresh_count: 0,
      revoked: false,
      time_created: new Date("2026-12-01T12:00:00.123Z"),
      time_updated: null,
    });
  },

  "a dropped schema is reported as unavailable, not as a bug": async (t, server, uri) => {
    const store = await openFor(t, uri);
    await server.query(uri, "drop schema public cascade; create schema public");
    const unavailable = (error: unknown) => error instanceof Failure && error.code === "store_unavailable";
    await assert.rejects(store.maintenance.ping(), unavailable);
    await assert.rejects(logIn(store, "ann"), unavailable);
    await assert.rejects(store.failures.count("ann", { failures: 1, per: 1 }), unavailable);
  },

  "close waits for earlier commands, and refuses later ones": async (_t, server, uri) => {
    const store = await openStore(storeOptions(uri, { poolSize: 2, maxOverflow: 0 }));
    const asked = Array.from({ length: 10 }, (_, index) => logIn(store, `user${index}`));
    const counted = Array.from({ length: 10 }, () =>
      store.failures.count("ann", { failures: 100, per: 300 }),
    );
    await nextTurn();
    const closed = store.close();
    const unavailable = (error: unknown) => error instanceof Failure && error.code === "store_unavailable";
    await assert.rejects(logIn(store, "late"), unavailable);
    await Promise.all([...asked, ...counted, closed]);
    await store.close();
    await assert.rejects(store.failures.count("ann", { failures: 100, per: 300 }), unavailable);
    const [row] = await server.query(uri, "select count(*)::int as n from sessions");
    assert.equal(row?.["n"], 10);
  },
};

onPrivatePostgres(CASES);
