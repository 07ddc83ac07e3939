/**
 * Who makes a request, as a discriminated union, and what may be asked of it. Made by `callers/callers.ts`; routes see only this.
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
      /** Null for tokens that the reference issued before a hand-over, and for a provider's own. */
      readonly session: Uuid | null;
      /** Of a token without a session, in seconds since the epoch; others end with theirs. */
      readonly expires?: number;
    }
  | {
      readonly kind: "api_key";
      readonly scopes: ReadonlySet<string>;
      readonly principal: PrincipalSummary;
      readonly key: ApiKeyRecord;
    }
  | {
      /** A browser that is logged in; no route of the API accepts it unless it says so. */
      readonly kind: "browser";
      readonly scopes: ReadonlySet<string>;
      readonly principal: PrincipalSummary;
      readonly session: Uuid;
      /** That logged in. */
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
