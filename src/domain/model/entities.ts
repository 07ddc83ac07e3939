/**
 * Principals, identities, roles, sessions and API keys, as the store returns them. All values are immutable. Times are `Date`
 * in UTC; the services, which have the clock, decide whether something has expired.
 */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";

export type PrincipalType = "user" | "service";

/** A name at a provider. */
export interface IdentityRef {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** 1 to 255 characters. */
  readonly id: string;
}

interface Identity extends IdentityRef {
  readonly latestLogin: Date | null;
}

interface Role {
  readonly name: string;
  readonly scopes: readonly string[];
}

/** A session as whoami lists it. */
export interface Session {
  readonly uuid: Uuid;
  readonly expirationTime: Date;
  readonly revoked: boolean;
  readonly state: Readonly<Record<string, unknown>>;
}

/** An API key as it is listed: never its secret. */
export interface ApiKey {
  /** Eight lower-case hex digits. */
  readonly firstEight: string;
  readonly expirationTime: Date | null;
  readonly note: string | null;
  /** Scopes, or `["inherit"]`. */
  readonly scopes: readonly string[];
  /** null: not restricted; []: nothing with tags. */
  readonly accessTags: readonly string[] | null;
  readonly latestActivity: Date | null;
}

/** The part of a principal that every authenticated request needs. */
export interface PrincipalSummary {
  readonly uuid: Uuid;
  readonly type: PrincipalType;
  readonly disabled: boolean;
  readonly identities: readonly IdentityRef[];
  /** Union of the roles' scopes, each once, sorted. */
  readonly scopes: readonly string[];
}

/** A principal as whoami shows it. Includes revoked sessions; excludes expired sessions and keys. */
export interface PrincipalDocument {
  readonly uuid: Uuid;
  /** Purpose of a service, if it was given one. */
  readonly note?: string;
  readonly type: PrincipalType;
  readonly disabled: boolean;
  readonly identities: readonly Identity[];
  readonly roles: readonly Role[];
  readonly sessions: readonly Session[];
  readonly apiKeys: readonly ApiKey[];
  /** Newest of logins, refreshes and key uses. */
  readonly latestActivity: Date | null;
}

/** The part of a session that tokens and refreshes need. */
export interface SessionStatus {
  readonly uuid: Uuid;
  readonly principal: Uuid;
  readonly expirationTime: Date;
  readonly revoked: boolean;
  readonly state: Readonly<Record<string, unknown>>;
}

/** An API key as it is checked. */
export interface ApiKeyRecord extends ApiKey {
  readonly digest: Digest;
  readonly principal: Uuid;
}

/** Identifies a key. */
export type KeyRef = Pick<ApiKeyRecord, "firstEight" | "digest">;

/** Security events, one audit row each. The list is closed, so that readers of the log can rely on it. */
export const AUDIT_EVENTS = [
  "login",
  "login_failed",
  "login_throttled",
  "device_login_started",
  "device_login_confirmed",
  "device_login_refused",
  "session_refresh_reuse",
  "session_refresh_retried",
  "session_revoked",
  "api_key_created",
  "api_key_first_used",
  "api_key_revoked",
  "principal_created",
  "principal_disabled",
  "principal_enabled",
  "role_granted",
  "role_revoked",
  "role_by_group",
  "identity_linked",
  "identity_link_refused",
  "identity_unlinked",
  "account_added",
  "account_invited",
  "account_renamed",
  "account_removed",
  "accounts_imported",
  "password_changed",
  "password_reset",
  "cave_login_token_issued",
  "cave_login_token_revoked",
  "cave_terms_accepted",
  "database_purged",
  "database_backed_up",
  "database_restored",
] as const;

export type AuditEventName = (typeof AUDIT_EVENTS)[number];

/**
 * The credential with which the actor was admitted. `token`: without a session of ours; `browser`: a cookie; `cave_login`: a
 * login token of CAVE's.
 */
export type ActorCredential =
  | { readonly kind: "session" | "browser"; readonly session: Uuid }
  | { readonly kind: "api_key"; readonly firstEight: string; readonly digest: Digest }
  | { readonly kind: "cave_login"; readonly session: Uuid; readonly digest: Digest }
  | { readonly kind: "token" };

/** A request as the audit log and the store see it: its address, its actor and their credential. */
export interface RequestContext {
  readonly address: string | null;
  readonly requestId: string | null;
  /** The principal that asked; null for anonymous callers and the command line. */
  readonly actor: Uuid | null;
  /** Absent if it cannot be revoked. Not stored. */
  readonly credential?: ActorCredential;
  /** For the command line: the operating system user. Stored in the detail of audit rows. */
  readonly operator?: string;
  /** As the client claims. Stored with sessions that the request opens, not in audit rows. */
  readonly userAgent?: string | null;
}

/** One row of the audit table. Contains no secret. */
export interface AuditEvent extends RequestContext {
  readonly time: Date;
  readonly event: AuditEventName;
  /** The principal concerned. */
  readonly principal: Uuid | null;
  readonly identity: IdentityRef | null;
  /**
   * Further facts, e.g. `{"reason": "wrong_password"}`, `{"first_eight": "0123abcd"}`; from the command line
   * `{"by": "command line", "os_user": "root"}`.
   */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

export interface AuditRow extends AuditEvent {
  /** Increases with time; the position from which to continue reading. */
  readonly id: number;
  /** If the row stands for several equal events: their number, and the time of the last. */
  readonly count?: number;
  readonly lastTime?: Date;
}
