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

export interface RevokeApiKeys {
  readonly principal: Uuid;
  readonly firstEight: string;
  readonly now: Date;
  readonly context: RequestContext;
}

export interface ApiKeyStore {
  /** By the digest of the whole secret; the expiry is the caller's to check. */
  find(firstEight: string, digest: Digest): Promise<ApiKeyRecord | undefined>;
  /** `taken`: the principal has a key of that `firstEight` already; make another secret. Audit: api_key_created. */
  create(
    request: CreateApiKey,
  ): Promise<{ readonly kind: "created" | "limit" | "unknown" | "taken" } | CredentialRevoked>;
  /** Every key of the principal that begins so, however many. Audit: api_key_revoked each. `digests`: of what was revoked. */
  revoke(
    request: RevokeApiKeys,
  ): Promise<
    | { readonly kind: "revoked"; readonly digests: readonly Digest[] }
    | { readonly kind: "unknown" }
    | CredentialRevoked
  >;
  /** Notes uses; a later time never replaces an earlier one backwards. Audit: api_key_first_used where there was none before. */
  touch(
    uses: readonly {
      readonly firstEight: string;
      readonly digest: Digest;
      readonly time: Date;
      readonly context: RequestContext;
    }[],
  ): Promise<void>;
}
