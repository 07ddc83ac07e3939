/** Content of a SQLite file without its -wal file, and backup and restore of a store in use. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import Database from "better-sqlite3";
import { backupDatabase, restoreDatabase } from "../../src/store/backup.ts";
import { openStore } from "../../src/store/open.ts";
import { eventually } from "../support/eventually.ts";
import { folderFor, logIn, newKey, openFor, storeOptions, useCave, withStoreAt } from "./support.ts";

/** Rows of a table in the main file, without its -wal file. */
function inFileAlone(path: string, table = "principals"): number {
  const copy = `${path}.copied`;
  copyFileSync(path, copy);
  const database = new Database(copy);
  try {
    return database.prepare(`select count(*) from ${table}`).pluck().get() as number;
  } finally {
    database.close();
  }
}

test("the first rows of a new database reach the main file soon, without load or a shutdown", async (t) => {
  const path = join(folderFor(t), "x.db");
  const store = await openFor(t, path);
  assert.equal(inFileAlone(path), 0, "the tables are there from the start");
  await logIn(store, "ann");
  assert.ok(await eventually(20, async () => inFileAlone(path) === 1));
  await logIn(store, "bob");
  assert.ok(await eventually(20, async () => inFileAlone(path) === 2));
});

test("at the shutdown all rows do, although another process has the file open", async (t) => {
  const path = join(folderFor(t), "x.db");
  const store = await openStore(storeOptions(path));
  const other = new Database(path, { readonly: true });
  t.after(() => other.close());
  await logIn(store, "ann");
  other.prepare("select count(*) from principals").get();
  await store.close();
  assert.equal(inFileAlone(path), 1);
  assert.equal(statSync(`${path}-wal`).size, 0);
});

test("a backup is one complete, consistent file, made while the store writes", async (t) => {
  const folder = folderFor(t);
  const [path, file] = [join(folder, "x.db"), join(folder, "backup.db")];
  const store = await openFor(t, path);
  const { principal } = await logIn(store, "ann");
  await store.apiKeys.create(newKey(principal.uuid));
  let stop = false;
  const writer = (async () => {
    while (!stop) await store.apiKeys.create(newKey(principal.uuid, {}, { limit: 100_000 }));
  })();
  for (const _ of [1, 2, 3]) {
    const { counts, bytes } = await backupDatabase(path, file, true);
    assert.equal(counts["principals"], 1);
    assert.equal(bytes, statSync(file).size);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(inFileAlone(file, "api_keys"), counts["api_keys"]);
    assert.ok((counts["api_keys"] ?? 0) > 0);
  }
  stop = true;
  await writer;
  const left = readdirSync(folder).filter((name) => !/^x\.db|^backup\.db(\.copied)?$/.test(name));
  assert.deepEqual(left, [], "nothing half-made stays");
  await withStoreAt(file, async (copied) => assert.ok(await copied.principals.summary(principal.uuid)));
});

test("a backup replaces nothing unless asked to, and never the database", async (t) => {
  const folder = folderFor(t);
  const [path, file] = [join(folder, "x.db"), join(folder, "notes.txt")];
  const store = await openFor(t, path);
  await logIn(store, "ann");
  writeFileSync(file, "important");
  await assert.rejects(backupDatabase(path, file, false), /notes\.txt already exists. Use --force/);
  assert.equal(readFileSync(file, "utf8"), "important");
  symlinkSync(folder, join(folder, "here"));
  for (const own of ["x.db", "x.db-wal", "x.db-shm", "x.db-journal", "here/x.db-wal"])
    await assert.rejects(backupDatabase(path, join(folder, own), true), /is the database itself/, own);
  await assert.rejects(
    backupDatabase(path, join(folder, "no", "b.db"), false),
    /cannot be written: .*ENOENT/,
  );
  await assert.rejects(
    backupDatabase(join(folder, "none.db"), file, true),
    /Nothing to back up. There is no database/,
  );
  await backupDatabase(path, file, true);
  assert.equal(inFileAlone(file), 1);
});

