/**
 * The index by owner includes the columns of API keys that whoami shows, and those of sessions that a login counts: rows made
 * years apart lie far apart, and each would be a read of its own.
 */
import type { Kysely } from "kysely";
import { createIndexes, type Index } from "./create-indexes.ts";
import { typesOf } from "./dialect.ts";

/** A session's `expiration_time` never changes. */
const SESSIONS: Index = [
  "tiled_auth_ix_sessions_owner_end",
  "sessions",
  ["principal_id", "revoked", "id", "expiration_time"],
];
const KEYS: Index = [
  "tiled_auth_ix_api_keys_shown",
  "api_keys",
  [
    "principal_id",
    "first_eight",
    "time_created",
    "expiration_time",
    "latest_activity",
    "scopes",
    "access_tags",
    "note",
  ],
];

/**
 * By the index that each one replaces. SQLite's only: PostgreSQL would look at the rows all the same, to see whether they
 * are visible, and dropping an index would block other connections.
 */
export function replacements(db: Kysely<unknown>): Readonly<Record<string, Index>> {
  if (typesOf(db).postgres) return {};
  return { tiled_auth_ix_sessions_owner: SESSIONS, tiled_auth_ix_api_keys_principal: KEYS };
}

export async function up(db: Kysely<unknown>): Promise<void> {
  const changes = replacements(db);
  await createIndexes(db, Object.values(changes));
  for (const replaced of Object.keys(changes)) await db.schema.dropIndex(replaced).ifExists().execute();
}
