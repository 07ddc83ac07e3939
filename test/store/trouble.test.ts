/**
 * SQLite in trouble: a full disk, a file that vanishes, comes back or is another one, a writer that dies. Nothing that
 * was not written is acknowledged, and all is well again without a restart.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import Sqlite from "better-sqlite3";
import { Failure, type FailureCode } from "../../src/errors.ts";
import { Compiler } from "../../src/store/base/statement.ts";
import { openMemory } from "../../src/store/sqlite/database.ts";
import { SqliteWriter } from "../../src/store/sqlite/writer.ts";
import { ManualClock } from "../support/clock.ts";
import { folderFor, logIn, login, NOW, openFor, refresh } from "./support.ts";

const fails = (code: FailureCode) => (error: unknown) => error instanceof Failure && error.code === code;

/** A small file system of its own; undefined where it cannot be mounted. */
function smallDisk(t: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "tiled-auth-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  t.after(() => {
    execFileSync("umount", ["--lazy", folder], { stdio: "ignore" });
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test("a full disk: no lost write is acknowledged, reads continue, and free space ends the failure", async (t) => {
  const folder = smallDisk(t);
  if (folder === undefined) {
    t.skip("a small file system cannot be mounted here");
    return;
  }
  const path = join(folder, "a.db");
  const store = await openFor(t, path);
  const { principal, session } = await logIn(store, "ann");
  const ballast = join(folder, "ballast");
  writeFileSync(ballast, Buffer.alloc(500_000));
  const acknowledged: string[] = [];
  const state = { filler: "x".repeat(20_000) };
  let refused: unknown;
  for (let index = 0; refused === undefined; index++) {
    assert.ok(index < 2000, "the disk never filled up");
    await logIn(store, `user${index}`, { state }).then(
      ({ session }) => acknowledged.push(session.uuid),
      (error) => {
        refused = error;
      },
    );
  }
  assert.ok(fails("store_full")(refused), String(refused));
  await assert.rejects(logIn(store, "again", { state }), fails("store_full"));
  assert.equal((await store.principals.summary(principal.uuid))?.uuid, principal.uuid);
  assert.equal((await store.sessions.status(session.uuid))?.uuid, session.uuid);

  rmSync(ballast);
  await logIn(store, "after");
  const db = new Sqlite(path, { readonly: true });
  t.after(() => db.close());
  const there = new Set(db.prepare("select uuid from sessions").pluck().all());
  assert.deepEqual(
    acknowledged.filter((uuid) => !there.has(uuid)),
    [],
  );
  assert.equal(there.size, acknowledged.length + 2);
  assert.equal(db.pragma("integrity_check", { simple: true }), "ok");
});

test("a full database: the commands of the batch fail as full, and later ones succeed", async (t) => {
  const connection = await openMemory();
  t.after(() => connection.close());
  const writer = new SqliteWriter(
    { current: connection, obtain: () => connection, discard: () => {} },
    new Compiler("sqlite"),
  );
  const pages = connection.raw.pragma("page_count", { simple: true });
  connection.raw.pragma(`max_page_count = ${pages}`);
  const state = JSON.stringify({ filler: "x".repeat(50_000) });
  const [answer] = await writer.run([{ id: 1, name: "session.open", args: { ...login("ann"), state } }]);
  assert.deepEqual(answer, {
    id: 1,
    ok: false,
    error: { kind: "failure", code: "store_full", log: "database: SQLITE_FULL: database or disk is full" },
  });
  assert.equal(connection.raw.prepare("select count(*) from principals").pluck().get(), 0);
  connection.raw.pragma("max_page_count = 1000000");
  const [later] = await writer.run([{ id: 2, name: "session.open", args: { ...login("ann"), state } }]);
  assert.equal(later?.ok, true);
});

test("a file that is moved away: writes fail, reads continue, and writes succeed once it is back", async (t) => {
  const folder = folderFor(t);
  const [path, away] = [join(folder, "a.db"), join(folder, "away.db")];
  const clock = new ManualClock(NOW);
  const store = await openFor(t, path, { clock });
  const { principal, session } = await logIn(store, "ann");
  renameSync(path, away);
  clock.advance(10);
  await assert.rejects(store.sessions.rotate(refresh(session.uuid, 0, "t")), fails("store_unavailable"));
  await assert.rejects(store.maintenance.ping(), fails("store_unavailable"));
  assert.equal((await store.principals.summary(principal.uuid))?.uuid, principal.uuid);
  renameSync(away, path);
  clock.advance(10);
  await store.maintenance.ping();
  assert.equal((await store.sessions.rotate(refresh(session.uuid, 0, "t"))).kind, "refreshed");
});

test("a file replaced by a copy: readers and writer switch to it", async (t) => {
  const folder = folderFor(t);
  const [path, copy] = [join(folder, "a.db"), join(folder, "copy.db")];
  const clock = new ManualClock(NOW);
  const store = await openFor(t, path, { clock });
  const { principal } = await logIn(store, "ann");
  const db = new Sqlite(path);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  copyFileSync(path, copy);
  const later = await logIn(store, "later");
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
  renameSync(copy, path);
  clock.advance(10);
  assert.equal((await store.principals.summary(principal.uuid))?.uuid, principal.uuid);
  assert.equal(await store.principals.summary(later.principal.uuid), undefined);
  const again = await logIn(store, "ann");
  assert.equal(again.principal.uuid, principal.uuid);
  assert.equal((await store.sessions.status(again.session.uuid))?.revoked, false);
});

test("a file replaced by another kind of file is not written to", async (t) => {
  const path = join(folderFor(t), "a.db");
  const clock = new ManualClock(NOW);
  const store = await openFor(t, path, { clock });
  const { principal } = await logIn(store, "ann");
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
  const other = new Sqlite(path);
  t.after(() => other.close());
  other.exec("create table theirs (a)");
  clock.advance(10);
  await assert.rejects(logIn(store, "bob"), fails("store_unavailable"));
  await assert.rejects(store.principals.summary(principal.uuid), fails("store_unavailable"));
  assert.deepEqual(other.prepare("select name from sqlite_master").pluck().all(), ["theirs"]);
  assert.equal(other.pragma("journal_mode", { simple: true }), "delete");
});

test("a lock that another process holds: unavailable, then writes succeed", {
  timeout: 30_000,
}, async (t) => {
  const path = join(folderFor(t), "a.db");
  const store = await openFor(t, path);
  await logIn(store, "ann");
  const other = new Sqlite(path);
  t.after(() => other.close());
  other.exec("begin immediate");
  await assert.rejects(logIn(store, "bob"), fails("store_unavailable"));
  other.exec("rollback");
  await logIn(store, "bob");
});

test("a writer that dies: its unanswered commands fail, the next command starts a new one", async (t) => {
  const path = join(folderFor(t), "a.db");
  const store = await openFor(t, path);
  await logIn(store, "ann");
  const workers = new Set<Worker>();
  const post = Worker.prototype.postMessage;
  t.mock.method(Worker.prototype, "postMessage", function (this: Worker, message: unknown) {
    workers.add(this);
    post.call(this, message);
    // The commands are under way.
    void this.terminate();
  });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => logIn(store, `user${index}`)),
  );
  t.mock.restoreAll();
  assert.equal(workers.size, 1);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected")
      assert.ok(fails("store_unavailable")(outcome.reason), String(outcome.reason));
  }
  assert.ok(outcomes.some(({ status }) => status === "rejected"));
  await logIn(store, "bob");
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") assert.ok(await store.sessions.status(outcome.value.session.uuid));
  }
});

test("a command that cannot be sent fails alone, and the writer continues", async (t) => {
  const store = await openFor(t, join(folderFor(t), "a.db"));
  const unsendable = { ...login("ann"), profile: { name: "Ann", extra: () => {} } };
  const [bad, good] = await Promise.allSettled([store.sessions.open(unsendable), logIn(store, "bob")]);
  assert.equal(bad?.status, "rejected");
  assert.equal(good?.status, "fulfilled");
  await logIn(store, "ann");
});
