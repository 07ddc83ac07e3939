/**
 * Runs the numbered migrations (`migrations/`) that create our own tables and indexes. They are recorded in a table of our own,
 * so that Tiled's upgrades are not affected.
 */
import type { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { MIGRATIONS, restoreIndexes } from "../../../migrations/index.ts";
import { OperatorError } from "../../errors.ts";
import { messageOf } from "../base/errors.ts";
import type { Tables } from "../base/tables.ts";

/**
 * Runs the missing migrations and returns their names. `schema` is PostgreSQL's current schema, so that tables in another
 * schema are not taken for ours.
 */
export async function migrate(db: Kysely<Tables>, schema: string | undefined): Promise<readonly string[]> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => MIGRATIONS },
    migrationTableName: "tiled_auth_migration",
    migrationLockTableName: "tiled_auth_migration_lock",
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) {
    if (/corrupted migrations/.test(messageOf(error))) {
      throw new OperatorError(
        `The database was used by a newer version of tiled-auth and this version cannot open it: ${messageOf(error)}`,
      );
    }
    throw error;
  }
  await restoreIndexes(db as Kysely<unknown>);
  return results.map(({ migrationName }) => migrationName);
}
