/**
 * `tiled admin backup` and `restore`: picks the dialect and refuses databases that cannot be copied. The work is done in
 * `sqlite/backup.ts` and `postgres/backup.ts`.
 */
import { resolve } from "node:path";
import { parseDatabaseUri } from "../database-uri/database-uri.ts";
import { OperatorError } from "../errors.ts";
import type { Backup, Restored } from "./base/row-counts.ts";
import { inspectDatabase } from "./open.ts";
import { complaint, type Inspection } from "./schema/revisions.ts";
import { backupFile, restoreFile } from "./sqlite/backup.ts";

/** Includes databases that Tiled has to upgrade first: a backup matters most before an upgrade. */
const KEPT: readonly Inspection["kind"][] = ["served", "older", "unknown"];

/**
 * Copies the database to `file`. `force` replaces an existing file.
 * @throws OperatorError if there is nothing to back up, the file exists, or the copy does not match the database
 */
export async function backupDatabase(uri: string, file: string, force: boolean): Promise<Backup> {
  const address = parseDatabaseUri(uri);
  const found = await inspectDatabase(uri);
  if (!KEPT.includes(found.kind)) throw new OperatorError(`Nothing to back up. ${complaint(found)}`);
  const path = resolve(file);
  if (address.kind === "file") return backupFile(address.path, path, force);
  if (address.kind === "memory") throw new OperatorError("An in-memory database cannot be backed up.");
  return (await import("./postgres/backup.ts")).backupPostgres(address, path, force);
}

/**
 * Restores the database from `file`: over a SQLite file, which is kept under another name, or into an empty PostgreSQL schema.
 * @throws OperatorError if `file` is not a complete backup, or the database is in use or not empty
 */
export async function restoreDatabase(uri: string, file: string): Promise<Restored> {
  const address = parseDatabaseUri(uri);
  const path = resolve(file);
  if (address.kind === "file") return restoreFile(path, address.path);
  if (address.kind === "memory") throw new OperatorError("An in-memory database cannot be restored.");
  const found = await inspectDatabase(uri);
  return (await import("./postgres/backup.ts")).restorePostgres(address, path, found);
}
