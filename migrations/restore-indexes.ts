/** Tiled's own upgrade recreates `pending_sessions` and so drops its indexes; this restores missing ones. */
import { type Kysely, sql } from "kysely";
import { INDEXES } from "./0002_indexes.ts";
import { replacements } from "./0005_covering_indexes.ts";
import { ORIGINS } from "./0006_origins_by_identity.ts";
import { createTwinsIndex, FOLDED, TWINS } from "./0008_folded_identities.ts";
import { CAVE_LOGINS } from "./0014_cave.ts";
import { LOCAL_ACCOUNTS } from "./0016_local_accounts.ts";
import { createIndexes } from "./create-indexes.ts";
import { typesOf } from "./dialect.ts";

export async function restoreIndexes(db: Kysely<unknown>): Promise<void> {
  const { rows } = await (typesOf(db).postgres
    ? sql<{ name: string }>`select indexname as name from pg_indexes where schemaname = current_schema()`
    : sql<{ name: string }>`select name from sqlite_master where type = 'index'`
  ).execute(db);
  const there = new Set(rows.map(({ name }) => name));
  const replaced = replacements(db);
  const wanted = [
    ...INDEXES.map((index) => replaced[index[0]] ?? index),
    ORIGINS,
    FOLDED,
    ...CAVE_LOGINS,
    ...LOCAL_ACCOUNTS,
  ];
  await createIndexes(
    db,
    wanted.filter(([name]) => !there.has(name)),
  );
  if (!there.has(TWINS)) await createTwinsIndex(db);
}
