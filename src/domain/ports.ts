/**
 * What the domain asks of a store, one small interface per aggregate. SQLite and PostgreSQL implement them with the
 * same code (`store/`), and one conformance suite holds both to what stands here.
 *
 * Rules for every method:
 * - A method that writes resolves only once the change is durable, and writes its audit rows in the same transaction.
 * - An outcome that a caller must tell apart is a value (`kind`); only a broken or full database throws, as a
 *   `Failure` `store_unavailable`, `store_busy` or `store_full`. Nothing is changed then.
 * - Limits hold under concurrency: the principal's row is locked while they are counted.
 * - What an actor changes (`origin.credential`) is changed only while that credential counts and its principal is not
 *   disabled, both looked at inside the change's transaction; else the outcome is `shut_out`.
 */
import type { Digest } from "../lib/secrets.ts";
import type { Uuid } from "../lib/uuid.ts";
import type { AccountStore, BrowserSessionStore } from "./account-ports.ts";
import type { BrowserLoginStore, DeviceLoginStore } from "./login-ports.ts";
import type {
  ApiKey,
  ApiKeyRecord,
  AuditEvent,
  AuditEventName,
  AuditRow,
  IdentityRef,
  Origin,
  PrincipalDocument,
  PrincipalSummary,
  SessionStatus,
} from "./model/entities.ts";

export interface Page {
  readonly offset: number;
  readonly limit: number;
}

/** Who asked for the change has been shut out since the request was let in. Nothing was changed. */
export interface ShutOut {
  readonly kind: "shut_out";
  readonly why: "principal" | "credential";
}

export interface PrincipalStore {
  summary(uuid: Uuid): Promise<PrincipalSummary | undefined>;
  summaryOfIdentity(identity: IdentityRef): Promise<PrincipalSummary | undefined>;
  /** The principal of an identity. An unknown identity costs as much work as a known one. */
  principalOf(identity: IdentityRef): Promise<Uuid | null>;
  /** `now` decides which sessions and keys are expired and so left out. */
  document(uuid: Uuid, now: Date): Promise<PrincipalDocument | undefined>;
  /**
   * Finds or makes the person of an identity that needs no session here. Fails with `other_spelling` unless
   * `caseSensitive`, as `OpenSession` says. Audit: principal_created where new.
   */
  ensureUser(
    identity: IdentityRef,
    now: Date,
    origin: Origin,
    caseSensitive?: boolean,
  ): Promise<PrincipalSummary>;
  /** Names that are there in several spellings, of these providers; at most twenty rows of each. */
  twins(providers: readonly string[]): Promise<readonly TwinNames[]>;
  /** This identity and the other spellings of its name that are known, the oldest first; at most twenty. */
  spellings(identity: IdentityRef): Promise<readonly IdentityRef[]>;
  /** In the order of creation. */
  list(page: Page, now: Date): Promise<readonly PrincipalDocument[]>;
  /** The names and scopes of all roles. */
  roles(): Promise<readonly { readonly name: string; readonly scopes: readonly string[] }[]>;
  /**
   * A new principal of type service. The role `metrics` is made where it is missing. `note`: at most 255 characters, without
   * NUL. Audit: principal_created.
   */
  createService(
    role: string,
    now: Date,
    origin: Origin,
    note?: string,
  ): Promise<{ readonly kind: "created"; readonly uuid: Uuid } | { readonly kind: "unknown_role" } | ShutOut>;
  /**
   * Disabling is refused where no enabled principal with the role `admin` would be left who has logged in or has a key that
   * counts; of those who never could, the last one. `evenLastAdmin`: not even then. Idempotent; audited when it changes
   * something.
   */
  setDisabled(
    uuid: Uuid,
    disabled: boolean,
    now: Date,
    origin: Origin,
    evenLastAdmin?: boolean,
  ): Promise<{ readonly kind: "done" | "unknown" | "last_admin" } | ShutOut>;
  /** Takes the role `admin` back, which is refused as disabling is. `no_admin`: does not have it. Audit: role_revoked. */
  revokeAdmin(
    uuid: Uuid,
    now: Date,
    origin: Origin,
  ): Promise<{ readonly kind: "done" | "unknown" | "no_admin" | "last_admin" } | ShutOut>;
  /**
   * Gives each identity's principal (made where missing) the roles `user` and `admin`. Audit: role_granted where new. Those
   * of `caseSensitive` providers and the known ones only are made; of the others an unknown one that is another spelling of
   * a known one is left out, and answered.
   */
  ensureAdmins(
    identities: readonly IdentityRef[],
    now: Date,
    origin: Origin,
    caseSensitive?: (provider: string) => boolean,
  ): Promise<readonly { readonly identity: IdentityRef; readonly known: string }[]>;
}

