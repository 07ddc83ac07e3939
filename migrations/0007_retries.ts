/**
 * When a refresh token was exchanged, and whether it has come again since: a retry is answered for a short time, and told
 * of once.
 */
import { type Kysely, sql } from "kysely";
import { typesOf } from "./dialect.ts";

export async function up(db: Kysely<unknown>): Promise<void> {
  const { time } = typesOf(db);
  // Null in rows from before; the session's own time of refreshing stands in for it.
  await db.schema
    .alterTable("tiled_auth_rotations")
    .addColumn("exchanged_at", time as never)
    .execute();
  await db.schema
    .alterTable("tiled_auth_rotations")
    .addColumn("retried", "boolean", (column) => column.notNull().defaultTo(sql`false`))
    .execute();
}
