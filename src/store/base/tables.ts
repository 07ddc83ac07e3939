/**
 * Types of the tables for kysely: Tiled's (revision 0a017b76d0d0, whose names and types are a contract) and our own, which
 * begin with `tiled_auth_`. Both dialects return `Date`, `boolean` and `Buffer`; lists in `scopes` and `access_tags` are text
 * as Python writes it (`codec.ts`).
 */
import type { ColumnType, Generated } from "kysely";
import type { Profile } from "../../domain/ports/authenticator.ts";
import type { LocalAccountState } from "../../domain/ports/local-accounts.ts";
import type { DevicePhase, DeviceRefusal } from "../../domain/ports/logins.ts";
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";

/** Read as an object, written as text. */
type Json = ColumnType<Record<string, unknown> | null, string, string>;
type ProfileJson = ColumnType<Profile | null, string | null, string | null>;

interface Timestamped {
  time_created: Generated<Date>;
  /** Null until the first update. */
  time_updated: Generated<Date | null>;
}

interface PrincipalsTable extends Timestamped {
  id: Generated<number>;
  uuid: Uuid;
  type: "user" | "service";
}

interface IdentitiesTable extends Timestamped {
  id: string;
  provider: string;
  principal_id: number;
  latest_login: Date | null;
}

interface RolesTable extends Timestamped {
  id: Generated<number>;
  name: string;
  description: string | null;
  scopes: string;
}

interface PrincipalRoleAssociationTable {
  principal_id: number;
  role_id: number;
}

interface ApiKeysTable extends Timestamped {
  first_eight: string;
  hashed_secret: Buffer;
  expiration_time: Date | null;
  latest_activity: Date | null;
  note: string | null;
  principal_id: number;
  scopes: string;
  access_tags: string | null;
}

interface SessionsTable extends Timestamped {
  id: Generated<number>;
  uuid: Uuid;
  time_last_refreshed: Date | null;
  refresh_count: number;
  expiration_time: Date;
  principal_id: number;
  revoked: boolean;
  state: Json;
}

interface PendingSessionsTable {
  hashed_device_code: Buffer;
  user_code: string;
  expiration_time: Date;
  session_id: number | null;
}

/** Columns that Tiled's table lacks. A row is deleted with its row of `pending_sessions`. */
interface DeviceLoginsTable {
  hashed_device_code: Buffer;
  state: Digest;
  provider: string;
  redirect_uri: string;
  nonce: string;
  code_verifier: string;
  time_created: Date;
  address: string | null;
  /** The part of the address that identifies one machine. */
  place: string;
  user_agent: string | null;
  phase: DevicePhase["kind"];
  reason: DeviceRefusal | null;
  wrong_codes: number;
  browser: Digest | null;
  identity: string | null;
  session_state: ColumnType<Record<string, unknown> | null, string | null, string | null>;
  /** Null: the provider sent neither a name nor an address. */
  profile: ProfileJson;
}

interface UsedStatesTable {
  state: Digest;
  place: string;
  expiration_time: Date;
}

interface LoginCodesTable {
  code: Digest;
  provider: string;
  browser: Digest;
  challenge: string | null;
  identity: string;
  session_state: Json;
  /** Null: the provider sent neither a name nor an address. */
  profile: ProfileJson;
  expiration_time: Date;
}

/** Identity, address and user agent of each session that this server opened. */
interface SessionOriginsTable {
  session_id: number;
  provider: string;
  identity: string;
  address: string | null;
  user_agent: string | null;
}

/** Token of a logged-in browser. */
interface BrowserSessionsTable {
  token: Digest;
  session_id: number;
}

/** A session without a row is at generation 0. */
interface RotationsTable {
  session_id: number;
  generation: number;
  /** The id of the token that was exchanged for this generation. */
  exchanged: string;
  /** Null in rows older than this column. */
  exchanged_at: Date | null;
  /** Whether a token of the session was ever presented again: several programs share the login. */
  shared: boolean;
  /** Whether the exchanged token was presented again. */
  retried: boolean;
}

