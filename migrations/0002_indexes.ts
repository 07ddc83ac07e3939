/**
 * Indexes that keep every operation independent of the table sizes: on Tiled's tables by owner and expiry, on ours by the
 * columns they are read by.
 */
import type { Kysely } from "kysely";
import { createIndexes, type Index } from "./create-indexes.ts";

export const INDEXES: readonly Index[] = [
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
  await createIndexes(db, INDEXES);
}
