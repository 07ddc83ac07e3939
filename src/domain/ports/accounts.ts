/**
 * What the domain asks of a store for browsers that are logged in, for the account page, and for linking identities. The
 * rules of `store.ts` hold.
 */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { IdentityRef, RequestContext } from "../model/entities.ts";
import type { CredentialRevoked } from "../model/revoked.ts";
import type { OpenOutcome, OpenSession } from "./sessions.ts";

/** What a browser's cookie stands for. Whether its session is live is the session's own status. */
export interface BrowserBinding {
  readonly session: Uuid;
  /** That logged in. */
  readonly identity: IdentityRef;
  /** When somebody logged in; the credentials were given then and not since. */
  readonly startedAt: Date;
  readonly lastUsed: Date;
}

export interface BrowserSessionStore {
  /**
   * Opens a session and binds the browser's new token to it. `replaces`: the token that the browser had until now; its
   * session ends where the new one begins, and does not count against the limit. Audit: as `SessionStore.open`, and
   * session_revoked.
   */
  open(
    token: Digest,
    open: OpenSession,
    replaces: Digest | null,
  ): Promise<{ readonly outcome: OpenOutcome; readonly replaced: SessionOwner | null }>;
  find(token: Digest): Promise<BrowserBinding | undefined>;
  /** A later time never replaces an earlier one backwards. */
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
  /** Refreshed, or used by its browser; null where it was not since its start. */
  readonly lastUsed: Date | null;
  readonly expirationTime: Date;
  readonly browser: boolean;
  /** Null, all three, where the real Tiled opened it. */
  readonly identity: IdentityRef | null;
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** A change that only somebody who has just logged in may make. */
export interface FreshChange {
  readonly principal: Uuid;
  readonly session: Uuid;
  /** The session must not be older. */
  readonly since: Date;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface LinkIdentity extends FreshChange {
  readonly identity: IdentityRef;
  /** As `OpenSession.caseSensitive`. */
  readonly caseSensitive?: boolean;
  /** Identities of one principal. */
  readonly limit: number;
  /** An application's one-time code that vouches for the identity; it ends whatever comes of it. */
  readonly code: Digest | null;
}

/**
 * `stale`: the session has ended, is another's, or is too old. `taken`: the identity belongs to another principal.
 * `gone`: the code was used already. `other_spelling`: of an identity that is known.
 */
type LinkOutcome =
  | { readonly kind: "linked" | "already" | "taken" | "stale" | "limit" | "gone" }
  | { readonly kind: "other_spelling"; readonly known: string };

export interface UnlinkIdentity extends FreshChange {
  readonly identity: IdentityRef;
  /** Providers that somebody can log in at. */
  readonly providers: readonly string[];
}

/** `last`: nothing would be left to log in with. */
type UnlinkOutcome =
  | { readonly kind: "unlinked"; readonly revoked: readonly Uuid[] }
  | { readonly kind: "unknown" | "last" | "stale" };

export interface RevokeOthers {
  readonly principal: Uuid;
  /** The session that goes on. */
  readonly keep: Uuid;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface AccountStore {
  /**
   * The `state` of the newest session that an identity of this provider opened, ended or not. Of identities that are the
   * principal's now: one that was unlinked says nothing of them any more, and what it said of another never counts.
   */
  latestState(principal: Uuid, provider: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Live ones, the one that was used last first. */
  sessions(principal: Uuid, now: Date): Promise<readonly AccountSession[]>;
  /** Ends all live sessions but one. Audit: session_revoked each. */
  revokeOthers(
    request: RevokeOthers,
  ): Promise<{ readonly kind: "revoked"; readonly sessions: readonly Uuid[] } | CredentialRevoked>;
  /** Audit: identity_linked, or identity_link_refused where it is taken or another spelling of one that is known. */
  link(request: LinkIdentity): Promise<LinkOutcome>;
  /**
   * Ends the sessions that the identity opened, too, and those of which it is not known what opened them.
   * Audit: identity_unlinked, session_revoked each.
   */
  unlink(request: UnlinkIdentity): Promise<UnlinkOutcome>;
}
