/**
 * Pending logins at external providers. Columns that Tiled's `pending_sessions` lacks are in a table beside it, deleted with
 * its rows; browser logins and one-time codes of applications are ours alone.
 */
import type { Kysely } from "kysely";
import { typesOf } from "./dialect.ts";

export async function up(db: Kysely<unknown>): Promise<void> {
  const { postgres, time, json } = typesOf(db);

  await db.schema
    .createTable("tiled_auth_device_logins")
    .addColumn("hashed_device_code", postgres ? "bytea" : "blob", (column) =>
      column.primaryKey().references("pending_sessions.hashed_device_code").onDelete("cascade"),
    )
    .addColumn("state", "varchar(64)", (column) => column.notNull().unique())
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addColumn("redirect_uri", "text", (column) => column.notNull())
    .addColumn("nonce", "varchar(64)", (column) => column.notNull())
    .addColumn("code_verifier", "varchar(128)", (column) => column.notNull())
    .addColumn("time_created", time as never, (column) => column.notNull())
    .addColumn("address", "varchar(255)")
    .addColumn("place", "varchar(255)", (column) => column.notNull())
    .addColumn("user_agent", "varchar(255)")
    .addColumn("phase", "varchar(16)", (column) => column.notNull())
    .addColumn("reason", "varchar(32)")
    .addColumn("wrong_codes", "integer", (column) => column.notNull())
    .addColumn("browser", "varchar(64)")
    .addColumn("identity", "varchar(255)")
    .addColumn("session_state", json as never)
    .execute();

  await db.schema
    .createTable("tiled_auth_browser_logins")
    .addColumn("state", "varchar(64)", (column) => column.primaryKey())
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addColumn("redirect_uri", "text", (column) => column.notNull())
    .addColumn("nonce", "varchar(64)", (column) => column.notNull())
    .addColumn("code_verifier", "varchar(128)", (column) => column.notNull())
    .addColumn("browser", "varchar(64)", (column) => column.notNull())
    .addColumn("place", "varchar(255)", (column) => column.notNull())
    .addColumn("goal", json as never, (column) => column.notNull())
    .addColumn("expiration_time", time as never, (column) => column.notNull())
    .execute();

  await db.schema
    .createTable("tiled_auth_login_codes")
    .addColumn("code", "varchar(64)", (column) => column.primaryKey())
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addColumn("browser", "varchar(64)", (column) => column.notNull())
    .addColumn("challenge", "varchar(64)")
    .addColumn("identity", "varchar(255)", (column) => column.notNull())
    .addColumn("session_state", json as never, (column) => column.notNull())
    .addColumn("expiration_time", time as never, (column) => column.notNull())
    .execute();

  for (const [table, column] of INDEXES) {
    await db.schema.createIndex(`${table}_ix_${column}`).on(table).columns([column]).execute();
  }
}

const INDEXES = [
  ["tiled_auth_device_logins", "place"],
  ["tiled_auth_browser_logins", "place"],
  ["tiled_auth_browser_logins", "expiration_time"],
  ["tiled_auth_login_codes", "expiration_time"],
] as const;
