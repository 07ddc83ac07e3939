/**
 * What somebody sees and ends on their own account page. Identities are linked in `linking.ts`, keys made in `api-keys.ts`.
 */
import { Failure } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { PrincipalCache } from "./callers/principal-cache.ts";
import type { BrowserCaller } from "./model/caller.ts";
import type { PrincipalDocument, RequestContext } from "./model/entities.ts";
import { credentialRevoked } from "./model/revoked.ts";
import type { AccountSession, AccountStore } from "./ports/accounts.ts";

export interface AccountOverview {
  readonly principal: PrincipalDocument;
  /** Live ones, the one that was used last first. */
  readonly sessions: readonly AccountSession[];
}

export class Accounts {
  readonly #store: AccountStore;
  readonly #principalCache: PrincipalCache;
  readonly #clock: Clock;

  constructor(deps: {
    readonly store: AccountStore;
    readonly principalCache: PrincipalCache;
    readonly clock: Clock;
  }) {
    this.#store = deps.store;
    this.#principalCache = deps.principalCache;
    this.#clock = deps.clock;
  }

  async overview({ principal: { uuid } }: BrowserCaller): Promise<AccountOverview> {
    const [principal, sessions] = await Promise.all([
      this.#principalCache.document(uuid),
      this.#store.sessions(uuid, new Date(this.#clock.now())),
    ]);
    if (principal === undefined) throw new Failure("no_principal");
    return { principal, sessions };
  }

  /** Ends all sessions but the browser's own; how many those were. */
  async endOthers({ principal, session }: BrowserCaller, context: RequestContext): Promise<number> {
    const now = new Date(this.#clock.now());
    const outcome = await this.#store
      .revokeOthers({ principal: principal.uuid, keep: session, now, context })
      .catch((error: unknown) => {
        // Which sessions have ended is not known: none counts until the principal is read again.
        this.#principalCache.principalChanged(principal.uuid);
        throw error;
      });
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
    for (const uuid of outcome.sessions) this.#principalCache.sessionChanged(uuid, principal.uuid);
    return outcome.sessions.length;
  }
}
