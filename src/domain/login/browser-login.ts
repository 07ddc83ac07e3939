/**
 * Logins of a browser at an identity provider (RFC 6749, section 4.1): to the provider and back with a state that belongs to
 * this browser, is used once and contains the whole login (`sealed-login.ts`). An application that waits for the login gets a
 * one-time code, which it exchanges for tokens itself. Logins of programs are in `device.ts`.
 */
import { hash } from "node:crypto";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Digest, equalSecrets, randomHex, sha256 } from "../../lib/secrets.ts";
import type { RequestContext } from "../model/entities.ts";
import type { AuthenticatedIdentity } from "../ports/authenticator.ts";
import type { BegunLogin, BrowserLoginStore, IssuedCode, LoginGoal } from "../ports/logins.ts";
import { addressBlock, type LoginThrottle } from "../throttling/throttle.ts";
import { browserDigest, stateDigest } from "./binding.ts";
import type { Login, LoginAnswer } from "./login.ts";
import type { KeptAnswer, PostedForm, PostedReturns } from "./posted-return.ts";
import {
  authorizationUri,
  exchange,
  type IdentityProvider,
  type Return,
  receivePosted,
  refuseReturn,
} from "./provider-return.ts";
import { isOfBrowser, type LoginSeals } from "./sealed-login.ts";

/** Seconds. */
export const BROWSER_LOGIN_MAX_AGE = 600;
const CODE_MAX_AGE = 60;

/** A one-time code as an application presents it. */
export interface GivenCode {
  readonly code: string;
  readonly browser: string | null;
  readonly verifier: string | null;
}

export interface BrowserLoginDeps {
  readonly store: BrowserLoginStore;
  readonly login: Login;
  readonly throttle: LoginThrottle;
  readonly posted: PostedReturns;
  readonly clock: Clock;
  readonly seals: LoginSeals;
  /** How many used states of one address are remembered. */
  readonly waitingLimit: number;
}

export class BrowserLogins {
  readonly #deps: BrowserLoginDeps;

  constructor(deps: BrowserLoginDeps) {
    this.#deps = deps;
  }

  /** The URL at the provider for the browser with this secret. The server stores nothing. */
  async begin(
    provider: IdentityProvider,
    redirectUri: string,
    browser: string,
    goal: LoginGoal,
  ): Promise<{ readonly url: URL; readonly state: string }> {
    const { seals } = this.#deps;
    const { state, ...binding } = await seals.seal(provider.name, goal, browser, BROWSER_LOGIN_MAX_AGE);
    const url = await authorizationUri(provider, { provider: provider.name, redirectUri, ...binding }, state);
    return { url, state };
  }

