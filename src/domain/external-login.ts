/**
 * Logins of a browser at a provider (RFC 6749, section 4.1): to the provider and back with a state that belongs to this
 * browser and is used once. An application that waits for the login gets a one-time code in place of tokens, which it
 * exchanges itself; logins of programs are in `device.ts`.
 */
import { hash } from "node:crypto";
import type { AuthenticatedIdentity } from "../authenticators/contract.ts";
import { Failure } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { type Digest, equalSecrets, randomHex, sha256 } from "../lib/secrets.ts";
import { browserDigest, newBinding, stateDigest } from "./browser.ts";
import type { Login, LoginAnswer } from "./login.ts";
import type { BegunLogin, BrowserLoginStore, IssuedCode, LoginGoal } from "./login-ports.ts";
import type { Origin } from "./model.ts";
import {
  authorizationUri,
  exchange,
  type Provider,
  type Return,
  refuseReturn,
  tooManyWaiting,
} from "./provider-return.ts";
import { addressBlock, type LoginThrottle } from "./throttle.ts";

/** Seconds, both. */
export const BROWSER_LOGIN_MAX_AGE = 600;
const CODE_MAX_AGE = 60;
/** Ends a state: the login began on our own pages. It says so also where nothing else is known of the login any more. */
const OURS = "-page";

/** A one-time code as an application presents it. */
export interface GivenCode {
  readonly code: string;
  readonly browser: string | null;
  readonly verifier: string | null;
}

export interface ExternalLoginDeps {
  readonly store: BrowserLoginStore;
  readonly login: Login;
  readonly throttle: LoginThrottle;
  readonly clock: Clock;
  /** Logins of one address that are under way at the same time. */
  readonly waitingLimit: number;
}

export class ExternalLogins {
  readonly #deps: ExternalLoginDeps;

  constructor(deps: ExternalLoginDeps) {
    this.#deps = deps;
  }

  /** The URL at the provider for a browser that has this secret. */
  async begin(
    provider: Provider,
    redirectUri: string,
    browser: string,
    goal: LoginGoal,
    origin: Origin,
  ): Promise<URL> {
    const { store, clock, waitingLimit } = this.#deps;
    const { binding, state: random } = newBinding(provider.name, redirectUri);
    const state = isOurs(goal) ? random + OURS : random;
    const uri = await authorizationUri(provider, binding, state);
    const { kind } = await store.begin({
      ...binding,
      goal,
      state: stateDigest(state),
      browser: browserDigest(browser),
      place: addressBlock(origin.address),
      limit: waitingLimit,
      now: new Date(clock.now()),
      expirationTime: new Date(clock.now() + BROWSER_LOGIN_MAX_AGE * 1000),
    });
    if (kind === "limit") throw tooManyWaiting();
    return uri;
  }

  /** What the browser's login was for, once: the state is used up by this. `exchange` is what has to follow. */
  async claim(provider: Provider, returned: Return, origin: Origin): Promise<BegunLogin> {
    const { store, clock } = this.#deps;
    const claim = await store.claim({
      state: stateDigest(returned.state),
      provider: provider.name,
      browser: returned.browser === null ? null : browserDigest(returned.browser),
      now: new Date(clock.now()),
    });
    switch (claim.kind) {
      case "unknown":
        return refuseReturn(this.#deps, provider.name, over("unknown, used or expired"), origin);
      case "elsewhere":
        return refuseReturn(this.#deps, provider.name, elsewhere(returned.browser), origin);
      case "claimed":
        return claim.login;
    }
  }

  /** Who came back. */
  exchange(
    provider: Provider,
    login: BegunLogin,
    returned: Return,
    origin: Origin,
  ): Promise<AuthenticatedIdentity> {
    return exchange(this.#deps, provider, login, returned, origin);
  }

  /** A one-time code for an application; the session begins when it is exchanged. */
  async issueCode(
    provider: Provider,
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

  /** `login_over` for whatever is wrong with the code; one that fails a check is not used up. */
  async redeem(provider: Provider, given: GivenCode, origin: Origin): Promise<LoginAnswer> {
    const { store, login } = this.#deps;
    const { code, authenticated } = await this.check(provider, given, origin);
    const identity = { provider: provider.name, id: authenticated.id };
    const opened = await login.open(identity, authenticated, origin, (open) => store.redeemCode(code, open));
    return await login.answer(opened);
  }

  /** Who a one-time code vouches for; it is not used up by this. Fails as `redeem`. */
  async check(
    provider: Provider,
    given: GivenCode,
    origin: Origin,
  ): Promise<{ readonly code: Digest; readonly authenticated: AuthenticatedIdentity }> {
    const code = codeDigest(given.code);
    const issued = await this.#deps.store.findCode(code);
    const problem = this.#problem(issued, provider.name, given);
    if (issued === undefined || problem !== null) {
      const failure = new Failure("login_over", { log: `A one-time code was refused: ${problem}.` });
      return refuseReturn(this.#deps, provider.name, failure, origin, problem ?? "unknown_code");
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

/** Whether our own pages sent the browser to the provider, and wait for it. */
export function isOurs(goal: LoginGoal): boolean {
  return goal.kind === "link" || (goal.kind === "page" && goal.next !== null);
}

/** The same as far as a state says it; anybody can write one, so it decides nothing but where a failure is explained. */
export function isOursByState(state: string): boolean {
  return state.endsWith(OURS);
}

/** RFC 7636, section 4.6. A verifier where no challenge was sent is refused, too (RFC 9700, section 2.1.1). */
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
