/**
 * Making and preparing SQLite databases: a new file with the schema, our own tables beside an existing one's. Nothing is
 * written before the file has been looked at and found to be ours to write.
 */
import { closeSync, openSync } from "node:fs";
import { Kysely } from "kysely";
import { OperatorError } from "../errors.ts";
import { codeOf, messageOf } from "./errors.ts";
import { inspectFile } from "./inspect-sqlite.ts";
import { migrate, newestMigration } from "./migrate.ts";
import { refuse } from "./revisions.ts";
import { createSchema } from "./schema.ts";
import { SqliteConnection, sqliteDialect } from "./sqlite-connection.ts";
import type { Tables } from "./tables.ts";

/** Makes the schema in a file that is absent or empty. False: somebody else was faster. */
export async function initializeFile(path: string): Promise<boolean> {
  createPrivately(path);
  return withFile(path, async (db) =>
    db.transaction().execute(async (transaction) => {
      const tables = await transaction.introspection.getTables();
      if (tables.length > 0) return false;
      await createSchema(transaction, "sqlite");
      return true;
    }),
  );
}

/** Our own tables, in a database that may be served. The migrations that were run. */
export async function prepareFile(path: string): Promise<readonly string[]> {
  const inspection = inspectFile(path);
  if (inspection.kind !== "served") throw refuse(inspection);
  return withFile(path, (db) => migrate(db, "sqlite"));
}

export async function openMemory(): Promise<SqliteConnection> {
  const connection = new SqliteConnection(":memory:");
  const db = new Kysely<Tables>({ dialect: sqliteDialect(connection) });
  await db.transaction().execute((transaction) => createSchema(transaction, "sqlite"));
  await migrate(db, "sqlite");
  return connection;
}

/** SQLite gives its -wal and -shm files the mode of the database. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    throw new OperatorError(`The database at ${path} cannot be made: ${messageOf(error)}`);
  }
}

async function withFile<T>(path: string, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  let connection: SqliteConnection | undefined;
  try {
    // Others that start at the same moment wait for the first to finish.
    connection = new SqliteConnection(path, { busyTimeout: 30_000 });
    return await work(new Kysely<Tables>({ dialect: sqliteDialect(connection) }));
  } catch (error) {
    if (error instanceof OperatorError || !codeOf(error)?.startsWith("SQLITE_")) throw error;
    throw new OperatorError(`The database at ${path} cannot be used: ${messageOf(error)}`);
  } finally {
    connection?.close();
  }
}

export { newestMigration };
