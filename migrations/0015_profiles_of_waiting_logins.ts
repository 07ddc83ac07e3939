/**
 * Profiles (name, verified address) of unfinished logins: device logins whose tokens were not collected yet, and one-time codes
 * that an application has not exchanged yet. Null in older rows, and if the provider sent none.
 */
import type { Kysely } from "kysely";
import { typesOf } from "./dialect.ts";

export async function up(db: Kysely<unknown>): Promise<void> {
  const { json } = typesOf(db);
  for (const table of ["tiled_auth_device_logins", "tiled_auth_login_codes"]) {
    await db.schema
      .alterTable(table)
      .addColumn("profile", json as never)
      .execute();
  }
}