export interface TwinNames {
  readonly provider: string;
  readonly spellings: readonly string[];
}

export interface OpenSession {
  readonly identity: IdentityRef;
  readonly now: Date;
  readonly expirationTime: Date;
  /** What no database holds in it (NUL, half of a surrogate pair) is kept as U+FFFD. */
  readonly state: Readonly<Record<string, unknown>>;
  /** The identity is one of `tiled_admins`: it gets both roles. */
  readonly admin: boolean;
  /**
   * Whether the backend tells names apart that are equal after NFKC and case folding. Where it does not, a new identity that
   * is another spelling of a known one of its provider is refused. Absent: it does.
   */
  readonly caseSensitive?: boolean;
  /** Live (neither revoked nor expired) sessions of one principal. */
  readonly limit: number;
  readonly origin: Origin;
}

export type OpenOutcome =
  | { readonly kind: "opened"; readonly principal: PrincipalSummary; readonly session: SessionStatus }
  | { readonly kind: "disabled"; readonly principal: Uuid }
  | { readonly kind: "limit"; readonly principal: Uuid | null }
  /** `known`: the identity's id as it is spelled in the database. */
  | { readonly kind: "other_spelling"; readonly principal: Uuid; readonly known: string };

export interface RotateSession {
  readonly session: Uuid;
  /** The presented token's generation, null where it has none (issued by the reference). */
  readonly generation: number | null;
  /** The presented token's `jti`; the token's SHA-256 where it has none. */
  readonly tokenId: string;
  /** `authentication.refresh_token_rotation`. */
  readonly rotate: boolean;
  /** `authentication.refresh_token_grace`, seconds. */
  readonly grace: number;
  readonly now: Date;
  readonly origin: Origin;
}

/**
 * `refreshed`: tokens of `generation` may be issued; the presented token was exchanged for them at `exchangedAt`, the same
 * for every retry, null without rotation. Audit: session_refresh_retried at the first retry of an exchange. `ended`: unknown, revoked, expired, or its principal disabled.
 * `stays`: the presented token is the newest, and not exchanged yet, since others that share it may be under way.
 * `reuse`: an old token was used a second time; the session is revoked now and the event audited.
 */
export type RotateOutcome =
  | {
      readonly kind: "refreshed";
      readonly generation: number;
      readonly exchangedAt: Date | null;
      readonly stays: boolean;
      readonly session: SessionStatus;
    }
  | { readonly kind: "ended" }
  | { readonly kind: "reuse"; readonly principal: Uuid };

export interface SessionStore {
  status(uuid: Uuid): Promise<SessionStatus | undefined>;
  /** One login: finds or makes the principal, notes the login, opens a session. Audit: principal_created where new, login. */
  open(request: OpenSession): Promise<OpenOutcome>;
  rotate(request: RotateSession): Promise<RotateOutcome>;
  /**
   * Idempotent. `principal`: only if the session is that principal's, else `unknown`. An expired session is `unknown`.
   * Audit: session_revoked where it changes something.
   */
  revoke(
    uuid: Uuid,
    principal: Uuid | null,
    now: Date,
    origin: Origin,
  ): Promise<{ readonly kind: "revoked"; readonly principal: Uuid } | { readonly kind: "unknown" } | ShutOut>;
}

export interface CreateApiKey {
  readonly principal: Uuid;
  readonly digest: Digest;
  readonly key: Omit<ApiKey, "latestActivity">;
  /** Live keys of one principal. */
  readonly limit: number;
  readonly now: Date;
  readonly origin: Origin;
}