test("a damaged database is reported and not backed up", async (t) => {
  const folder = folderFor(t);
  const [path, file] = [join(folder, "x.db"), join(folder, "b.db")];
  const store = await openStore(storeOptions(path));
  for (let count = 0; count < 50; count++) await logIn(store, `user${count}`, { limit: 1000 });
  await store.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, bytes.length - 8192);
  writeFileSync(path, bytes);
  await assert.rejects(backupDatabase(path, file, false), /damaged|malformed|cannot be copied/);
  assert.equal(existsSync(file), false);
});

test("a restore brings back the backup's content, and keeps the replaced file", async (t) => {
  const folder = folderFor(t);
  const [path, file] = [join(folder, "x.db"), join(folder, "b.db")];
  const store = await openStore(storeOptions(path));
  const { principal, session } = await logIn(store, "ann");
  const ann = principal.uuid;
  const login = await useCave(store, ann, session.uuid);
  await backupDatabase(path, file, false);
  const bob = (await logIn(store, "bob")).principal.uuid;

  const before = readFileSync(path);
  await assert.rejects(restoreDatabase(path, file), /open in another process. Stop its server first/);
  assert.deepEqual(readFileSync(path), before);
  assert.ok(await store.principals.summary(bob), "the store goes on");
  await logIn(store, "cara");
  await store.close();

  const { aside, counts } = await restoreDatabase(path, file);
  assert.equal(counts["principals"], 1);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await withStoreAt(path, async (restored) => {
    assert.ok(await restored.principals.summary(ann));
    assert.deepEqual((await restored.cave.person(ann))?.acceptedTos, [1]);
    assert.equal((await restored.cave.login(login))?.principal, ann);
    assert.equal(await restored.principals.summary(bob), undefined);
  });
  assert.equal(inFileAlone(aside ?? ""), 3, "with what stood in the -wal file");
  // Restore the other way.
  await restoreDatabase(path, aside ?? "");
  await withStoreAt(path, async (restored) => assert.ok(await restored.principals.summary(bob)));
});

test("a restore follows a link to the database, which may be on a disk of its own", async (t) => {
  const folder = folderFor(t);
  const [link, disk] = [join(folder, "x.db"), join(folder, "disk")];
  mkdirSync(disk);
  await (await openStore(storeOptions(join(disk, "x.db")))).close();
  symlinkSync(join("disk", "x.db"), link);
  await backupDatabase(link, join(folder, "b.db"), false);
  await withStoreAt(link, (store) => logIn(store, "ann"));
  const { aside } = await restoreDatabase(link, join(folder, "b.db"));
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(inFileAlone(join(disk, "x.db")), 0);
  assert.ok(aside?.startsWith(disk));
  assert.equal(inFileAlone(aside ?? ""), 1);
});

test("a restore without an existing database, and of a file that is not a backup", async (t) => {
  const folder = folderFor(t);
  const [path, file, target] = [join(folder, "x.db"), join(folder, "b.db"), join(folder, "new.db")];
  const store = await openStore(storeOptions(path));
  await logIn(store, "ann");
  await store.close();
  await backupDatabase(path, file, false);
  assert.equal((await restoreDatabase(target, file)).aside, null);
  assert.equal(inFileAlone(target), 1);

  writeFileSync(join(folder, "text"), "no database, but long enough to be read as one".repeat(100));
  await assert.rejects(
    restoreDatabase(path, join(folder, "text")),
    /Nothing was restored. .* is not a SQLite database/,
  );
  await assert.rejects(restoreDatabase(path, join(folder, "none")), /There is no database/);
  await assert.rejects(restoreDatabase(path, path), /is the database itself/);
  truncateSync(file, statSync(file).size - 8192);
  await assert.rejects(restoreDatabase(path, file), /damaged|malformed|cannot be copied/);
  assert.equal(inFileAlone(path), 1, "nothing was replaced");
  assert.deepEqual(
    readdirSync(folder).filter((name) => /partial|before/.test(name)),
    [],
  );
});
