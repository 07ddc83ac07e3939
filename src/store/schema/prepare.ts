/**
 * From a database as it was found to one that can be served, in one transaction: look, refuse or make the schema, run
 * our migrations. Of several servers that start at once one does it and the others find it done.
 */
import { type Kysely, sql } from "kysely";
import type { Tables } from "../base/tables.ts";
import { migrate } from "./migrations.ts";
import { type Inspection, refuse } from "./revisions.ts";
import { createSchema } from "./tiled.ts";

export interface Preparation {
  /** Whether Tiled's schema was made. */
  readonly created: boolean;
  /** Our own migrations that were run. */
  readonly migrations: readonly string[];
}

/** An arbitrary number that all servers of ours agree on. */
const START_LOCK = 7_446_381_209_553_000n;

export async function prepare(
  db: Kysely<Tables>,
  dialect: Inspection["dialect"],
  look: (transaction: Kysely<Tables>) => Inspection | Promise<Inspection>,
  mayCreate: boolean,
): Promise<Preparation> {
  const plain = db.transaction();
  // Who waited for the lock sees what was made meanwhile, whatever the database's own default is.
  const begun = dialect === "postgresql" ? plain.setIsolationLevel("read committed") : plain;
  return begun.execute(async (transaction) => {
    // On SQLite the transaction itself keeps the others out.
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
