/**
 * Whether a caller who was let in for longer than one request would still be let in, and until when. An API key that was
 * revoked meanwhile does not count, since clients make one for a single use and revoke it at once; one that has expired
 * does, and so does a role that is gone.
 */
import type { Clock } from "../../lib/clock.ts";
import { type Caller, isKnown } from "../model/caller.ts";
import type { KeyRef } from "../model/entities.ts";
import type { Scope } from "../model/scopes.ts";
import type { PrincipalCache } from "./principal-cache.ts";

export interface Standing {
  /** `needs`: what the caller was let in for. Fails where the store cannot tell. */
  isCurrent(caller: Caller, needs: readonly Scope[]): Promise<boolean>;
  /** When the credential itself ends, in milliseconds; null: never, or with its session. */
  endOf(caller: Caller): number | null;
  /** The same shortly before that end: null where a key was revoked by a login in the meantime. */
  endNow(caller: Caller): Promise<number | null>;
}

type Known = Pick<PrincipalCache, "currentSession" | "currentSummary" | "currentApiKey" | "revokerOf">;

/** Keys that revoked each other in turn. */
const MAX_REVOKERS = 8;

/** `principalCache`: null in the modes without providers, where no caller can be shut out. */
export function standingOf(principalCache: Known | null, clock: Clock): Standing {
  return {
    isCurrent: async (caller, needs) => {
      if (principalCache === null || !isKnown(caller)) return true;
      const principal = await principalCache.currentSummary(caller.principal.uuid);
      if (principal === undefined || principal.disabled) return false;
      // What a provider's token gives beside its principal's roles, the token itself has the end of.
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
        // A key that revokes itself does not last longer for it.
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
