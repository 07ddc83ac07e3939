/** Sessions in the store: opening, rotation of refresh tokens, revocation. The rules of `store.ts` hold. */
import type { Uuid } from "../../lib/uuid.ts";
import type { IdentityRef, PrincipalSummary, RequestContext, SessionStatus } from "../model/entities.ts";
import type { CredentialRevoked } from "../model/revoked.ts";
import type { Profile } from "./authenticator.ts";

export interface OpenSession {
  readonly identity: IdentityRef;
  readonly now: Date;
  readonly expirationTime: Date;
  /** What no database holds in it (NUL, half of a surrogate pair) is kept as U+FFFD. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Stored with the identity, as `AuthenticatedIdentity.profile` says. */
  readonly profile?: Profile | undefined;
  /** The identity is one of `tiled_admins`: it gets both roles. */
  readonly admin: boolean;
  /**
   * Whether the person is in a group of `tiled_admins`: in, they get both roles; out, the role admin that a group gave is taken
   * back, and never one that was given otherwise. Absent: `tiled_admins` has no group of this provider. Audit: role_by_group.
   */
  readonly adminByGroup?: boolean | undefined;
  /**
   * Whether the backend tells names apart that are equal after NFKC and case folding. Where it does not, a new identity that
   * is another spelling of a known one of its provider is refused. Absent: it does.
   */
  readonly caseSensitive?: boolean;
  /** Live (neither revoked nor expired) sessions of one principal. */
  readonly limit: number;
  readonly context: RequestContext;
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
  /** Whether the outcome must have the principal. */
  readonly summarize: boolean;
  readonly now: Date;
  readonly context: RequestContext;
}

/**
 * `refreshed`: tokens of `generation` may be issued; the presented token was rotated at `rotatedAt`, the same
 * for every retry, null without rotation. Audit: session_refresh_retried at the first retry of a rotation. `ended`: unknown, revoked, expired, or its principal disabled.
 * `stays`: the presented token is the newest, and not rotated yet, since others that share it may be under way.
 * `reuse`: an old token was used a second time; the session is revoked now and the event audited.
 */
export type RotateOutcome =
  | {
      readonly kind: "refreshed";
      readonly generation: number;
      readonly rotatedAt: Date | null;
      readonly stays: boolean;
      /** As it was when the transaction had the lock; null unless asked for. */
      readonly principal: PrincipalSummary | null;
      readonly session: SessionStatus;
    }
  | { readonly kind: "ended" }
  | { readonly kind: "reuse"; readonly principal: Uuid };

export interface RevokeSession {
  readonly session: Uuid;
  /** The session must be this principal's; null: any. */
  readonly principal: Uuid | null;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface SessionStore {
  status(uuid: Uuid): Promise<SessionStatus | undefined>;
  /** One login: finds or makes the principal, notes the login, opens a session. Audit: principal_created where new, login. */
  open(request: OpenSession): Promise<OpenOutcome>;
  rotate(request: RotateSession): Promise<RotateOutcome>;
  /**
   * Idempotent. An expired session, or another principal's, is `unknown`.
   * Audit: session_revoked where it changes something.
   */
  revoke(
    request: RevokeSession,
  ): Promise<
    { readonly kind: "revoked"; readonly principal: Uuid } | { readonly kind: "unknown" } | CredentialRevoked
  >;
}
