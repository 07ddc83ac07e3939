/**
 * Refresh token rotation, disabled principals, the audit log, and failure counters. Rows of a session or principal are deleted
 * with it by foreign keys, because the real Tiled deletes those without knowing our tables.
 */
import { type Kysely, sql } from "kysely";
import { typesOf } from "./dialect.ts";

export async function up(db: Kysely<unknown>): Promise<void> {
  const { postgres, time, json } = typesOf(db);

  await db.schema
    .createTable("tiled_auth_rotations")
    .addColumn("session_id", "integer", (column) =>
      column.primaryKey().references("sessions.id").onDelete("cascade"),
    )
    .addColumn("generation", "integer", (column) => column.notNull())
    .addColumn("exchanged", "varchar(64)", (column) => column.notNull())
    .execute();

  await db.schema
    .createTable("tiled_auth_disabled_principals")
    .addColumn("principal_id", "integer", (column) =>
      column.primaryKey().references("principals.id").onDelete("cascade"),
    )
    .addColumn("time", time as never, (column) => column.notNull())
    .execute();

  await db.schema
    .createTable("tiled_auth_audit")
    // Ids are never reused, not even after a purge of the newest rows: readers continue after the last id.
    .addColumn("id", postgres ? "bigserial" : "integer", (column) =>
      postgres ? column.primaryKey() : column.primaryKey().autoIncrement(),
    )
    .addColumn("time", time as never, (column) => column.notNull())
    .addColumn("event", "varchar(64)", (column) => column.notNull())
    .addColumn("actor", "varchar(36)")
    .addColumn("principal", "varchar(36)")
    .addColumn("provider", "varchar(255)")
    .addColumn("identity", "varchar(255)")
    .addColumn("address", "varchar(255)")
    .addColumn("request_id", "varchar(64)")
    .addColumn("detail", json as never, (column) => column.notNull())
    .execute();

  await db.schema
    .createTable("tiled_auth_failures")
    .addColumn("key", "varchar(255)", (column) => column.primaryKey())
    .addColumn("points", "integer", (column) => column.notNull().defaultTo(sql`0`))
    .addColumn("expire", "bigint")
    .execute();
}
