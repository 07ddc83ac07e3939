/**
 * Indexes that make what every operation costs independent of how much there is: on Tiled's tables by owner and by
 * expiry, on ours by what they are read by.
 */
import { type Kysely, sql } from "kysely";

const INDEXES: readonly (readonly [name: string, table: string, columns: readonly string[]])[] = [
  ["tiled_auth_ix_identities_principal", "identities", ["principal_id"]],
  ["tiled_auth_ix_association_role", "principal_role_association", ["role_id"]],
  ["tiled_auth_ix_sessions_owner", "sessions", ["principal_id", "revoked", "id"]],
  ["tiled_auth_ix_sessions_expiration", "sessions", ["expiration_time"]],
  ["tiled_auth_ix_api_keys_principal", "api_keys", ["principal_id"]],
  ["tiled_auth_ix_api_keys_expiration", "api_keys", ["expiration_time"]],
  ["tiled_auth_ix_pending_expiration", "pending_sessions", ["expiration_time"]],
  ["tiled_auth_ix_pending_session", "pending_sessions", ["session_id"]],
  ["tiled_auth_ix_audit_time", "tiled_auth_audit", ["time"]],
  ["tiled_auth_ix_audit_principal", "tiled_auth_audit", ["principal", "id"]],
  ["tiled_auth_ix_audit_event", "tiled_auth_audit", ["event", "id"]],
  ["tiled_auth_ix_failures_expire", "tiled_auth_failures", ["expire"]],
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [name, table, columns] of INDEXES) {
    await db.schema
      .createIndex(name)
      .ifNotExists()
      .on(table)
      .columns([...columns])
      .execute();
  }
}

/** Tiled's own upgrade makes `pending_sessions` anew and so drops what was on it: what is missing comes back. */
export async function restoreIndexes(db: Kysely<unknown>, dialect: "sqlite" | "postgresql"): Promise<void> {
  const { rows } =
    dialect === "sqlite"
      ? await sql<{ name: string }>`select name from sqlite_master where type = 'index'`.execute(db)
      : await sql<{
          name: string;
        }>`select indexname as name from pg_indexes where schemaname = current_schema()`.execute(db);
  const there = new Set(rows.map(({ name }) => name));
  if (INDEXES.some(([name]) => !there.has(name))) await up(db);
}
