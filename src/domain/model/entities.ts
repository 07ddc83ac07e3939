/**
 * What the domain talks about: principals, identities, roles, sessions and API keys, as the store hands them out.
 * All values are immutable. Times are `Date` in UTC; whether something is expired is decided by who has the clock.
 */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";

export type PrincipalType = "user" | "service";

export interface IdentityRef {
  readonly provider: string;
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
  /** null: not narrowed; []: nothing that bears tags. */
  readonly accessTags: readonly string[] | null;
  readonly latestActivity: Date | null;
}

/** What every authenticated request needs to know of its principal. */
export interface PrincipalSummary {
  readonly uuid: Uuid;
  readonly type: PrincipalType;
  readonly disabled: boolean;
  readonly identities: readonly IdentityRef[];
  /** Union of the roles' scopes, each once, sorted. */
  readonly scopes: readonly string[];
}

/** A principal with all that whoami shows. Revoked sessions are listed, expired sessions and keys are not. */
export interface PrincipalDocument {
  readonly uuid: Uuid;
  /** Of a service: its purpose in words; absent where it was given none. */
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

/** What a token's `sid` or a refresh needs to know of its session. */
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

/** Which key, without what it may do. */
export type KeyRef = Pick<ApiKeyRecord, "firstEight" | "digest">;

/** Security events, one audit row each. The list is closed so that a reader of the log can rely on it. */
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
  "identity_linked",
  "identity_link_refused",
  "identity_unlinked",
  "database_purged",
  "database_backed_up",
  "database_restored",
] as const;

export type AuditEventName = (typeof AUDIT_EVENTS)[number];

/** The credential that the actor was admitted with; `token`: of no session of ours; `browser`: a cookie. */
export type ActorCredential =
  | { readonly kind: "session" | "browser"; readonly session: Uuid }
  | { readonly kind: "api_key"; readonly firstEight: string; readonly digest: Digest }
  | { readonly kind: "token" };

/** A request as the audit log and the store see it: where it came from, who asked, and with which credential. */
export interface RequestContext {
  readonly address: string | null;
  readonly requestId: string | null;
  /** Who asked; null for anonymous and for the command line. */
  readonly actor: Uuid | null;
  /** The credential that the actor was admitted with. Absent: nothing that could have ended meanwhile. Not kept. */
  readonly credential?: ActorCredential;
  /** Of the command line: the operating system's name of its user. Kept in the detail of audit rows. */
  readonly operator?: string;
  /** By its own account; kept with the sessions that a request opens, not in audit rows. */
  readonly userAgent?: string | null;
}

/** One row of the audit table. Never a secret in it. */
export interface AuditEvent extends RequestContext {
  readonly time: Date;
  readonly event: AuditEventName;
  /** Whom it concerns. */
  readonly principal: Uuid | null;
  readonly identity: IdentityRef | null;
  /**
   * Facts beyond the columns, e.g. `{"reason": "wrong_password"}`, `{"first_eight": "0123abcd"}`; of the command line
   * `{"by": "command line", "os_user": "root"}`.
   */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

export interface AuditRow extends AuditEvent {
  /** Rises with time; the place to go on reading from. */
  readonly id: number;
  /** Where the row stands for several equal events: how many, and when the last one was. */
  readonly count?: number;
  readonly lastTime?: Date;
}
