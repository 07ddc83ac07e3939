/**
 * When a refresh token was exchanged, and whether it has come again since: a retry is answered for a short time, and
 * audited once. `shared`: a token of the session has come again before.
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
  for (const flag of ["retried", "shared"]) {
    await db.schema
      .alterTable("tiled_auth_rotations")
      .addColumn(flag, "boolean", (column) => column.notNull().defaultTo(sql`false`))
      .execute();
  }
}
