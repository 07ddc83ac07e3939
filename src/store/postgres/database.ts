/**
 * PostgreSQL databases before they are served: a short-lived connection without time limits looks and prepares.
 */
import { Kysely, PostgresAdapter, PostgresDialect } from "kysely";
import type { PostgresAddress } from "../../database-uri/postgres.ts";
import type { Tables } from "../base/tables.ts";
import { type Preparation, prepare } from "../schema/prepare.ts";
import type { Inspection } from "../schema/revisions.ts";
import { explain, inspectPostgres } from "./inspect.ts";
import { makePool } from "./pool.ts";

export function preparePostgres(address: PostgresAddress, mayCreate: boolean): Promise<Preparation> {
  return withDatabase(address, (db) =>
    prepare(db, "postgresql", (transaction) => inspectPostgres(transaction, address.shown), mayCreate),
  );
}

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

/** `prepare` holds a lock of the transaction; kysely's own would outlive it where the transaction fails. */
class LockedAlreadyAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}
