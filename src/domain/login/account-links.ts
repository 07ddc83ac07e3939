/**
 * Links that set the password of an account which this server keeps itself, once (invitations and resets). Opening one changes
 * nothing, since mail scanners do so. `cli/admin` makes them.
 */
import type { Clock } from "../../lib/clock.ts";
import { sha256 } from "../../lib/secrets.ts";
import type { PrincipalCache } from "../callers/principal-cache.ts";
import type { IdentityRef, RequestContext } from "../model/entities.ts";
import type { AuthenticatedIdentity } from "../ports/authenticator.ts";
import type { LinkedAccount, LocalAccountStore } from "../ports/local-accounts.ts";

/** 256 bits as 64 hex digits. */
const SECRET = /^[0-9a-f]{64}$/;

interface LinkedLogin {
  readonly identity: IdentityRef;
  readonly authenticated: AuthenticatedIdentity;
}

export class AccountLinks {
  readonly #store: LocalAccountStore;
  readonly #principalCache: PrincipalCache;
  readonly #clock: Clock;

  constructor(deps: {
    readonly store: LocalAccountStore;
    readonly principalCache: PrincipalCache;
    readonly clock: Clock;
  }) {
    this.#store = deps.store;
    this.#principalCache = deps.principalCache;
    this.#clock = deps.clock;
  }

  /** Undefined for a link that was used or replaced, is too old, or is unknown. */
  find(secret: string): Promise<LinkedAccount | undefined> {
    return this.#store.findLink(sha256(secret), new Date(this.#clock.now()));
  }

  /** Sets the password, ends all sessions, and answers the person, who may be logged in. */
  async use(
    secret: string,
    change: { readonly hash: string; readonly revokeKeys: boolean },
    context: RequestContext,
  ): Promise<LinkedLogin | undefined> {
    const outcome = await this.#store.useLink({
      digest: sha256(secret),
      password: change.hash,
      revokeKeys: change.revokeKeys,
      now: new Date(this.#clock.now()),
      context,
    });
    if (outcome.kind === "gone") return undefined;
    const { provider, name, groups, principal, sessions, keys } = outcome;
    if (principal !== null) {
      for (const session of sessions) this.#principalCache.sessionChanged(session, principal);
      for (const { firstEight, digest } of keys)
        this.#principalCache.apiKeysRevoked(firstEight, [digest], principal, null);
      this.#principalCache.principalChanged(principal);
    }
    return { identity: { provider, id: name }, authenticated: { id: name, state: { groups } } };
  }
}

/** Null if the text does not have the form of a link's secret. */
export function readLinkSecret(text: string | undefined): string | null {
  return text !== undefined && SECRET.test(text) ? text : null;
}
