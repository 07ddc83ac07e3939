/** The store's part for CAVE: people by number, API tokens, login tokens and accepted terms. The rules of `store.ts` hold. */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { CaveLogin, CavePerson, CaveToken } from "../model/cave.ts";
import type { IdentityRef, KeyRef, RequestContext } from "../model/entities.ts";
import type { CredentialRevoked } from "../model/revoked.ts";
import type { CreateApiKey, KeyRefused, RevokeApiKeys } from "./api-keys.ts";

export interface OpenCaveLogin extends CaveLogin {
  /** Live login tokens of one session; beyond it the oldest are dropped. */
  readonly limit: number;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface EndCaveLogin {
  readonly digest: Digest;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface AcceptTerms {
  readonly principal: Uuid;
  readonly tos: number;
  readonly now: Date;
  readonly context: RequestContext;
}

/** People are enabled principals, everywhere, and listed in the order of their numbers. */
export interface CaveStore {
  person(principal: Uuid): Promise<CavePerson | undefined>;
  /** The known ones. At most 1000 numbers. */
  peopleByNumber(ids: readonly number[]): Promise<readonly CavePerson[]>;
  /** Those who have logged in. At most 1000 identities. */
  peopleByIdentity(identities: readonly IdentityRef[]): Promise<readonly CavePerson[]>;
  /** People (no services) who have logged in, with a number greater than `after`. */
  people(after: number, limit: number): Promise<readonly CavePerson[]>;
  /** Live keys of the principal with the scope `cave`, newest first. */
  tokens(principal: Uuid, now: Date): Promise<readonly CaveToken[]>;
  /**
   * Makes a key in place of the principal's only live key whose one scope is `cave`; without any, just makes one. `several`:
   * there are more, and nothing was done. Audit: api_key_revoked, api_key_created.
   */
  replaceToken(
    request: CreateApiKey,
  ): Promise<
    { readonly kind: "made"; readonly replaced: KeyRef | null } | { readonly kind: "several" } | KeyRefused
  >;
  /** As `ApiKeyStore.revoke`, for keys with the scope `cave`. Audit: api_key_revoked. */
  revokeToken(
    request: RevokeApiKeys,
  ): Promise<
    | { readonly kind: "revoked"; readonly digests: readonly Digest[] }
    | { readonly kind: "unknown" }
    | CredentialRevoked
  >;
  /** `dropped`: the digests of those beyond the limit. Audit: cave_login_token_issued. */
  openLogin(
    request: OpenCaveLogin,
  ): Promise<{ readonly kind: "opened"; readonly dropped: readonly Digest[] } | CredentialRevoked>;
  /** The caller checks its expiry and its session. */
  login(digest: Digest): Promise<CaveLogin | undefined>;
  /** False if it had ended. Audit: cave_login_token_revoked. */
  endLogin(request: EndCaveLogin): Promise<boolean>;
  /** Accepting again changes nothing. Audit: cave_terms_accepted. */
  acceptTerms(request: AcceptTerms): Promise<{ readonly kind: "accepted" } | CredentialRevoked>;
}
