/** `tiled admin backup` and `restore` as an operator types them. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { sqliteFixture } from "../../store/fixtures.ts";
import { logIn, withStoreAt } from "../../store/support.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

test("a backup and a restore are reported, and audited in their database", async () => {
  const folder = await temporaryFolder(after);
  const [path, file] = [join(folder, "tiled.db"), join(folder, "backup.db")];
  const database = ["--database", `sqlite:///${path}`];
  await tiled(["admin", "initialize-database", `sqlite:///${path}`]);
  await withStoreAt(path, (store) => logIn(store, "ann"));
  const saved = await tiled(["admin", "backup", file, ...database]);
  assert.deepEqual([saved.code, saved.stderr], [0, ""]);
  assert.match(
    saved.stdout,
    /^Backed up the database at .*tiled\.db to .*backup\.db \(\d+ bytes\): 1 principal, 1 session, 0 API keys, \d+ rows in all/,
  );
  const again = await tiled(["admin", "backup", file, ...database]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /already exists\. Use --force to replace it/);

  const restored = await tiled(["admin", "restore", file, ...database]);
  assert.deepEqual([restored.code, restored.stderr], [0, ""]);
  assert.match(
    restored.stdout,
    /^Restored .*: 1 principal,.*\nThe previous database is kept as .*before-restore.*\n.*revoke and disable them once more/,
  );
  const rows = await withStoreAt(path, (store) => store.audit.read({ limit: 100 }));
  const [row, ...others] = rows.filter(({ event }) => event.startsWith("database_"));
  assert.deepEqual(others, [], "what was written after the backup is in the file that is kept");
  assert.equal(row?.event, "database_restored");
  assert.deepEqual(row?.detail, { file: "backup.db", by: "command line", os_user: userInfo().username });
  const kept = (await readdir(folder)).find((name) => name.includes("before-restore")) ?? "";
  const before = await withStoreAt(join(folder, kept), (store) => store.audit.read({ limit: 100 }));
  assert.equal(before.at(-1)?.event, "database_backed_up");
});

test("a database of another version is copied, and not changed for it", async () => {
  const folder = await temporaryFolder(after);
  const { path } = sqliteFixture(folder, "2d1b550e12e0");
  const { code, stderr } = await tiled([
    "admin",
    "backup",
    join(folder, "b.db"),
    "--database",
    `sqlite:///${path}`,
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /not recorded in the audit table/);
  const { stdout } = await tiled(["admin", "check-database", "--database", `sqlite:///${path}`]);
  assert.match(stdout, /own tables: none yet/);
});

test("a database in memory has no backup", async () => {
  const { code, stderr } = await tiled(["admin", "backup", "b.db", "--database", "sqlite://"]);
  assert.equal(code, 1);
  assert.match(stderr, /in the server's memory/);
});
