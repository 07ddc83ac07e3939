/** Indexes as data: migrations create them, `restore-indexes.ts` checks that they exist. */
import type { Kysely } from "kysely";

export type Index = readonly [name: string, table: string, columns: readonly string[]];

export async function createIndexes(db: Kysely<unknown>, indexes: readonly Index[]): Promise<void> {
  for (const [name, table, columns] of indexes) {
    await db.schema
      .createIndex(name)
      .ifNotExists()
      .on(table)
      .columns([...columns])
      .execute();
  }
}
