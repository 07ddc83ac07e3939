/**
 * An index for the newest session of an identity. While PostgreSQL builds it, logins at other servers wait; reads continue.
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
