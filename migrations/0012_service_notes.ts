/** The note of a service, which has no identity whose name a list could show. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("tiled_auth_service_notes")
    .addColumn("principal_id", "integer", (column) =>
      column.primaryKey().references("principals.id").onDelete("cascade"),
    )
    .addColumn("note", "varchar(255)", (column) => column.notNull())
    .execute();
}
