/**
 * Browser logins are sealed into their own state; only used states are stored, so that none is used twice.
 */
import type { Kysely } from "kysely";
import { typesOf } from "./dialect.ts";

const TABLE = "tiled_auth_used_states";

export async function up(db: Kysely<unknown>): Promise<void> {
  const { time } = typesOf(db);
  await db.schema
    .createTable(TABLE)
    .addColumn("state", "varchar(64)", (column) => column.primaryKey())
    .addColumn("place", "varchar(255)", (column) => column.notNull())
    .addColumn("expiration_time", time as never, (column) => column.notNull())
    .execute();
  await db.schema.createIndex(`${TABLE}_ix_place`).on(TABLE).columns(["place", "expiration_time"]).execute();
  await db.schema.createIndex(`${TABLE}_ix_expiration_time`).on(TABLE).columns(["expiration_time"]).execute();
  await db.schema.dropTable("tiled_auth_browser_logins").execute();
}
