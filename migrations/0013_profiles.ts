/** What a provider said about an identity at its newest login: the person's name, and an address that it has verified. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("tiled_auth_profiles")
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addColumn("identity", "varchar(255)", (column) => column.notNull())
    .addColumn("name", "varchar(255)")
    .addColumn("email", "varchar(255)")
    .addPrimaryKeyConstraint("tiled_auth_pk_profiles", ["provider", "identity"])
    .addForeignKeyConstraint(
      "tiled_auth_fk_profiles_identity",
      ["identity", "provider"],
      "identities",
      ["id", "provider"],
      (constraint) => constraint.onDelete("cascade").onUpdate("cascade"),
    )
    .execute();
}
