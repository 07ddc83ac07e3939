/**
 * Tables for CAVE: tokens that a browser hands to a service or viewer, which end with the browser's session, and who has
 * accepted which terms of service.
 */
import type { Kysely } from "kysely";
import { createIndexes, type Index } from "./create-indexes.ts";
import { typesOf } from "./dialect.ts";

export const CAVE_LOGINS: readonly Index[] = ["session_id", "expiration_time"].map((column) => [
  `tiled_auth_ix_cave_logins_${column}`,
  "tiled_auth_cave_logins",
  [column],
]);

export async function up(db: Kysely<unknown>): Promise<void> {
  const { time } = typesOf(db);
  await db.schema
    .createTable("tiled_auth_cave_logins")
    .addColumn("token", "varchar(64)", (column) => column.primaryKey())
    .addColumn("session_id", "integer", (column) =>
      column.notNull().references("sessions.id").onDelete("cascade"),
    )
    .addColumn("origin", "varchar(255)", (column) => column.notNull())
    .addColumn("time_created", time as never, (column) => column.notNull())
    .addColumn("expiration_time", time as never, (column) => column.notNull())
    .execute();
  await createIndexes(db, CAVE_LOGINS);

  await db.schema
    .createTable("tiled_auth_cave_tos")
    .addColumn("principal_id", "integer", (column) =>
      column.notNull().references("principals.id").onDelete("cascade"),
    )
    .addColumn("tos", "integer", (column) => column.notNull())
    .addColumn("time", time as never, (column) => column.notNull())
    .addPrimaryKeyConstraint("tiled_auth_pk_cave_tos", ["principal_id", "tos"])
    .execute();
}
