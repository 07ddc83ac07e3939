/**
 * Our own tables and indexes beside Tiled's, by numbered migrations (`migrations/`). What was run is written down in
 * tables of our own, so that Tiled's own upgrades are not disturbed.
 */
import type { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import { MIGRATIONS, restoreIndexes } from "../../../migrations/index.ts";
import { OperatorError } from "../../errors.ts";
import { messageOf } from "../base/errors.ts";
import type { Tables } from "../base/tables.ts";

/** The migrations that were run now. `schema`: of PostgreSQL, so that another schema's tables are not taken for ours. */
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
        `The database was used by a newer version of tiled-auth, which this version cannot follow: ${messageOf(error)}`,
      );
    }
    throw error;
  }
  await restoreIndexes(db as Kysely<unknown>);
  return results.map(({ migrationName }) => migrationName);
}
