/**
 * Whether somebody who was let in for longer than one request would still be let in. An API key that has gone meanwhile
 * does not count, since clients make one for a single use; a role that has gone does.
 */
import type { Clock } from "../lib/clock.ts";
import { type Caller, isKnown } from "./caller.ts";
import type { Directory } from "./directory.ts";
import type { Scope } from "./scopes.ts";

export interface Standing {
  /** `needs`: what the caller was let in for. Fails where the store cannot tell. */
  isCurrent(caller: Caller, needs: readonly Scope[]): Promise<boolean>;
}

/** `directory`: null in the modes without providers, where nobody can be shut out. */
export function standingOf(
  directory: Pick<Directory, "currentSession" | "currentSummary"> | null,
  clock: Clock,
): Standing {
  return {
    isCurrent: async (caller, needs) => {
      if (directory === null || !isKnown(caller)) return true;
      const principal = await directory.currentSummary(caller.principal.uuid);
      if (principal === undefined || principal.disabled) return false;
      // What a provider's token gives beside its principal's roles, the token itself has the end of.
      const { scopes: before } = caller.principal;
      if (needs.some((scope) => before.includes(scope) && !principal.scopes.includes(scope))) return false;
      if (caller.kind === "api_key" || caller.session === null) return true;
      const session = await directory.currentSession(caller.session);
      return session !== undefined && !session.revoked && session.expirationTime.getTime() > clock.now();
    },
  };
}
