/** The store's part for CAVE: people by number, API tokens, login tokens and accepted terms. The rules of `store.ts` hold. */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { CaveLogin, CavePerson, CaveToken } from "../model/cave.ts";
import type { IdentityRef, RequestContext } from "../model/entities.ts";
import type { CredentialRevoked } from "../model/revoked.ts";

export interface OpenCaveLogin extends CaveLogin {
  /** Live login tokens of one session; beyond it the oldest is dropped. */
  readonly limit: number;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface AcceptTerms {
  readonly principal: Uuid;
  readonly tos: number;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface ReplaceCaveToken {
  readonly principal: Uuid;
  readonly firstEight: string;
  readonly digest: Digest;
  readonly description: string | null;
  /** Live keys of one principal. */
  readonly limit: number;
  readonly now: Date;
  readonly context: RequestContext;
}

/** Enabled principals only, everywhere. */
export interface CaveStore {
  person(principal: Uuid): Promise<CavePerson | undefined>;
  /** The known ones, in the order of their numbers. At most 1000 numbers. */
  peopleByNumber(ids: readonly number[]): Promise<readonly CavePerson[]>;
  /** Those who have logged in. At most 1000 identities. */
  peopleByIdentity(identities: readonly IdentityRef[]): Promise<readonly CavePerson[]>;
  peopleByUuid(uuids: readonly Uuid[]): Promise<readonly CavePerson[]>;
  /** People (no services) with a number greater than `after`, in the order of their numbers. */
  people(after: number, limit: number): Promise<readonly CavePerson[]>;
  /** Live keys of the principal with the scope `cave`, newest first. */
  tokens(principal: Uuid, now: Date): Promise<readonly CaveToken[]>;
  /**
   * Makes a token in place of the only one; `replaced`: its digests. `several`: there are more, and nothing was done. `taken`:
   * another key begins so; generate another secret. Audit: api_key_revoked, api_key_created.
   */
  replaceToken(
    request: ReplaceCaveToken,
  ): Promise<
    | { readonly kind: "made"; readonly replaced: readonly { firstEight: string; digest: Digest }[] }
    | { readonly kind: "several" | "taken" | "limit" }
    | CredentialRevoked
  >;
  /** Audit: cave_login_token_issued. */
  openLogin(request: OpenCaveLogin): Promise<{ readonly kind: "opened" } | CredentialRevoked>;
  /** The caller checks its expiry and its session. */
  login(digest: Digest): Promise<CaveLogin | undefined>;
  /** Audit: cave_login_token_revoked. False if it had ended. */
  endLogin(request: {
    readonly digest: Digest;
    readonly now: Date;
    readonly context: RequestContext;
  }): Promise<boolean>;
  /** Accepting again changes nothing. Audit: cave_terms_accepted. */
  acceptTerms(request: AcceptTerms): Promise<{ readonly kind: "accepted" } | CredentialRevoked>;
}
