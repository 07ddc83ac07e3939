/**
 * The export of a middle_auth server, as `tiled admin import-cave` reads it: one list for each table, with middle_auth's
 * numbers. `domain/cave/export-file.ts` checks it.
 */
import type { Digest } from "../../lib/secrets.ts";

export interface ExportedUser {
  readonly id: number;
  readonly name: string;
  /** Null for a service account. */
  readonly email: string | null;
  /** A superadmin. */
  readonly admin: boolean;
  /** The person who made a service account; null for a person. */
  readonly parent_id: number | null;
  readonly read_only: boolean;
  readonly created: Date | null;
}

interface ExportedToken {
  readonly user_id: number;
  readonly first_eight: string;
  /** Of the token's sixteen bytes. */
  readonly sha256: Digest;
  readonly description: string | null;
  readonly created: Date | null;
  readonly last_used: Date | null;
}

export interface ExportedGroup {
  readonly id: number;
  readonly name: string;
}

export interface ExportedMember {
  readonly user_id: number;
  readonly group_id: number;
  readonly admin: boolean;
}

interface ExportedDataset {
  readonly id: number;
  readonly name: string;
  readonly tos_id: number | null;
}

interface ExportedDatasetAdmin {
  readonly user_id: number;
  readonly dataset_id: number;
}

interface ExportedPermission {
  readonly group_id: number;
  readonly dataset_id: number;
  readonly permission_id: number;
  readonly permission: string;
}

interface ExportedTable {
  readonly service: string;
  readonly table: string;
  readonly dataset_id: number;
}

export interface ExportedTerms {
  readonly id: number;
  readonly name: string;
  readonly text: string;
}

interface ExportedAcceptance {
  readonly user_id: number;
  readonly tos_id: number;
  readonly time: Date | null;
}

/** A checked file: every reference exists, and there are no duplicates. */
export interface CaveExport {
  readonly users: readonly ExportedUser[];
  readonly tokens: readonly ExportedToken[];
  readonly groups: readonly ExportedGroup[];
  readonly members: readonly ExportedMember[];
  readonly datasets: readonly ExportedDataset[];
  readonly dataset_admins: readonly ExportedDatasetAdmin[];
  readonly permissions: readonly ExportedPermission[];
  readonly tables: readonly ExportedTable[];
  readonly tos: readonly ExportedTerms[];
  readonly accepted: readonly ExportedAcceptance[];
  readonly apps: readonly { readonly url: string }[];
}
