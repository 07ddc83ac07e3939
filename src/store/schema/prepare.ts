/**
 * Prepares a database for serving, in one transaction: inspects it, refuses it or creates the schema, and runs our migrations.
 * If several servers start at once, one does the work and the others find it done.
 */
import { type Kysely, sql } from "kysely";
import type { Tables } from "../base/tables.ts";
import { migrate } from "./migrations.ts";
import { type Inspection, refuse } from "./revisions.ts";
import { createSchema } from "./tiled.ts";

/** Result of `prepare`. */
export interface Preparation {
  /** Whether Tiled's schema was created. */
  readonly created: boolean;
  /** Names of our own migrations that were run. */
  readonly migrations: readonly string[];
}

/** Key of the advisory lock; an arbitrary number that all servers share. */
const START_LOCK = 7_446_381_209_553_000n;

/** Throws an OperatorError for a database that this version does not serve, or that `mayCreate` does not allow it to create. */
export async function prepare(
  db: Kysely<Tables>,
  dialect: Inspection["dialect"],
  look: (transaction: Kysely<Tables>) => Inspection | Promise<Inspection>,
  mayCreate: boolean,
): Promise<Preparation> {
  const plain = db.transaction();
  // After waiting for the lock, a server must see what another one committed, whatever the database's default isolation is.
  const begun = dialect === "postgresql" ? plain.setIsolationLevel("read committed") : plain;
  return begun.execute(async (transaction) => {
    // On SQLite the transaction itself locks out other processes.
    if (dialect === "postgresql")
      await sql`select pg_advisory_xact_lock(${sql.lit(START_LOCK)})`.execute(transaction);
    const found = await look(transaction);
    const created = found.kind === "empty" && mayCreate;
    if (created) await createSchema(transaction, dialect);
    else if (found.kind !== "served") throw refuse(found);
    return { created, migrations: await migrate(transaction, await schemaOf(transaction, dialect)) };
  });
}

async function schemaOf(db: Kysely<Tables>, dialect: Inspection["dialect"]): Promise<string | undefined> {
  if (dialect === "sqlite") return undefined;
  const { rows } = await sql<{ name: string }>`select current_schema() as name`.execute(db);
  return rows[0]?.name;
}
