/**
 * What a SQLite store knows of changes: nothing is read again while nothing changes, and what another program has committed is
 * seen within half a second, by whatever way it came into the file.
 */
import assert from "node:assert/strict";
import { copyFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { PrincipalCache } from "../../../src/domain/callers/principal-cache.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { ManualClock } from "../../support/clock.ts";
import { at, folderFor, logIn, NOW, ORIGIN, openFor } from "../support.ts";

/** A server with a logged-in person, and the ways to change its file from outside. */
async function server(t: TestContext, path = join(folderFor(t), "a.db")) {
  const clock = new ManualClock(NOW);
  const store = await openFor(t, `sqlite:///${path}?timeout=60`, { clock });
  const cache = new PrincipalCache(store, clock);
  const reads = t.mock.method(store.sessions, "status");
  /** Lets time go by while requests arrive, until the writer has answered for the last moment. */
  const pass = async (seconds: number) => {
    clock.advance(seconds);
    while (store.changes.toldUntil(clock.now()) !== clock.now()) await turn();
  };
  return { path, clock, store, cache, pass, reads: () => reads.mock.callCount() };
}

async function loggedIn(t: TestContext) {
  const at = await server(t);
  const { principal, session } = await logIn(at.store, "ann");
  await at.pass(1);
  assert.equal((await at.cache.session(session.uuid))?.revoked, false);
  return { ...at, principal, session };
}

const revoke = (store: Store, session: Awaited<ReturnType<typeof loggedIn>>["session"]) =>
  store.sessions.revoke({ session: session.uuid, principal: null, now: at(1), context: ORIGIN });

/** As a program that knows nothing of this server. */
function foreign(path: string, sql: string): void {
  const database = new Sqlite(path);
  database.exec(sql);
  database.close();
}

const REVOKE = "update sessions set revoked = 1";

test("while nothing changes, a session is read once, whatever other people do", async (t) => {
  const s = await loggedIn(t);
  const before = s.reads();
  for (let round = 0; round < 20; round++) {
    await logIn(s.store, `person ${round}`);
    await s.store.maintenance.ping();
    await s.pass(1);
    assert.equal((await s.cache.session(s.session.uuid))?.revoked, false);
  }
  assert.equal(s.reads(), before);
});

test("what this store revokes is refused at once, without being reported", async (t) => {
  const s = await loggedIn(t);
  await revoke(s.store, s.session);
  assert.equal((await s.cache.session(s.session.uuid))?.revoked, true);
});

test("what another program revokes is seen half a second later", async (t) => {
  const s = await loggedIn(t);
  await s.pass(10);
  foreign(s.path, REVOKE);
  s.clock.advance(0.5);
  assert.equal((await s.cache.session(s.session.uuid))?.revoked, true);
});

test("and once the writer was asked, though requests have kept arriving", async (t) => {
  const s = await loggedIn(t);
  await s.pass(10);
  foreign(s.path, REVOKE);
  await s.pass(0.3);
  assert.equal((await s.cache.session(s.session.uuid))?.revoked, true);
});

test("two servers on one file see what the other one does", async (t) => {
  const one = await loggedIn(t);
  const other = await server(t, one.path);
  await other.pass(1);
  assert.equal((await other.cache.session(one.session.uuid))?.revoked, false);
  await revoke(other.store, one.session);
  assert.equal((await other.cache.session(one.session.uuid))?.revoked, true);
  await one.pass(0.5);
  assert.equal((await one.cache.session(one.session.uuid))?.revoked, true);
});

test("between writes of this server, a foreign one is not missed", async (t) => {
  const s = await loggedIn(t);
  await logIn(s.store, "bob");
  foreign(s.path, REVOKE);
  await logIn(s.store, "cara");
  await s.pass(0.5);
  assert.equal((await s.cache.session(s.session.uuid))?.revoked, true);
});

test("a file that replaces the database is read from then on", async (t) => {
  const s = await loggedIn(t);
  const backup = `${s.path}.backup`;
  foreign(s.path, "pragma wal_checkpoint(truncate)");
  copyFileSync(s.path, backup);
  foreign(backup, REVOKE);
  await s.pass(10);
  // The reader looks for the file once a second, and has just done so.
  await s.store.sessions.status(s.session.uuid);
  renameSync(backup, s.path);
  await s.pass(0.3);
  assert.equal((await s.cache.session(s.session.uuid))?.revoked, true);
  const before = s.reads();
  await s.pass(2);
  assert.equal((await s.cache.session(s.session.uuid))?.revoked, true);
  foreign(s.path, "update sessions set revoked = 0");
  await s.pass(0.5);
  assert.equal((await s.cache.session(s.session.uuid))?.revoked, false);
  assert.ok(s.reads() > before);
});

test("a vacuum and a checkpoint by another program lose nothing", async (t) => {
  const s = await loggedIn(t);
  for (const sql of ["vacuum", "pragma wal_checkpoint(truncate)", REVOKE, "vacuum"]) foreign(s.path, sql);
  await s.pass(0.5);
  assert.equal((await s.cache.session(s.session.uuid))?.revoked, true);
});

test("while the writer waits for another program's lock, entries live half a second", async (t) => {
  const s = await loggedIn(t);
  const other = new Sqlite(s.path);
  other.exec("begin immediate");
  const waiting = logIn(s.store, "bob");
  await turn();
  await turn();
  const before = s.reads();
  for (let round = 0; round < 3; round++) {
    s.clock.advance(0.5);
    assert.equal((await s.cache.session(s.session.uuid))?.revoked, false);
  }
  assert.equal(s.reads(), before + 3);
  other.exec(REVOKE);
  other.exec("commit");
  other.close();
  s.clock.advance(0.5);
  assert.equal((await s.cache.session(s.session.uuid))?.revoked, true);
  await waiting;
});

test("what whoami shows is made again when a session in it expires, and when its person logs in", async (t) => {
  const s = await loggedIn(t);
  let made = 0;
  const views = s.cache.views(
    ({ sessions }) => {
      made += 1;
      return sessions.length;
    },
    () => 8,
  );
  const { uuid } = s.principal;
  assert.equal(await views.get(uuid), 1);
  await s.pass(60);
  assert.equal(await views.get(uuid), 1);
  assert.equal(made, 1);
  await logIn(s.store, "ann", { expirationTime: at(120) });
  assert.equal(await views.get(uuid), 2);
  await s.pass(58);
  assert.equal(await views.get(uuid), 2);
  await s.pass(1);
  assert.equal(await views.get(uuid), 1);
  assert.equal(made, 3);
});
