/** Principals and their roles in the store: users, services and administrators. The rules of `store.ts` hold. */
import type { Uuid } from "../../lib/uuid.ts";
import type { IdentityRef, PrincipalDocument, PrincipalSummary, RequestContext } from "../model/entities.ts";
import type { CredentialRevoked } from "../model/revoked.ts";

export interface PageRange {
  readonly offset: number;
  readonly limit: number;
}

export interface EnsureUser {
  readonly identity: IdentityRef;
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
  readonly now: Date;
  readonly context: RequestContext;
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
  ensureUser(request: EnsureUser): Promise<PrincipalSummary>;
  /** Names that are there in several spellings, of these providers; at most twenty rows of each. */
  twins(providers: readonly string[]): Promise<readonly TwinNames[]>;
  /** This identity and the other spellings of its name that are known, the oldest first; at most twenty. */
  spellings(identity: IdentityRef): Promise<readonly IdentityRef[]>;
  /** In the order of creation. */
  list(page: PageRange, now: Date): Promise<readonly PrincipalDocument[]>;
  /** The names and scopes of all roles. */
  roles(): Promise<readonly { readonly name: string; readonly scopes: readonly string[] }[]>;
  /**
   * A new principal of type service. The role `metrics` is made where it is missing. `note`: at most 255 characters, without
   * NUL. Audit: principal_created.
   */
  createService(
    request: CreateService,
  ): Promise<
    { readonly kind: "created"; readonly uuid: Uuid } | { readonly kind: "unknown_role" } | CredentialRevoked
  >;
  /**
   * Disabling is refused where no enabled principal with the role `admin` would be left who has logged in or has a key that
   * counts; of those who never could, the last one. `evenLastAdmin`: not even then. Idempotent; audited when it changes
   * something.
   */
  setDisabled(
    request: SetDisabled,
  ): Promise<{ readonly kind: "done" | "unknown" | "last_admin" } | CredentialRevoked>;
  /** Takes the role `admin` back, which is refused as disabling is. `no_admin`: does not have it. Audit: role_revoked. */
  revokeAdmin(
    request: RevokeAdmin,
  ): Promise<{ readonly kind: "done" | "unknown" | "no_admin" | "last_admin" } | CredentialRevoked>;
  /**
   * Gives each identity's principal (made where missing) the roles `user` and `admin`. Audit: role_granted where new. Those
   * of `caseSensitive` providers and the known ones only are made; of the others an unknown one that is another spelling of
   * a known one is left out, and answered.
   */
  ensureAdmins(
    request: EnsureAdmins,
  ): Promise<readonly { readonly identity: IdentityRef; readonly known: string }[]>;
}

interface TwinNames {
  readonly provider: string;
  readonly spellings: readonly string[];
}
