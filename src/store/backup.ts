/**
 * `tiled admin backup` and `restore`: which database and which file, and what is told of it. How it is done is in
 * `sqlite/backup.ts` and `postgres/backup.ts`.
 */
import { resolve } from "node:path";
import { parseDatabaseUri } from "../database-uri/database-uri.ts";
import { OperatorError } from "../errors.ts";
import type { Backup, Restored } from "./base/row-counts.ts";
import { inspectDatabase } from "./open.ts";
import { complaint, type Inspection } from "./schema/revisions.ts";
import { backupFile, restoreFile } from "./sqlite/backup.ts";

/** Of a database that another Tiled has to upgrade first, too: before an upgrade is when a backup is wanted most. */
const KEPT: readonly Inspection["kind"][] = ["served", "older", "unknown"];

export async function backupDatabase(uri: string, file: string, force: boolean): Promise<Backup> {
  const address = parseDatabaseUri(uri);
  const found = await inspectDatabase(uri);
  if (!KEPT.includes(found.kind)) throw new OperatorError(`Nothing to back up. ${complaint(found)}`);
  const path = resolve(file);
  if (address.kind === "file") return backupFile(address.path, path, force);
  if (address.kind === "memory") throw new OperatorError("A database in memory cannot be backed up.");
  return (await import("./postgres/backup.ts")).backupPostgres(address, path, force);
}

export async function restoreDatabase(uri: string, file: string): Promise<Restored> {
  const address = parseDatabaseUri(uri);
  const path = resolve(file);
  if (address.kind === "file") return restoreFile(path, address.path);
  if (address.kind === "memory") throw new OperatorError("A database in memory cannot be restored.");
  const found = await inspectDatabase(uri);
  return (await import("./postgres/backup.ts")).restorePostgres(address, path, found);
}