  /**
   * Opens the login that the browser returned with, and uses its state up; `exchange` has to follow. `again`: the browser came
   * back with this state before, or came too late. `redirectUri`: as in `begin`.
   */
  async claim(
    provider: IdentityProvider,
    redirectUri: string,
    returned: Return,
    context: RequestContext,
  ): Promise<{ readonly kind: "claimed" | "again"; readonly login: BegunLogin }> {
    const { seals, store, clock, waitingLimit } = this.#deps;
    const sealed = await seals.open(returned.state);
    if (sealed === null) return refuseReturn(this.#deps, provider.name, over("unknown"), context);
    if (sealed.provider !== provider.name || !isOfBrowser(sealed, returned.browser)) {
      return refuseReturn(this.#deps, provider.name, elsewhere(returned.browser), context);
    }
    const { goal, nonce, codeVerifier, expirationTime } = sealed;
    const login = { provider: provider.name, redirectUri, nonce, codeVerifier, goal };
    if (expirationTime.getTime() <= clock.now()) return { kind: "again", login };
    const { kind } = await store.use({
      state: stateDigest(returned.state),
      expirationTime,
      place: addressBlock(context.address),
      limit: waitingLimit,
    });
    return { kind: kind === "fresh" ? "claimed" : "again", login };
  }

  /** Refuses a repeated return. */
  refuseAgain(provider: IdentityProvider, context: RequestContext): Promise<never> {
    return refuseReturn(this.#deps, provider.name, over("used or expired"), context);
  }

  /** Exchanges the provider's code for the identity. */
  exchange(
    provider: IdentityProvider,
    login: BegunLogin,
    returned: Return,
    context: RequestContext,
  ): Promise<AuthenticatedIdentity> {
    return exchange(this.#deps, provider, login, returned, context);
  }

  /** An answer that the provider's site let the browser post; for device logins, too. */
  receive(provider: IdentityProvider, form: PostedForm, context: RequestContext): Promise<KeptAnswer> {
    return receivePosted(this.#deps, provider, form, context);
  }

  /** A one-time code for an application; the session begins when the application exchanges it. */
  async issueCode(
    provider: IdentityProvider,
    browser: string,
    challenge: string | null,
    identity: AuthenticatedIdentity,
  ): Promise<string> {
    const { store, clock } = this.#deps;
    const code = randomHex(32);
    await store.issueCode(codeDigest(code), {
      provider: provider.name,
      browser: browserDigest(browser),
      challenge,
      identity,
      expirationTime: new Date(clock.now() + CODE_MAX_AGE * 1000),
    });
    return code;
  }

  /** Exchanges a one-time code (RFC 6749, section 4.1.3). Fails with `login_over`; a code that fails a check is not used up. */
  async redeem(provider: IdentityProvider, given: GivenCode, context: RequestContext): Promise<LoginAnswer> {
    const { store, login } = this.#deps;
    const { code, authenticated } = await this.check(provider, given, context);
    const identity = { provider: provider.name, id: authenticated.id };
    const opened = await login.open(identity, authenticated, context, (open) => store.redeemCode(code, open));
    return await login.answer(opened);
  }

  /** The identity of a one-time code, without using it up. Fails like `redeem`. */
  async check(
    provider: IdentityProvider,
    given: GivenCode,
    context: RequestContext,
  ): Promise<{ readonly code: Digest; readonly authenticated: AuthenticatedIdentity }> {
    const code = codeDigest(given.code);
    const issued = await this.#deps.store.findCode(code);
    const problem = this.#problem(issued, provider.name, given);
    if (issued === undefined || problem !== null) {
      const failure = new Failure("login_over", { log: `A one-time code was refused: ${problem}.` });
      return refuseReturn(this.#deps, provider.name, failure, context, problem ?? "unknown_code");
    }
    return { code, authenticated: issued.identity };
  }

  #problem(
    issued: IssuedCode | undefined,
    provider: string,
    { browser, verifier }: { readonly browser: string | null; readonly verifier: string | null },
  ): string | null {
    if (issued === undefined || issued.expirationTime.getTime() <= this.#deps.clock.now())
      return "unknown_code";
    if (issued.provider !== provider) return "code_of_another_provider";
    if (browser === null || !equalSecrets(issued.browser, browserDigest(browser)))
      return "code_of_another_browser";
    return fits(issued.challenge, verifier) ? null : "wrong_code_verifier";
  }
}

/** RFC 7636, section 4.6. A verifier without a challenge is refused, too (RFC 9700, section 2.1.1). */
function fits(challenge: string | null, verifier: string | null): boolean {
  if (challenge === null || verifier === null) return challenge === verifier;
  return equalSecrets(hash("sha256", verifier, "base64url"), challenge);
}

function codeDigest(code: string): Digest {
  return sha256(`code ${code}`);
}

function over(what: string): Failure {
  return new Failure("login_over", { log: `The state of a browser login is ${what}.` });
}

function elsewhere(browser: string | null): Failure {
  return new Failure("login_elsewhere", {
    log:
      browser === null
        ? "A browser came back from the provider without our cookie."
        : "The state of a browser login belongs to another browser or another provider.",
  });
}
