/**
 * The migrations of our own tables, in the order of their names. A migration that was released never changes.
 */
import type { Migration } from "kysely/migration";
import * as tables from "./0001_own_tables.ts";
import * as indexes from "./0002_indexes.ts";
import * as externalLogins from "./0003_external_logins.ts";
import * as accounts from "./0004_accounts.ts";
import * as coveringIndexes from "./0005_covering_indexes.ts";
import * as originsByIdentity from "./0006_origins_by_identity.ts";
import * as retries from "./0007_retries.ts";
import * as foldedIdentities from "./0008_folded_identities.ts";
import * as usedStates from "./0009_used_states.ts";
import * as foldedAudit from "./0010_folded_audit.ts";
import * as loginStates from "./0011_login_states.ts";
import * as serviceNotes from "./0012_service_notes.ts";
import * as profiles from "./0013_profiles.ts";
import * as cave from "./0014_cave.ts";
import * as profilesOfWaitingLogins from "./0015_profiles_of_waiting_logins.ts";
import * as localAccounts from "./0016_local_accounts.ts";
import * as groupRoles from "./0017_group_roles.ts";

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001_own_tables": tables,
  "0002_indexes": indexes,
  "0003_external_logins": externalLogins,
  "0004_accounts": accounts,
  "0005_covering_indexes": coveringIndexes,
  "0006_origins_by_identity": originsByIdentity,
  "0007_retries": retries,
  "0008_folded_identities": foldedIdentities,
  "0009_used_states": usedStates,
  "0010_folded_audit": foldedAudit,
  "0011_login_states": loginStates,
  "0012_service_notes": serviceNotes,
  "0013_profiles": profiles,
  "0014_cave": cave,
  "0015_profiles_of_waiting_logins": profilesOfWaitingLogins,
  "0016_local_accounts": localAccounts,
  "0017_group_roles": groupRoles,
};

export { restoreIndexes } from "./restore-indexes.ts";
