/**
 * Data of the account page: logged-in browsers, and for each session the identity that opened it, its address and program. All
 * of it is deleted with the session's row.
 */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("tiled_auth_session_origins")
    .addColumn("session_id", "integer", (column) =>
      column.primaryKey().references("sessions.id").onDelete("cascade"),
    )
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addColumn("identity", "varchar(255)", (column) => column.notNull())
    .addColumn("address", "varchar(255)")
    .addColumn("user_agent", "varchar(255)")
    .execute();

  await db.schema
    .createTable("tiled_auth_browser_sessions")
    .addColumn("token", "varchar(64)", (column) => column.primaryKey())
    .addColumn("session_id", "integer", (column) =>
      column.notNull().unique().references("sessions.id").onDelete("cascade"),
    )
    .execute();
}
