/**
 * PostgreSQL databases before they are served: inspects and prepares them on a short-lived connection without time limits.
 */
import { Kysely, PostgresAdapter, PostgresDialect } from "kysely";
import type { PostgresAddress } from "../../database-uri/postgres.ts";
import type { Tables } from "../base/tables.ts";
import { type Preparation, prepare } from "../schema/prepare.ts";
import type { Inspection } from "../schema/revisions.ts";
import { explain, inspectPostgres } from "./inspect.ts";
import { makePool } from "./pool.ts";

/** Creates the schema if `mayCreate` allows it, and runs our migrations. */
export function preparePostgres(address: PostgresAddress, mayCreate: boolean): Promise<Preparation> {
  return withDatabase(address, (db) =>
    prepare(db, "postgresql", (transaction) => inspectPostgres(transaction, address.shown), mayCreate),
  );
}

/** Inspects a database. Changes nothing. */
export function inspectPostgresDatabase(address: PostgresAddress): Promise<Inspection> {
  return withDatabase(address, (db) => inspectPostgres(db, address.shown));
}

async function withDatabase<T>(
  address: PostgresAddress,
  work: (db: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  const pool = makePool(address, { size: 1, statementTimeout: undefined, proveOptions: true }, () => {});
  const dialect = new PostgresDialect({ pool });
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new LockedAlreadyAdapter(),
      createDriver: () => dialect.createDriver(),
      createIntrospector: (inner) => dialect.createIntrospector(inner),
      createQueryCompiler: () => dialect.createQueryCompiler(),
    },
  });
  try {
    return await work(db);
  } catch (error) {
    throw explain(error, address.shown);
  } finally {
    await db.destroy();
  }
}

/** `prepare` holds a transaction-level lock; kysely's own would outlive a failed transaction. */
class LockedAlreadyAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}
