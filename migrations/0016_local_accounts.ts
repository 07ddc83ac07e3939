/**
 * Accounts that this server keeps itself: names, hashes of passwords, groups, one-time links, and the places from which a person
 * logged in.
 */
import type { Kysely } from "kysely";
import { createIndexes, type Index } from "./create-indexes.ts";
import { typesOf } from "./dialect.ts";

export const LOCAL_ACCOUNTS: readonly Index[] = [
  ["tiled_auth_ix_account_links_account_id", "tiled_auth_account_links", ["account_id"]],
  ["tiled_auth_ix_account_links_expiration_time", "tiled_auth_account_links", ["expiration_time"]],
  ["tiled_auth_ix_known_places_time", "tiled_auth_known_places", ["time"]],
];

export async function up(db: Kysely<unknown>): Promise<void> {
  const { postgres, time } = typesOf(db);
  await db.schema
    .createTable("tiled_auth_accounts")
    // Ids are never reused: links and places of a removed account belong to no other.
    .addColumn("id", postgres ? "serial" : "integer", (column) =>
      postgres ? column.primaryKey() : column.primaryKey().autoIncrement(),
    )
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addColumn("name", "varchar(255)", (column) => column.notNull())
    .addColumn("name_key", "varchar(255)", (column) => column.notNull())
    .addColumn("email", "varchar(255)")
    .addColumn("password", "varchar(255)")
    .addColumn("password_time", time as never)
    .addColumn("state", "varchar(16)", (column) => column.notNull())
    .addColumn("time_created", time as never, (column) => column.notNull())
    .addColumn("time_updated", time as never)
    .addUniqueConstraint("tiled_auth_uq_accounts_name_key", ["provider", "name_key"])
    .execute();

  await db.schema
    .createTable("tiled_auth_account_groups")
    .addColumn("account_id", "integer", (column) =>
      column.notNull().references("tiled_auth_accounts.id").onDelete("cascade"),
    )
    .addColumn("name", "varchar(255)", (column) => column.notNull())
    .addPrimaryKeyConstraint("tiled_auth_pk_account_groups", ["account_id", "name"])
    .execute();

  await db.schema
    .createTable("tiled_auth_account_links")
    .addColumn("digest", "varchar(64)", (column) => column.primaryKey())
    .addColumn("account_id", "integer", (column) =>
      column.notNull().references("tiled_auth_accounts.id").onDelete("cascade"),
    )
    .addColumn("purpose", "varchar(16)", (column) => column.notNull())
    .addColumn("expiration_time", time as never, (column) => column.notNull())
    .execute();

  await db.schema
    .createTable("tiled_auth_known_places")
    .addColumn("account_id", "integer", (column) =>
      column.notNull().references("tiled_auth_accounts.id").onDelete("cascade"),
    )
    // A digest of the address block, or of a browser's cookie.
    .addColumn("place", "varchar(64)", (column) => column.notNull())
    .addColumn("time", time as never, (column) => column.notNull())
    .addPrimaryKeyConstraint("tiled_auth_pk_known_places", ["account_id", "place"])
    .execute();
  await createIndexes(db, LOCAL_ACCOUNTS);
}
