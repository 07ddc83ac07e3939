/**
 * What a PostgreSQL store with `exclusive_writer` knows of changes: nothing is read again while nothing changes, another
 * server's revocations are seen at once, and within half a second if their notifications are lost.
 */
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer, connect as open, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import pg from "pg";
import { PrincipalCache } from "../../../src/domain/callers/principal-cache.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";
import { ManualClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { plainIni, startPgBouncer, withoutPgBouncer } from "../../support/pgbouncer.ts";
import { postgresOrSkip, privatePostgresOrSkip } from "../../support/postgres.ts";
import { onPrivatePostgres, type PostgresCases } from "../on-postgres.ts";
import { at, logIn, NOW, newKey, ORIGIN, openFor, refresh } from "../support.ts";

const REVOKE = "update sessions set revoked = true";

/** A server, and requests that arrive at it. */
async function server(t: TestContext, uri: string, exclusiveWriter = true) {
  const clock = new ManualClock(NOW);
  const lines: string[] = [];
  const log = (_: string, line: string) => {
    if (/notification/i.test(line)) lines.push(line);
  };
  const store = await openFor(t, uri, { clock, exclusiveWriter, log });
  const cache = new PrincipalCache(store, clock);
  const reads = t.mock.method(store.sessions, "status");
  /** Time goes by while requests arrive, until the listening connection has answered for the last moment. */
  const pass = async (seconds: number) => {
    clock.advance(seconds);
    const { era } = store.changes;
    while (store.changes.toldUntil(clock.now()) !== clock.now()) {
      assert.equal(store.changes.era, era, "the connection was lost");
      await turn();
    }
  };
  /** Until notifications arrive. */
  const hears = async () => {
    const told = await eventually(20, async () => {
      if (clock.now() - store.changes.toldUntil(clock.now()) < 300) return true;
      clock.advance(0.25);
      return false;
    });
    assert.ok(told, lines.join("\n"));
  };
  const isRevoked = async (session: Uuid) => (await cache.session(session))?.revoked;
  return { clock, store, cache, lines, pass, hears, isRevoked, reads: () => reads.mock.callCount() };
}

/** A person who is logged in at one server and known to another. */
async function two(t: TestContext, uri: string, otherUri = uri) {
  const one = await server(t, uri);
  const other = await server(t, otherUri);
  await one.hears();
  await other.hears();
  const { principal, session } = await logIn(one.store, "ann");
  await other.pass(1);
  assert.equal(await other.isRevoked(session.uuid), false);
  await other.pass(60);
  assert.equal(await other.isRevoked(session.uuid), false);
  assert.equal(other.reads(), 1);
  return { one, other, principal, session: session.uuid };
}

const revoke = (store: Store, session: Uuid) =>
  store.sessions.revoke({ session, principal: null, now: at(1), context: ORIGIN });

/** The payloads that reach a client which is no server. */
async function overheard(t: TestContext, uri: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  t.after(() => client.end());
  const heard: string[] = [];
  client.on("notification", ({ payload }) => heard.push(payload ?? ""));
  await client.query("listen tiled_auth");
  return heard;
}

/**
 * Passes connections on: to another port from `lead` on, and from `swallow` on nothing that the database sends on a connection
 * that listens.
 */
async function network(t: TestContext, uri: string) {
  const listening = new Set<Socket>();
  const all = new Set<Socket>();
  let isSwallowing = false;
  let port = Number(new URL(uri).port);
  const proxy = createServer((client) => {
    const database = open(port, "127.0.0.1");
    for (const socket of [client, database]) {
      all.add(socket);
      socket.on("error", () => {});
    }
    client.on("data", (data) => {
      if (data.includes("listen tiled_auth")) listening.add(client);
      database.write(data);
    });
    database.on("data", (data) => {
      if (!isSwallowing || !listening.has(client)) client.write(data);
    });
    client.on("close", () => database.destroy());
    database.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of all) socket.destroy();
    proxy.close();
  });
  return {
    uri: uri.replace(/:\d+\//, `:${(proxy.address() as AddressInfo).port}/`),
    lead: (to: number) => {
      port = to;
    },
    swallow: (now: boolean) => {
      isSwallowing = now;
    },
  };
}

const CASES: PostgresCases = {
  "while nothing changes, a session is read once, whatever other people do": async (t, _, uri) => {
    const { one, other, session } = await two(t, uri);
    const before = other.reads();
    for (let round = 0; round < 10; round++) {
      await logIn(one.store, `person ${round}`);
      await logIn(other.store, `another ${round}`);
      await other.pass(1);
      assert.equal(await other.isRevoked(session), false);
    }
    assert.equal(other.reads(), before);
  },

  "what one server revokes is refused by another at once": async (t, _, uri) => {
    const { one, other, session } = await two(t, uri);
    const told = new Promise((resolve) => other.store.changes.listen(resolve));
    await revoke(one.store, session);
    await told;
    assert.equal(await other.isRevoked(session), true);
  },

  "an answered question comes after the notification of every commit before it": async (t, _, uri) => {
    const { one, other, principal } = await two(t, uri);
    const heard: unknown[] = [];
    other.store.changes.listen(({ principal: changed }) => heard.push(changed));
    for (let round = 1; round <= 50; round++) {
      await one.store.apiKeys.create(newKey(principal.uuid, {}, { limit: 1000 }));
      await other.pass(0.25);
      assert.equal(heard.length, round);
    }
  },

  "a change of a server's own is told once, and drops nothing a second time": async (t, _, uri) => {
    const { one, principal } = await two(t, uri);
    const heard: unknown[] = [];
    one.store.changes.listen((change) => heard.push(change));
    for (let round = 1; round <= 20; round++) {
      await one.store.apiKeys.create(newKey(principal.uuid));
      assert.equal(heard.length, round);
      await one.pass(0.25);
      assert.equal(heard.length, round);
    }
  },

  "a command that changes nothing is told to no other server": async (t, _, uri) => {
    const { one, principal } = await two(t, uri);
    const heard = await overheard(t, uri);
    await revoke(one.store, "00000000-0000-4000-8000-000000000000" as Uuid);
    await one.store.apiKeys.create(newKey(principal.uuid));
    assert.ok(await eventually(5, async () => heard.length > 0));
    assert.equal(heard.length, 1);
  },

  "a refresh is told to other servers only where there are any": async (t, _, uri) => {
    const one = await server(t, uri);
    await one.hears();
    const { session } = await logIn(one.store, "ann");
    const heard = await overheard(t, uri);
    const rotate = async (generation: number) => {
      const outcome = await one.store.sessions.rotate(refresh(session.uuid, generation, `t${generation}`));
      assert.equal(outcome.kind, "refreshed");
    };
    await one.pass(0.25);
    await rotate(0);
    const other = await server(t, uri);
    await other.hears();
    assert.deepEqual(heard.length, 1, heard.join());
    await one.pass(0.25);
    await rotate(1);
    assert.ok(await eventually(5, async () => heard.length === 2));
    assert.match(heard[1] ?? "", / d/);
    await other.store.close();
    await one.pass(10);
    await rotate(2);
    await one.store.apiKeys.create(
      newKey((await one.store.sessions.status(session.uuid))?.principal as Uuid),
    );
    assert.ok(await eventually(5, async () => heard.length === 3));
  },

  "the command line's revocations are told as well, and those of a server that does not listen": async (
    t,
    _,
    uri,
  ) => {
    const { other, session } = await two(t, uri);
    const told = new Promise((resolve) => other.store.changes.listen(resolve));
    await revoke((await server(t, uri, false)).store, session);
    await told;
    assert.equal(await other.isRevoked(session), true);
  },

  "after the listening connection was ended, a revocation is seen within half a second": async (
    t,
    postgres,
    uri,
  ) => {
    const { other, session } = await two(t, uri);
    const { era } = other.store.changes;
    await postgres.query(
      uri,
      "select pg_terminate_backend(pid) from pg_stat_activity where query like 'select exists%' and pid <> pg_backend_pid() and datname = current_database()",
    );
    assert.ok(await eventually(5, async () => other.store.changes.era > era));
    await postgres.query(uri, REVOKE);
    other.clock.advance(0.5);
    assert.equal(await other.isRevoked(session), true);
    await other.hears();
    assert.equal(other.lines.length, 2, other.lines.join("\n"));
    assert.match(other.lines[0] ?? "", /do not arrive \(.+\)/);
    assert.match(other.lines[1] ?? "", /arrive again/);
    const before = other.reads();
    for (let round = 0; round < 5; round++) {
      await other.pass(1);
      assert.equal(await other.isRevoked(session), true);
    }
    assert.equal(other.reads(), before + 1);
  },

  "if the network swallows what the database sends, a revocation is seen within half a second": async (
    t,
    _,
    uri,
  ) => {
    const between = await network(t, uri);
    const { one, other, session } = await two(t, uri, between.uri);
    between.swallow(true);
    await revoke(one.store, session);
    for (const seconds of [0.25, 0.25]) {
      other.clock.advance(seconds);
      other.store.changes.toldUntil(other.clock.now());
    }
    assert.equal(await other.isRevoked(session), true);
    // The silent connection is given up, and another one is made once the network is well.
    assert.ok(await eventually(10, async () => other.lines.length === 1));
    between.swallow(false);
    await other.hears();
    assert.match(other.lines.join("\n"), /arrive again/);
  },

  "a connection that something else stopped from listening is not trusted": async (t, _, uri) => {
    const { other, session } = await two(t, uri);
    const query = t.mock.method(pg.Client.prototype, "query");
    await other.pass(0.25);
    const client = query.mock.calls
      .filter(({ arguments: [asked] }) => /select exists/.test((asked as { text?: string })?.text ?? ""))
      .at(-1)?.this as pg.Client;
    query.mock.restore();
    const { era } = other.store.changes;
    await client.query("discard all");
    other.clock.advance(0.25);
    other.store.changes.toldUntil(other.clock.now());
    assert.ok(await eventually(5, async () => other.store.changes.era > era));
    assert.equal(await other.isRevoked(session), false);
  },

  "after a restart of PostgreSQL, a revocation is seen within half a second": async (t, postgres, uri) => {
    const { other, session } = await two(t, uri);
    await postgres.halt();
    await postgres.start();
    await postgres.query(uri, REVOKE);
    other.clock.advance(0.5);
    assert.equal(await other.isRevoked(session), true);
  },

  "a pool that reaches another PostgreSQL is not told of changes there, so nothing is trusted": async (
    t,
    postgres,
    uri,
  ) => {
    const second = await privatePostgresOrSkip(t);
    if (second === undefined) return;
    const name = new URL(uri).pathname.slice(1);
    await second.query(second.uri("postgres"), `create database ${name}`);
    await openFor(t, second.uri(name));
    const between = await network(t, uri);
    const s = await server(t, between.uri);
    await s.hears();
    const { session } = await logIn(s.store, "ann");
    await s.pass(0.25);
    assert.equal(await s.isRevoked(session.uuid), false);
    between.lead(second.port);
    await postgres.query(
      uri,
      "select pg_terminate_backend(pid) from pg_stat_activity where query not like 'select exists%' and pid <> pg_backend_pid() and datname = current_database()",
    );
    await s.pass(0.25);
    const { era } = s.store.changes;
    await s.store.principals.roles();
    assert.ok(s.store.changes.era > era);
    s.clock.advance(0.25);
    assert.equal(await s.isRevoked(session.uuid), undefined);
  },

  "without exclusive_writer, every fact is read again after half a second": async (t, _, uri) => {
    const s = await server(t, uri, false);
    const { session } = await logIn(s.store, "ann");
    for (let round = 1; round <= 3; round++) {
      assert.equal(await s.isRevoked(session.uuid), false);
      assert.equal(s.reads(), round);
      s.clock.advance(0.5);
    }
    assert.equal(s.store.changes.toldUntil(s.clock.now()), Number.NEGATIVE_INFINITY);
  },
};

onPrivatePostgres(CASES);

for (const mode of ["transaction", "session"] as const)
  test(`behind PgBouncer's ${mode} pooling, which is logged once, facts live half a second`, {
    timeout: 60_000,
    skip: withoutPgBouncer(),
  }, async (t) => {
    const postgres = await postgresOrSkip(t);
    if (postgres === undefined) return;
    const direct = await postgres.createDatabase();
    const port = await startPgBouncer(t.after.bind(t), postgres, plainIni(postgres, mode));
    const s = await server(t, direct.replace(/:\d+\//, `:${port}/`));
    const { session } = await logIn(s.store, "ann");
    assert.equal(await s.isRevoked(session.uuid), false);
    s.store.changes.toldUntil(s.clock.now());
    assert.ok(await eventually(10, async () => s.lines.length > 0));
    s.clock.advance(60);
    s.store.changes.toldUntil(s.clock.now());
    await postgres.query(direct, REVOKE);
    s.clock.advance(0.5);
    assert.equal(await s.isRevoked(session.uuid), true);
    assert.equal(s.lines.length, 1);
    assert.match(s.lines[0] ?? "", /no effect behind a pooler/);
  });
