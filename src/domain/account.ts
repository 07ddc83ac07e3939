/**
 * The account page's data: the principal and its sessions, which it can end. Identities are linked in `linking.ts`, keys
 * created in `api-keys.ts`.
 */
import { Failure } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { PrincipalCache } from "./callers/principal-cache.ts";
import type { BrowserCaller } from "./model/caller.ts";
import type { PrincipalDocument, RequestContext } from "./model/entities.ts";
import { credentialRevoked } from "./model/revoked.ts";
import type { AccountSession, AccountStore, KnownProfile } from "./ports/accounts.ts";

export interface AccountOverview {
  readonly principal: PrincipalDocument;
  /** Live ones, the most recently used first. */
  readonly sessions: readonly AccountSession[];
  readonly profiles: readonly KnownProfile[];
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
    const [principal, sessions, profiles] = await Promise.all([
      this.#principalCache.document(uuid),
      this.#store.sessions(uuid, new Date(this.#clock.now())),
      this.#store.profiles(uuid),
    ]);
    if (principal === undefined) throw new Failure("no_principal");
    return { principal, sessions, profiles };
  }

  /** Ends all sessions but the browser's own; returns their number. */
  async endOthers({ principal, session }: BrowserCaller, context: RequestContext): Promise<number> {
    const now = new Date(this.#clock.now());
    const outcome = await this.#store
      .revokeOthers({ principal: principal.uuid, keep: session, now, context })
      .catch((error: unknown) => {
        // It is unknown which sessions have ended, so the principal is read again.
        this.#principalCache.principalChanged(principal.uuid);
        throw error;
      });
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
    for (const uuid of outcome.sessions) this.#principalCache.sessionChanged(uuid, principal.uuid);
    return outcome.sessions.length;
  }
}
