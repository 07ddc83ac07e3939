/**
 * SQLite's writer: commands that wait together are committed together, one that fails takes no other with it, and
 * nothing of it is felt on the main thread. In a process of its own: the delay of its event loop is measured.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { Failure } from "../../../src/errors.ts";
import { Compiler } from "../../../src/store/base/statement.ts";
import type { SqliteConnection } from "../../../src/store/sqlite/connection.ts";
import { openMemory } from "../../../src/store/sqlite/database.ts";
import { SqliteWriter, type WriteRequest } from "../../../src/store/sqlite/writer.ts";
import { at, folderFor, logIn, login, NOW, ORIGIN, openFor, refresh } from "../support.ts";

const open = (id: number, name: string): WriteRequest => ({
  id,
  name: "session.open",
  args: { ...login(name), state: "{}" },
});

function writerOn(connection: SqliteConnection, discarded: () => void = () => {}) {
  return new SqliteWriter(
    { current: connection, obtain: () => connection, discard: discarded },
    new Compiler("sqlite"),
  );
}

test("a batch is one transaction, committed before anything is answered", async (t) => {
  const connection = await openMemory();
  t.after(() => connection.close());
  const run = t.mock.method(connection, "run");
  const answers = await writerOn(connection).run([open(1, "ann"), open(2, "bob"), open(3, "cy")]);
  assert.deepEqual(
    answers.map(({ id, ok }) => [id, ok]),
    [
      [1, true],
      [2, true],
      [3, true],
    ],
  );
  const texts = run.mock.calls.map(({ arguments: [text] }) => text);
  assert.deepEqual(
    texts.filter((text) => /^(begin|commit)/.test(text)),
    ["begin immediate", "commit"],
  );
  assert.equal(texts.at(-1), "commit");
});

test("a command that fails is undone alone", async (t) => {
  const connection = await openMemory();
  t.after(() => connection.close());
  const bad: WriteRequest = { id: 2, name: "session.open", args: { ...login("bob"), state: "no JSON" } };
  const answers = await writerOn(connection).run([open(1, "ann"), bad, open(3, "cy")]);
  assert.deepEqual(
    answers.map(({ ok }) => ok),
    [true, false, true],
  );
  const people = connection.raw.prepare("select id from identities order by id").pluck().all();
  assert.deepEqual(people, ["ann", "cy"]);
});

test("where the commit fails nothing is acknowledged and nothing stays", async (t) => {
  const connection = await openMemory();
  t.after(() => connection.close());
  const original = connection.run.bind(connection);
  let discarded = 0;
  const broken = t.mock.method(connection, "run", (text: string) => {
    if (text === "commit") throw Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_FSYNC" });
    original(text);
  });
  const writer = writerOn(connection, () => discarded++);
  const answers = await writer.run([open(1, "ann"), open(2, "bob")]);
  assert.deepEqual(
    answers,
    [1, 2].map((id) => ({
      id,
      ok: false,
      error: {
        kind: "failure",
        code: "store_unavailable",
        log: "database: SQLITE_IOERR_FSYNC: disk I/O error",
      },
    })),
  );
  assert.equal(discarded, 1);
  broken.mock.restore();
  assert.equal(connection.raw.inTransaction, false);
  assert.equal(connection.raw.prepare("select count(*) from principals").pluck().get(), 0);
});

test("logins that wait together cost far fewer transactions than there are", async (t) => {
  const path = join(folderFor(t), "a.db");
  const store = await openFor(t, path);
  await logIn(store, "first");
  const other = new Sqlite(path);
  t.after(() => other.close());
  // Each transaction changes SQLite's counter of commits, which another connection sees as a version.
  const commits = () => Number(other.pragma("data_version", { simple: true }));
  let seen = 0;
  let last = commits();
  const count = setInterval(() => {
    const now = commits();
    if (now !== last) seen++;
    last = now;
  }, 0);
  await Promise.all(Array.from({ length: 400 }, (_, index) => logIn(store, `user${index}`)));
  clearInterval(count);
  assert.ok(seen <= 40, `${seen} transactions for 400 logins`);
  assert.equal(other.prepare("select count(*) from sessions").pluck().get(), 401);
});

test("while the file is locked by another process, reads and the event loop go on", async (t) => {
  const path = join(folderFor(t), "a.db");
  const store = await openFor(t, path);
  const { principal, session } = await logIn(store, "ann");
  const other = new Sqlite(path);
  t.after(() => other.close());
  other.exec("begin immediate");
  let done = false;
  const write = store.sessions.rotate(refresh(session.uuid, 0, "t")).finally(() => {
    done = true;
  });
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  for (let reads = 0; reads < 30; reads++) {
    assert.equal((await store.principals.summary(principal.uuid))?.uuid, principal.uuid);
    assert.equal((await store.sessions.status(session.uuid))?.revoked, false);
    await delay(10);
  }
  loop.disable();
  assert.equal(done, false);
  other.exec("commit");
  assert.equal((await write).kind, "refreshed");
  assert.ok(loop.percentile(95) < 100e6, `the event loop stood still for ${loop.percentile(95) / 1e6} ms`);
});

test("an acknowledged write can be read at once", async (t) => {
  const store = await openFor(t, join(folderFor(t), "a.db"));
  for (let round = 0; round < 50; round++) {
    const { principal, session } = await logIn(store, `user${round}`);
    assert.ok(await store.principals.summary(principal.uuid));
    await store.sessions.revoke({ session: session.uuid, principal: null, now: at(1), context: ORIGIN });
    assert.equal((await store.sessions.status(session.uuid))?.revoked, true);
  }
});

test("close waits for earlier commands, and refuses later ones", async (t) => {
  const path = join(folderFor(t), "a.db");
  const store = await openFor(t, path);
  const asked = Array.from({ length: 50 }, (_, index) => logIn(store, `user${index}`));
  const closed = store.close();
  await assert.rejects(
    logIn(store, "late"),
    (error) => error instanceof Failure && error.code === "store_unavailable",
  );
  await Promise.all([...asked, closed]);
  await store.close();
  const db = new Sqlite(path, { readonly: true });
  t.after(() => db.close());
  assert.equal(db.prepare("select count(*) from sessions").pluck().get(), 50);
});

test("several stores may share one file", async (t) => {
  const path = join(folderFor(t), "a.db");
  const stores = [await openFor(t, path), await openFor(t, path)];
  await Promise.all(
    stores.flatMap((store) => Array.from({ length: 20 }, () => logIn(store, "ann", { limit: 200 }))),
  );
  const [one] = await Promise.all(stores.map((store) => store.principals.list({ offset: 0, limit: 5 }, NOW)));
  assert.equal(one?.length, 1);
  assert.equal(one?.[0]?.sessions.length, 40);
});
