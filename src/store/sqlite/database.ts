/**
 * SQLite databases before they are served: creates a private file, prepares it, and opens the database in memory.
 */
import { accessSync, closeSync, constants, existsSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { Kysely } from "kysely";
import { OperatorError } from "../../errors.ts";
import { codeOf, messageOf } from "../base/errors.ts";
import type { Tables } from "../base/tables.ts";
import { type Preparation, prepare } from "../schema/prepare.ts";
import { type Inspection, refuse } from "../schema/revisions.ts";
import { SqliteConnection, sqliteDialect } from "./connection.ts";
import { inspectConnection, inspectFile } from "./inspect.ts";

/** How long a server waits for another one that is starting at the same time, in milliseconds. */
const BUSY_TIMEOUT = 30_000;

/** Creates the file if `mayCreate` allows it, and runs our migrations. */
export async function prepareFile(path: string, mayCreate: boolean): Promise<Preparation> {
  // Checked without a lock first, so that a foreign file is not even locked.
  if (checkFile(path, mayCreate).kind === "absent") createPrivately(path);
  let connection: SqliteConnection | undefined;
  try {
    const opened = new SqliteConnection(path, { busyTimeout: BUSY_TIMEOUT });
    connection = opened;
    const db = new Kysely<Tables>({ dialect: sqliteDialect(opened) });
    return await prepare(db, "sqlite", () => inspectConnection(opened, path), mayCreate);
  } catch (error) {
    if (!codeOf(error)?.startsWith("SQLITE_")) throw error;
    throw new OperatorError(`The database at ${path} cannot be used: ${messageOf(error)}.`);
  } finally {
    connection?.close();
  }
}

/** Throws an OperatorError for a file that cannot be served or created. Changes nothing. */
export function checkFile(path: string, mayCreate: boolean): Inspection {
  const found = inspectFile(path);
  const fresh = found.kind === "absent" || found.kind === "empty";
  const folder = dirname(path);
  if (found.kind === "absent" && !existsSync(folder)) {
    const also = mayCreate ? "" : ", and set database.init_if_not_exists: true";
    throw new OperatorError(
      `The database's folder ${folder} does not exist. Create it (mkdir -p ${folder})${also}, or correct the path.`,
    );
  }
  if (fresh ? !mayCreate : found.kind !== "served") throw refuse(found);
  if (found.kind !== "absent") requireWritable(path);
  // SQLite creates files of its own beside the database.
  requireWritable(folder);
  return found;
}

function requireWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new OperatorError(
      `${path} is not writable (${codeOf(error)}). The user that runs the server must own the database and its folder.`,
    );
  }
}

/** Opens a new database in memory, with schema. */
export async function openMemory(): Promise<SqliteConnection> {
  const connection = new SqliteConnection(":memory:");
  const db = new Kysely<Tables>({ dialect: sqliteDialect(connection) });
  await prepare(db, "sqlite", () => inspectConnection(connection, "memory"), true);
  return connection;
}

/** SQLite gives its -wal and -shm files the mode of the database. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    throw new OperatorError(`The database at ${path} cannot be created: ${messageOf(error)}.`);
  }
}
