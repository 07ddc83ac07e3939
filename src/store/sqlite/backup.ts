/**
 * Backup and restore of a SQLite file. A backup is a single snapshot, taken while servers keep writing, and is verified in full
 * before it is published. A restore needs exclusive use of the database and keeps the file it replaces.
 */
import { existsSync, linkSync, realpathSync, renameSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { OperatorError } from "../../errors.ts";
import { codeOf, messageOf } from "../base/errors.ts";
import { giveTo, isSameFile, newFile, taken } from "../base/new-file.ts";
import { type Backup, type Counts, type Restored, requireSameRows } from "../base/row-counts.ts";
import { complaint } from "../schema/revisions.ts";
import { SqliteConnection } from "./connection.ts";
import { inspectFile } from "./inspect.ts";

/** How long to wait for another process's lock, in milliseconds. */
const BUSY_TIMEOUT = 2000;

/** Copies the database to `path`. Throws an OperatorError if `path` is the database, exists without `force`, or the copy fails. */
export async function backupFile(source: string, path: string, force: boolean): Promise<Backup> {
  if (isOfDatabase(path, source))
    throw new OperatorError(`${path} is the database itself. Name another file.`);
  if (!force && existsSync(path)) throw taken(path);
  const file = newFile(path);
  try {
    const counts = await copy(source, file.temporary);
    file.publish(force);
    return { counts, bytes: statSync(path).size };
  } finally {
    file.remove();
  }
}

/** Restores the database from `path`, including its -wal file if it was copied without a checkpoint. */
export async function restoreFile(path: string, database: string): Promise<Restored> {
  // A symbolic link is kept: its target may be on another disk.
  const target = realPath(database);
  if (isSameFile(path, target))
    throw new OperatorError(`${path} is the database itself. Name a backup file.`);
  const found = inspectFile(path);
  if (found.kind !== "served") throw new OperatorError(`Nothing was restored. ${complaint(found)}`);
  const before = statSync(target, { throwIfNoEntry: false });
  const file = newFile(target);
  try {
    const counts = await copy(path, file.temporary);
    giveTo(file.temporary, before ?? statSync(dirname(target)));
    if (before === undefined) {
      file.publish(false);
      return { counts, aside: null };
    }
    return { counts, aside: replace(target, () => file.publish(true)) };
  } finally {
    file.remove();
  }
}

/** Whether a path is the database or one of SQLite's companion files, even one that does not exist at the moment. */
function isOfDatabase(path: string, database: string): boolean {
  const place = join(realPath(dirname(path)), basename(path));
  return (
    isSameFile(database, path) ||
    ["-wal", "-shm", "-journal"].some((end) => place === realPath(database) + end)
  );
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** Copies one snapshot, then compares the rows of each table and checks the integrity of every page. */
async function copy(source: string, path: string): Promise<Counts> {
  const from = new SqliteConnection(source, { busyTimeout: BUSY_TIMEOUT });
  try {
    from.raw.pragma("query_only = ON");
    from.run("begin");
    const counts = countRows(from);
    await from.raw.backup(path);
    from.run("commit");
    verify(path, counts);
    return counts;
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`The database at ${source} cannot be copied: ${messageOf(error)}.`);
  } finally {
    from.close();
  }
}

function verify(path: string, expected: Counts): void {
  const copied = new SqliteConnection(path);
  try {
    // A single file, which can be read from a read-only medium.
    copied.raw.pragma("journal_mode = DELETE");
    const [first, ...more] = copied.raw.pragma("integrity_check(5)") as {
      readonly integrity_check: string;
    }[];
    if (first?.integrity_check !== "ok") {
      const errors = [first, ...more].map((row) => row?.integrity_check).join("; ");
      throw new OperatorError(`The copy is damaged, and the database may be too: ${errors}`);
    }
    requireSameRows(countRows(copied), expected);
  } finally {
    copied.close();
  }
}

function countRows({ raw }: SqliteConnection): Counts {
  const names = raw
    .prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'")
    .pluck()
    .all() as string[];
  return Object.fromEntries(
    names.map((name) => [
      name,
      raw
        .prepare(`select count(*) from "${name.replaceAll('"', '""')}"`)
        .pluck()
        .get() as number,
    ]),
  );
}

/** Replaces the file and renames the old one. Changing the journal mode proves that no other process has the file open. */
function replace(target: string, publish: () => void): string {
  const inUse = `The database at ${target} is open in another process. Stop its server first. Nothing was changed.`;
  let connection: SqliteConnection | undefined;
  try {
    connection = new SqliteConnection(target, { busyTimeout: BUSY_TIMEOUT });
    // This also moves the -wal file's content into the main file, so that the kept file is complete.
    if (connection.raw.pragma("journal_mode = DELETE", { simple: true }) !== "delete")
      throw new OperatorError(inUse);
    connection.run("begin exclusive");
    const aside = asideOf(target);
    keep(target, aside);
    publish();
    connection.run("rollback");
    return aside;
  } catch (error) {
    const code = codeOf(error) ?? "";
    if (/^SQLITE_(BUSY|LOCKED)/.test(code)) throw new OperatorError(inUse);
    if (code === "SQLITE_NOTADB") throw new OperatorError(complaint(inspectFile(target)));
    throw error;
  } finally {
    connection?.close();
  }
}

function keep(target: string, aside: string): void {
  try {
    linkSync(target, aside);
  } catch {
    // The file system has no hard links.
    renameSync(target, aside);
  }
}

function asideOf(target: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  for (let count = 1; ; count++) {
    const path = `${target}.before-restore-${time}${count === 1 ? "" : `-${count}`}`;
    if (!existsSync(path)) return path;
  }
}
