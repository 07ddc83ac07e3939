/**
 * The time of a refresh, and whether the token was used again: a retry is answered for a short time, and audited once.
 * `shared`: a token of the session has been used again before.
 */
import { type Kysely, sql } from "kysely";
import { typesOf } from "./dialect.ts";

export async function up(db: Kysely<unknown>): Promise<void> {
  const { time } = typesOf(db);
  // Null in older rows, for which the session's own time of refreshing is used.
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
