/**
 * Callers with an access token of the identity provider at which they logged in themselves (RFC 9068). The principal is that
 * of the token's identity and is created on first use; there is no session. Our own tokens and keys are in `callers.ts`.
 */

import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { hasOurHeader } from "../../lib/jws.ts";
import { chain } from "../../lib/maybe-promise.ts";
import type { Caller, KnownCaller } from "../model/caller.ts";
import type { IdentityRef, PrincipalSummary, RequestContext } from "../model/entities.ts";
import { isStorableName } from "../model/storable-text.ts";
import type { ProxiedAuthenticator, ProxiedIdentity } from "../ports/authenticator.ts";
import type { PrincipalStore } from "../ports/principals.ts";
import { type Callers, type Credential, enabled, isAmong } from "./callers.ts";
import type { PrincipalCache } from "./principal-cache.ts";
import { withStorableProfile } from "./profile.ts";
import { knownAddress } from "./spelling.ts";

type TokenCaller = Extract<KnownCaller, { readonly kind: "token" }>;

export interface ProxiedCallersDeps {
  /** For API keys, and for our own tokens from browser logins. */
  readonly own: Callers;
  readonly provider: string;
  readonly authenticator: ProxiedAuthenticator;
  readonly principals: PrincipalStore;
  readonly principalCache: PrincipalCache;
  readonly clock: Clock;
  readonly caseSensitive?: boolean;
  readonly namesAddresses?: boolean;
  /** Writes a warning to the operator's log; never pass a secret. */
  readonly warn?: (message: string) => void;
}

export class ProxiedCallers implements Callers {
  readonly #deps: ProxiedCallersDeps;
  /** The caller for a token. The authenticator returns the same object as long as the token is valid. */
  readonly #callers = new WeakMap<ProxiedIdentity, TokenCaller>();

  constructor(deps: ProxiedCallersDeps) {
    this.#deps = deps;
  }

  identify(
    credential: Credential,
    context: () => RequestContext,
    options: { readonly noted: boolean },
  ): Caller | Promise<Caller> {
    // Our tokens are always signed with a shared secret, a provider's never.
    if (credential.kind !== "bearer" || hasOurHeader(credential.token)) {
      return this.#deps.own.identify(credential, context, options);
    }
    const identity = this.#deps.authenticator.verify(credential.token);
    return chain(identity, (verified) => this.#caller(verified, context));
  }

  #caller(identity: ProxiedIdentity, context: () => RequestContext): Caller | Promise<Caller> {
    const known = this.#callers.get(identity);
    if (known === undefined) return this.#meet(identity, context);
    const principal = this.#deps.principalCache.summary(known.principal.uuid);
    return chain(principal, (found) => this.#known(identity, known, found, context));
  }

  #known(
    identity: ProxiedIdentity,
    known: TokenCaller,
    principal: PrincipalSummary | undefined,
    context: () => RequestContext,
  ): Caller | Promise<Caller> {
    if (known.principal === principal) return known;
    const named = known.identities[0] ?? { provider: this.#deps.provider, id: identity.id };
    // The identity may have been unlinked since, and belong to another principal now.
    if (principal === undefined || !isAmong(named, principal.identities))
      return this.#meet(identity, context);
    return this.#remember(identity, principal, named);
  }

  async #meet(identity: ProxiedIdentity, context: () => RequestContext): Promise<Caller> {
    const { principals, provider, clock } = this.#deps;
    if (!isStorableName(identity.id)) {
      throw new Failure("invalid_token", { log: "the token's identity is not 1 to 255 characters" });
    }
    const told = { provider, id: identity.id };
    const named = this.#deps.namesAddresses ? { provider, id: await knownAddress(principals, told) } : told;
    const principal =
      (await principals.summaryOfIdentity(named)) ??
      (await principals.ensureUser({
        identity: named,
        profile: withStorableProfile(provider, identity, this.#deps.warn).profile,
        caseSensitive: this.#deps.caseSensitive,
        now: new Date(clock.now()),
        context: context(),
      }));
    return this.#remember(identity, principal, named);
  }

  #remember(identity: ProxiedIdentity, principal: PrincipalSummary, named: IdentityRef): Caller {
    const found = enabled(principal);
    const caller: TokenCaller = {
      kind: "token",
      principal: found,
      scopes: new Set([...identity.scopes, ...found.scopes]),
      identities: [named],
      session: null,
      expires: identity.expires,
    };
    this.#callers.set(identity, caller);
    return caller;
  }
}
