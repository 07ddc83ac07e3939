/**
 * The newest session that an identity opened is found without those before it. While PostgreSQL builds the index, logins
 * at other servers wait; what only reads goes on.
 */
import type { Kysely } from "kysely";
import { createIndexes, type Index } from "./create-indexes.ts";

export const ORIGINS: Index = [
  "tiled_auth_ix_origins_identity",
  "tiled_auth_session_origins",
  ["provider", "identity", "session_id"],
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await createIndexes(db, [ORIGINS]);
}
