/**
 * Callers with an access token of the provider that they log in at by themselves (RFC 9068). The principal is that of the
 * token's identity, made at first sight; there is no session here. Our own tokens and keys are `callers.ts`'s.
 */

import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { hasOurHeader } from "../../lib/jws.ts";
import type { Caller, KnownCaller } from "../model/caller.ts";
import type { IdentityRef, PrincipalSummary, RequestContext } from "../model/entities.ts";
import { isStorableName } from "../model/storable-text.ts";
import type { ProxiedAuthenticator, ProxiedIdentity } from "../ports/authenticator.ts";
import type { PrincipalStore } from "../ports/principals.ts";
import { type Callers, type Credential, enabled, isAmong } from "./callers.ts";
import type { PrincipalCache } from "./principal-cache.ts";
import { knownAddress } from "./spelling.ts";

type TokenCaller = Extract<KnownCaller, { readonly kind: "token" }>;

export interface ProxiedCallersDeps {
  /** Ours: API keys, and the tokens of those who logged in with a browser here. */
  readonly own: Callers;
  readonly provider: string;
  readonly authenticator: ProxiedAuthenticator;
  readonly principals: PrincipalStore;
  readonly principalCache: PrincipalCache;
  readonly clock: Clock;
  readonly caseSensitive?: boolean;
  readonly namesAddresses?: boolean;
}

export class ProxiedCallers implements Callers {
  readonly #deps: ProxiedCallersDeps;
  /** What a token made of a principal; the authenticator answers the same object for as long as the token is good. */
  readonly #callers = new WeakMap<ProxiedIdentity, TokenCaller>();

  constructor(deps: ProxiedCallersDeps) {
    this.#deps = deps;
  }

  identify(
    credential: Credential,
    context: () => RequestContext,
    options: { readonly noted: boolean },
  ): Caller | Promise<Caller> {
    // A provider's token is never signed with a shared secret, ours are never signed otherwise.
    if (credential.kind !== "bearer" || hasOurHeader(credential.token)) {
      return this.#deps.own.identify(credential, context, options);
    }
    const identity = this.#deps.authenticator.verify(credential.token);
    if (identity instanceof Promise) return identity.then((verified) => this.#caller(verified, context));
    return this.#caller(identity, context);
  }

  #caller(identity: ProxiedIdentity, context: () => RequestContext): Caller | Promise<Caller> {
    const known = this.#callers.get(identity);
    if (known === undefined) return this.#meet(identity, context);
    const principal = this.#deps.principalCache.summary(known.principal.uuid);
    if (principal instanceof Promise) {
      return principal.then((found) => this.#known(identity, known, found, context));
    }
    return this.#known(identity, known, principal, context);
  }

  #known(
    identity: ProxiedIdentity,
    known: TokenCaller,
    principal: PrincipalSummary | undefined,
    context: () => RequestContext,
  ): Caller | Promise<Caller> {
    if (known.principal === principal) return known;
    const named = known.identities[0] ?? { provider: this.#deps.provider, id: identity.id };
    // The identity may have been unlinked since, and be another principal's now.
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
