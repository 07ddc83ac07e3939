/** Who has the role admin by a group of a provider, so that only such a role is taken back. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("tiled_auth_group_roles")
    .addColumn("principal_id", "integer", (column) =>
      column.notNull().references("principals.id").onDelete("cascade"),
    )
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addPrimaryKeyConstraint("tiled_auth_pk_group_roles", ["principal_id", "provider"])
    .execute();
}
