/** API keys in the store, by their first eight digits and a digest of the secret. The rules of `store.ts` hold. */
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { ApiKey, ApiKeyRecord, RequestContext } from "../model/entities.ts";
import type { CredentialRevoked } from "../model/revoked.ts";

export interface CreateApiKey {
  readonly principal: Uuid;
  readonly digest: Digest;
  readonly key: Omit<ApiKey, "latestActivity">;
  /** Live keys of one principal. */
  readonly limit: number;
  readonly now: Date;
  readonly context: RequestContext;
}

/** `taken`: the principal has a key with these first eight digits; generate another secret. `unknown`: the principal is. */
export type KeyRefused = { readonly kind: "limit" | "unknown" | "taken" } | CredentialRevoked;

export interface RevokeApiKeys {
  readonly principal: Uuid;
  readonly firstEight: string;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface ApiKeyStore {
  /** Finds a key by the digest of the whole secret. The caller checks the expiry. */
  find(firstEight: string, digest: Digest): Promise<ApiKeyRecord | undefined>;
  /** Audit: api_key_created. */
  create(request: CreateApiKey): Promise<{ readonly kind: "created" } | KeyRefused>;
  /** Revokes every key of the principal that begins so. `digests`: those of the revoked keys. Audit: api_key_revoked each. */
  revoke(
    request: RevokeApiKeys,
  ): Promise<
    | { readonly kind: "revoked"; readonly digests: readonly Digest[] }
    | { readonly kind: "unknown" }
    | CredentialRevoked
  >;
  /** Records uses; never replaces a later time by an earlier one. Audit: api_key_first_used at the first use. */
  touch(
    uses: readonly {
      readonly firstEight: string;
      readonly digest: Digest;
      readonly time: Date;
      readonly context: RequestContext;
    }[],
  ): Promise<void>;
}
