/** Audit rows for several equal events: their number, and the time of the last one. */
import { type Kysely, sql } from "kysely";
import { typesOf } from "./dialect.ts";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("tiled_auth_audit")
    .addColumn("count", "integer", (column) => column.notNull().defaultTo(sql`1`))
    .execute();
  await db.schema
    .alterTable("tiled_auth_audit")
    .addColumn("last_time", typesOf(db).time as never)
    .execute();
}
