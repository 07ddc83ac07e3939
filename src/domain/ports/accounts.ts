/**
 * The store's part for logged-in browsers, the account page, and linking identities. The rules of `store.ts` hold.
 */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { IdentityRef, RequestContext } from "../model/entities.ts";
import type { CredentialRevoked } from "../model/revoked.ts";
import type { Profile } from "./authenticator.ts";
import type { OpenOutcome, OpenSession } from "./sessions.ts";

/** The session and identity behind a browser's cookie. Whether the session is live is the session's own status. */
export interface BrowserBinding {
  readonly session: Uuid;
  readonly principal: Uuid;
  /** The identity that logged in. */
  readonly identity: IdentityRef;
  /** Time of the login, i.e. when credentials were last entered. */
  readonly startedAt: Date;
  readonly lastUsed: Date;
}

export interface BrowserSessionStore {
  /**
   * Opens a session and binds the browser's new token to it. `replaces`: the browser's previous token; its session ends with
   * the opening and does not count against the limit. Audit: as `SessionStore.open`, and session_revoked.
   */
  open(
    token: Digest,
    open: OpenSession,
    replaces: Digest | null,
  ): Promise<{ readonly outcome: OpenOutcome; readonly replaced: SessionOwner | null }>;
  find(token: Digest): Promise<BrowserBinding | undefined>;
  /** Never replaces a later time by an earlier one. */
  touch(session: Uuid, time: Date): Promise<void>;
}

interface SessionOwner {
  readonly session: Uuid;
  readonly principal: Uuid;
}

/** A live session as its owner sees it. */
export interface AccountSession {
  readonly uuid: Uuid;
  readonly startedAt: Date;
  /** Last refresh or use by its browser; null if none since the start. */
  readonly lastUsed: Date | null;
  readonly expirationTime: Date;
  readonly browser: boolean;
  /** This and the next two are null if Tiled opened the session. */
  readonly identity: IdentityRef | null;
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** Name and address of a person, as a provider gave them with one of their identities. */
export interface KnownProfile extends IdentityRef {
  readonly name: string | null;
  readonly email: string | null;
}

/** A change that requires a recent login. */
export interface FreshChange {
  readonly principal: Uuid;
  readonly session: Uuid;
  /** The session must have begun after this. */
  readonly since: Date;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface LinkIdentity extends FreshChange {
  readonly identity: IdentityRef;
  /** As `OpenSession.profile`. */
  readonly profile?: Profile | undefined;
  /** As `OpenSession.caseSensitive`. */
  readonly caseSensitive?: boolean;
  /** Identities of one principal. */
  readonly limit: number;
  /** An application's one-time code that proves the identity; it is used up in any case. */
  readonly code: Digest | null;
}

/**
 * `stale`: the session has ended, is another's, or is too old. `taken`: the identity belongs to another principal.
 * `gone`: the code was used before. `other_spelling`: another spelling of a known identity.
 */
type LinkOutcome =
  | { readonly kind: "linked" | "already" | "taken" | "stale" | "limit" | "gone" }
  | { readonly kind: "other_spelling"; readonly known: string };

export interface UnlinkIdentity extends FreshChange {
  readonly identity: IdentityRef;
  /** The configured providers, at which logins are possible. */
  readonly providers: readonly string[];
}

/** `last`: no identity to log in with would be left. */
type UnlinkOutcome =
  | { readonly kind: "unlinked"; readonly revoked: readonly Uuid[] }
  | { readonly kind: "unknown" | "last" | "stale" };

export interface RevokeOthers {
  readonly principal: Uuid;
  /** The session to keep. */
  readonly keep: Uuid;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface AccountStore {
  /** Of the principal's identities that have any. */
  profiles(principal: Uuid): Promise<readonly KnownProfile[]>;
  /**
   * The `state` of the newest session, live or ended, that an identity of this provider opened for the principal. Only
   * identities that are linked now count.
   */
  latestState(principal: Uuid, provider: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Live sessions, the most recently used first. */
  sessions(principal: Uuid, now: Date): Promise<readonly AccountSession[]>;
  /** Ends all live sessions but one. Audit: session_revoked each. */
  revokeOthers(
    request: RevokeOthers,
  ): Promise<{ readonly kind: "revoked"; readonly sessions: readonly Uuid[] } | CredentialRevoked>;
  /** Audit: identity_linked, or identity_link_refused for `taken` and `other_spelling`. */
  link(request: LinkIdentity): Promise<LinkOutcome>;
  /**
   * Also ends sessions that the identity opened, and those whose opening identity is unknown.
   * Audit: identity_unlinked, session_revoked each.
   */
  unlink(request: UnlinkIdentity): Promise<UnlinkOutcome>;
}
