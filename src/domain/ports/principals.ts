/** Principals and their roles in the store: users, services and administrators. The rules of `store.ts` hold. */
import type { Uuid } from "../../lib/uuid.ts";
import type { IdentityRef, PrincipalDocument, PrincipalSummary, RequestContext } from "../model/entities.ts";
import type { CredentialRevoked } from "../model/revoked.ts";
import type { Profile } from "./authenticator.ts";

export interface PageRange {
  readonly offset: number;
  readonly limit: number;
}

export interface EnsureUser {
  readonly identity: IdentityRef;
  /** As `OpenSession.profile`, but stored only with a new person. */
  readonly profile?: Profile | undefined;
  /** As `OpenSession.caseSensitive`. */
  readonly caseSensitive?: boolean | undefined;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface CreateService {
  readonly role: string;
  /** At most 255 characters, without NUL. */
  readonly note?: string | undefined;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface SetDisabled {
  readonly principal: Uuid;
  readonly disabled: boolean;
  /** Disables the last working administrator, too. */
  readonly evenLastAdmin?: boolean;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface RevokeAdmin {
  readonly principal: Uuid;
  readonly now: Date;
  readonly context: RequestContext;
}

interface EnsureAdmins {
  readonly identities: readonly IdentityRef[];
  /** By provider, as `OpenSession.caseSensitive`. */
  readonly caseSensitive?: (provider: string) => boolean;
  /** Providers with a group in `tiled_admins`. The role that another provider's group gave is taken back. Absent: none is. */
  readonly groupProviders?: readonly string[];
  readonly now: Date;
  readonly context: RequestContext;
}

export interface PrincipalStore {
  summary(uuid: Uuid): Promise<PrincipalSummary | undefined>;
  summaryOfIdentity(identity: IdentityRef): Promise<PrincipalSummary | undefined>;
  /** The principal of an identity. An unknown identity costs as much work as a known one. */
  principalOf(identity: IdentityRef): Promise<Uuid | null>;
  /** Leaves out sessions and keys that have expired at `now`. */
  document(uuid: Uuid, now: Date): Promise<PrincipalDocument | undefined>;
  /**
   * Finds or creates the person of an identity, without a session. Fails with `other_spelling` unless `caseSensitive`, as in
   * `OpenSession`. Audit: principal_created if new.
   */
  ensureUser(request: EnsureUser): Promise<PrincipalSummary>;
  /** Names of these providers that exist in several spellings; at most twenty of each provider. */
  twins(providers: readonly string[]): Promise<readonly TwinNames[]>;
  /** This identity and the known other spellings of its name, the oldest first; at most twenty. */
  spellings(identity: IdentityRef): Promise<readonly IdentityRef[]>;
  /** In the order of creation. */
  list(page: PageRange, now: Date): Promise<readonly PrincipalDocument[]>;
  /** The names and scopes of all roles. */
  roles(): Promise<readonly { readonly name: string; readonly scopes: readonly string[] }[]>;
  /**
   * Creates a principal of type service, and the role `metrics` if it is missing. `note`: at most 255 characters, without
   * NUL. Audit: principal_created.
   */
  createService(
    request: CreateService,
  ): Promise<
    { readonly kind: "created"; readonly uuid: Uuid } | { readonly kind: "unknown_role" } | CredentialRevoked
  >;
  /**
   * Disabling is refused if no working administrator would be left, i.e. an enabled principal with the role `admin` that has
   * logged in or has a live key; without any such, if it is the last enabled administrator. `evenLastAdmin` skips the check.
   * Idempotent; audited if it changes something.
   */
  setDisabled(
    request: SetDisabled,
  ): Promise<{ readonly kind: "done" | "unknown" | "last_admin" } | CredentialRevoked>;
  /** Revokes the role `admin`; refused like disabling. `no_admin`: the principal does not have it. Audit: role_revoked. */
  revokeAdmin(
    request: RevokeAdmin,
  ): Promise<{ readonly kind: "done" | "unknown" | "no_admin" | "last_admin" } | CredentialRevoked>;
  /**
   * Gives each identity's principal, created if missing, the roles `user` and `admin`. Unless the provider is `caseSensitive`,
   * an unknown identity that is another spelling of a known one is left out and returned. Audit: role_granted if new.
   */
  ensureAdmins(
    request: EnsureAdmins,
  ): Promise<readonly { readonly identity: IdentityRef; readonly known: string }[]>;
}

interface TwinNames {
  readonly provider: string;
  readonly spellings: readonly string[];
}