/** One row for each row of `identities`. */
interface FoldedIdentitiesTable {
  id: string;
  provider: string;
  folded: string;
  /** Whether an older identity has the same folded name. */
  twin: boolean;
}

/** Long login states, one per identity. */
interface LoginStatesTable {
  provider: string;
  identity: string;
  /** The session whose login brought the state. */
  session_id: number;
  state: Json;
}

/** Notes of service principals. */
interface ServiceNotesTable {
  principal_id: number;
  note: string;
}

/** One row for each identity whose provider ever sent a name or an address. */
interface ProfilesTable {
  provider: string;
  identity: string;
  name: string | null;
  /** Verified by the provider. */
  email: string | null;
}

/** Tokens that browsers handed to CAVE's services and viewers. */
interface CaveLoginsTable {
  token: Digest;
  session_id: number;
  origin: string;
  time_created: Date;
  expiration_time: Date;
}

/** Terms of service that were accepted. */
interface CaveTosTable {
  principal_id: number;
  tos: number;
  time: Date;
}

/** Accounts that this server keeps itself. */
interface AccountsTable {
  id: Generated<number>;
  provider: string;
  name: string;
  /** The name in the form in which it is unique. */
  name_key: string;
  email: string | null;
  /** Its hash. */
  password: string | null;
  password_time: Date | null;
  /** `removed`: the name is reserved. */
  state: LocalAccountState | "removed";
  time_created: Date;
  time_updated: ColumnType<Date | null, never, Date>;
}

interface AccountGroupsTable {
  account_id: number;
  name: string;
}

/** One-time links. */
interface AccountLinksTable {
  digest: Digest;
  account_id: number;
  purpose: "invitation" | "reset";
  expiration_time: Date;
}

interface GroupRolesTable {
  principal_id: number;
  provider: string;
}

interface DisabledPrincipalsTable {
  principal_id: number;
  time: Date;
}

interface AuditTable {
  id: Generated<number>;
  time: Date;
  event: string;
  actor: Uuid | null;
  principal: Uuid | null;
  provider: string | null;
  identity: string | null;
  address: string | null;
  request_id: string | null;
  detail: Json;
  /** Number of equal events in this row, and the time of the last one (null for a single event). */
  count: Generated<number>;
  last_time: Generated<Date | null>;
}

/** Read and written by rate-limiter-flexible (PostgreSQL only); `expire` in milliseconds since the epoch. */
interface FailuresTable {
  key: string;
  points: number;
  expire: number | null;
}

/** All tables by name. */
export interface Tables {
  principals: PrincipalsTable;
  identities: IdentitiesTable;
  roles: RolesTable;
  principal_role_association: PrincipalRoleAssociationTable;
  api_keys: ApiKeysTable;
  sessions: SessionsTable;
  pending_sessions: PendingSessionsTable;
  alembic_version: { version_num: string };
  tiled_auth_device_logins: DeviceLoginsTable;
  tiled_auth_used_states: UsedStatesTable;
  tiled_auth_login_codes: LoginCodesTable;
  tiled_auth_session_origins: SessionOriginsTable;
  tiled_auth_browser_sessions: BrowserSessionsTable;
  tiled_auth_rotations: RotationsTable;
  tiled_auth_service_notes: ServiceNotesTable;
  tiled_auth_login_states: LoginStatesTable;
  tiled_auth_folded_identities: FoldedIdentitiesTable;
  tiled_auth_profiles: ProfilesTable;
  tiled_auth_cave_logins: CaveLoginsTable;
  tiled_auth_cave_tos: CaveTosTable;
  tiled_auth_accounts: AccountsTable;
  tiled_auth_account_groups: AccountGroupsTable;
  tiled_auth_account_links: AccountLinksTable;
  tiled_auth_group_roles: GroupRolesTable;
  tiled_auth_disabled_principals: DisabledPrincipalsTable;
  tiled_auth_audit: AuditTable;
  tiled_auth_failures: FailuresTable;
}
