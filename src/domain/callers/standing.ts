/**
 * Whether a caller admitted for longer than one request (a stream, a WebSocket) is still admitted, and until when. An expired
 * API key or a lost role ends it. A revoked API key does not, since clients create one for a single use and revoke it at once.
 */
import type { Clock } from "../../lib/clock.ts";
import { type Caller, isKnown } from "../model/caller.ts";
import type { KeyRef } from "../model/entities.ts";
import type { Scope } from "../model/scopes.ts";
import type { PrincipalCache } from "./principal-cache.ts";

export interface Standing {
  /** `needs`: the scopes for which the caller was admitted. Fails if the store is unreachable. */
  isCurrent(caller: Caller, needs: readonly Scope[]): Promise<boolean>;
  /** End of the credential itself in milliseconds since the epoch; null: never, or with its session. */
  endOf(caller: Caller): number | null;
  /** The same, asked again shortly before that end; null if a login has revoked the key since. */
  endNow(caller: Caller): Promise<number | null>;
}

type Known = Pick<PrincipalCache, "currentSession" | "currentSummary" | "currentApiKey" | "revokerOf">;

/** Longest chain of keys that revoked each other. */
const MAX_REVOKERS = 8;

/** `principalCache`: null in the modes without providers, where no credential can be revoked. */
export function standingOf(principalCache: Known | null, clock: Clock): Standing {
  return {
    isCurrent: async (caller, needs) => {
      if (principalCache === null || !isKnown(caller)) return true;
      const principal = await principalCache.currentSummary(caller.principal.uuid);
      if (principal === undefined || principal.disabled) return false;
      // Scopes from a provider's token beyond the principal's roles end with the token.
      const { scopes: before } = caller.principal;
      if (needs.some((scope) => before.includes(scope) && !principal.scopes.includes(scope))) return false;
      if (caller.kind === "api_key" || caller.session === null) return true;
      const session = await principalCache.currentSession(caller.session);
      return session !== undefined && !session.revoked && session.expirationTime.getTime() > clock.now();
    },
    endOf,
    endNow: async (caller) => {
      if (principalCache === null || caller.kind !== "api_key") return endOf(caller);
      let ref: KeyRef = caller.key;
      for (let round = 0; round < MAX_REVOKERS; round++) {
        const key = await principalCache.currentApiKey(ref.firstEight, ref.digest);
        if (key !== undefined) return key.expirationTime?.getTime() ?? null;
        const revoker = principalCache.revokerOf(ref);
        if (revoker === null) return null;
        // A key that revoked itself keeps its own end.
        if (revoker.digest === ref.digest) break;
        ref = revoker;
      }
      return endOf(caller);
    },
  };
}

function endOf(caller: Caller): number | null {
  if (caller.kind === "api_key") return caller.key.expirationTime?.getTime() ?? null;
  if (caller.kind !== "token" || caller.expires === undefined) return null;
  return caller.expires * 1000;
}
