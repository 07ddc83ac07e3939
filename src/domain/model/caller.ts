/**
 * The caller of a request, as a discriminated union. `callers/callers.ts` makes it; routes see only this.
 */

import type { Uuid } from "../../lib/uuid.ts";
import type { ApiKeyRecord, IdentityRef, PrincipalSummary } from "./entities.ts";

export type Caller =
  | { readonly kind: "anonymous"; readonly scopes: ReadonlySet<string> }
  | { readonly kind: "single_user"; readonly scopes: ReadonlySet<string> }
  | {
      readonly kind: "token";
      readonly scopes: ReadonlySet<string>;
      readonly principal: PrincipalSummary;
      readonly identities: readonly IdentityRef[];
      /** Null for tokens that Tiled issued before its database was handed over, and for a provider's own tokens. */
      readonly session: Uuid | null;
      /** End of a token without a session, in seconds since the epoch; other tokens end with their session. */
      readonly expires?: number;
    }
  | {
      readonly kind: "api_key";
      readonly scopes: ReadonlySet<string>;
      readonly principal: PrincipalSummary;
      readonly key: ApiKeyRecord;
    }
  | {
      /** A logged-in browser. API routes accept it only if they declare so. */
      readonly kind: "browser";
      readonly scopes: ReadonlySet<string>;
      readonly principal: PrincipalSummary;
      readonly session: Uuid;
      /** The identity that logged in. */
      readonly identity: IdentityRef;
      readonly startedAt: Date;
    };

export type BrowserCaller = Extract<Caller, { readonly kind: "browser" }>;
export type KnownCaller = Extract<Caller, { readonly principal: PrincipalSummary }>;

export function isKnown(caller: Caller): caller is KnownCaller {
  return caller.kind === "token" || caller.kind === "api_key" || caller.kind === "browser";
}

export function missingScopes(caller: Caller, required: readonly string[]): boolean {
  return required.some((scope) => !caller.scopes.has(scope));
}
