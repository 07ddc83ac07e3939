/**
 * The state of the newest login, if long: once per identity instead of with every session. Deleted with the session that
 * brought it.
 */
import type { Kysely } from "kysely";
import { typesOf } from "./dialect.ts";

export async function up(db: Kysely<unknown>): Promise<void> {
  const { json } = typesOf(db);
  await db.schema
    .createTable("tiled_auth_login_states")
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addColumn("identity", "varchar(255)", (column) => column.notNull())
    .addColumn("session_id", "integer", (column) =>
      column.notNull().unique().references("sessions.id").onDelete("cascade"),
    )
    .addColumn("state", json as never, (column) => column.notNull())
    .addPrimaryKeyConstraint("tiled_auth_pk_login_states", ["provider", "identity"])
    .execute();
}