export interface ApiKeyStore {
  /** By the digest of the whole secret; the expiry is the caller's to check. */
  find(firstEight: string, digest: Digest): Promise<ApiKeyRecord | undefined>;
  /** `taken`: the principal has a key of that `firstEight` already; make another secret. Audit: api_key_created. */
  create(
    request: CreateApiKey,
  ): Promise<{ readonly kind: "created" | "limit" | "unknown" | "taken" } | ShutOut>;
  /** Every key of the principal that begins so, however many. Audit: api_key_revoked each. `digests`: of what was revoked. */
  revoke(
    principal: Uuid,
    firstEight: string,
    now: Date,
    origin: Origin,
  ): Promise<
    { readonly kind: "revoked"; readonly digests: readonly Digest[] } | { readonly kind: "unknown" } | ShutOut
  >;
  /** Notes uses; a later time never replaces an earlier one backwards. Audit: api_key_first_used where there was none before. */
  touch(
    uses: readonly {
      readonly firstEight: string;
      readonly digest: Digest;
      readonly time: Date;
      readonly origin: Origin;
    }[],
  ): Promise<void>;
}

export interface AuditFilter {
  /** Rows with a greater id only. */
  readonly after?: number;
  readonly since?: Date;
  readonly events?: readonly AuditEventName[];
  readonly principal?: Uuid;
  readonly limit: number;
  /** The newest `limit` rows, still in rising order. */
  readonly newest?: boolean;
}

export interface AuditStore {
  /** Of equal events in a loop the first ones of an hour get rows of their own, the others one row with a count. */
  append(events: readonly AuditEvent[]): Promise<void>;
  read(filter: AuditFilter): Promise<readonly AuditRow[]>;
  /**
   * Names of the transactions that may be writing rows. A row with an id below one that was read before belongs to one of
   * them, or is visible to whoever reads now.
   */
  writers(): Promise<readonly string[]>;
}

export interface Purged {
  readonly sessions: number;
  readonly pendingSessions: number;
  readonly apiKeys: number;
  readonly auditRows: number;
  /** Whether a full batch was found, so that there may be more. */
  readonly more: boolean;
  /** Another server holds the lock (PostgreSQL): nothing was done. */
  readonly busy: boolean;
}

export interface Maintenance {
  /**
   * One small batch of what is expired; audit rows older than `auditBefore`. `origin`: of who asked for it; absent where a
   * server does it by itself. Audit: database_purged, with the counts, where somebody asked and something was deleted.
   */
  purge(now: Date, batch: number, auditBefore: Date | null, origin?: Origin): Promise<Purged>;
  /** Throws where the database cannot be changed. */
  ping(): Promise<void>;
}

/** Counters of failures, shared by all servers of one database where it is shared. */
export interface FailureCounters {
  /** How many seconds the key is still blocked; 0 where it is not. Counts nothing. */
  blocked(key: string, limit: Limit): Promise<number>;
  /** The longest of these times for several keys, which are looked up at once. */
  longestBlock(counters: readonly Counter[]): Promise<number>;
  /**
   * Counts one failure; the seconds until the key is free again where that exceeds the limit, else 0. What exceeds it is
   * refused and so not kept as a failure: it needs no `forgive`.
   */
  count(key: string, limit: Limit): Promise<number>;
  /** Takes one failure back. */
  forgive(key: string, limit: Limit): Promise<void>;
}

export interface Counter {
  readonly key: string;
  readonly limit: Limit;
}

export interface Limit {
  readonly failures: number;
  /** Seconds. */
  readonly per: number;
}

export interface Store {
  readonly dialect: "sqlite" | "postgresql";
  /** Whether the data outlives the process. */
  readonly durable: boolean;
  readonly principals: PrincipalStore;
  readonly sessions: SessionStore;
  readonly apiKeys: ApiKeyStore;
  readonly audit: AuditStore;
  readonly maintenance: Maintenance;
  readonly failures: FailureCounters;
  readonly deviceLogins: DeviceLoginStore;
  readonly browserLogins: BrowserLoginStore;
  readonly browserSessions: BrowserSessionStore;
  readonly accounts: AccountStore;
  /** Finishes what is under way and closes the database. */
  close(): Promise<void>;
}
