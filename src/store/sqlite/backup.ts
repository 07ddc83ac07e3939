/**
 * Backup and restore of a SQLite file. A backup is one snapshot, taken while servers go on writing, and is read in full before it
 * counts. A restore keeps what it replaces, and needs the file for itself.
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

/** How long to wait for a lock of another process; milliseconds. */
const BUSY_TIMEOUT = 2000;

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

/** Also a copy that a server left without a checkpoint is read with what stands in its -wal file. */
export async function restoreFile(path: string, database: string): Promise<Restored> {
  // A link stays one: what it leads to may be on a disk of its own.
  const target = realPath(database);
  if (isSameFile(path, target)) throw new OperatorError(`${path} is the database itself. Name a backup.`);
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

/** The database's file, or one that SQLite keeps beside it, whether that is there at the moment or not. */
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

/** One snapshot, verified: the same rows in each table, and every page in order. */
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
    // One file, that a medium without write access can hold as well.
    copied.raw.pragma("journal_mode = DELETE");
    const [first, ...more] = copied.raw.pragma("integrity_check(5)") as {
      readonly integrity_check: string;
    }[];
    if (first?.integrity_check !== "ok") {
      const errors = [first, ...more].map((row) => row?.integrity_check).join("; ");
      throw new OperatorError(`The copy is damaged, as the database may be: ${errors}`);
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

/** Replaces the file while no other process has it open: changing its journal mode proves that. The old file gets another name. */
function replace(target: string, publish: () => void): string {
  const inUse = `The database at ${target} is open in another process. Stop its server first. Nothing was changed.`;
  let connection: SqliteConnection | undefined;
  try {
    connection = new SqliteConnection(target, { busyTimeout: BUSY_TIMEOUT });
    // Puts what is in the -wal file into the main one, so that the file kept is whole.
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
    // A file system without links.
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
