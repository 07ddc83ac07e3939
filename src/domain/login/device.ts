/**
 * Logins of programs without a browser (RFC 8628): a program starts one and polls; a person signs in at the provider in any
 * browser, comes back and types the code that the program shows. Each login has its own state at the provider, so that a
 * browser can confirm only the login for which it signed in.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Digest, equalSecrets, randomHex, sha256 } from "../../lib/secrets.ts";
import { ReadThroughCache } from "../callers/read-through-cache.ts";
import type { IdentityRef, RequestContext } from "../model/entities.ts";
import type { AuthenticatedIdentity } from "../ports/authenticator.ts";
import type { DeviceLogin, DeviceLoginStore, DeviceRefusal, PolledLogin } from "../ports/logins.ts";
import { addressBlock, type LoginThrottle } from "../throttling/throttle.ts";
import { browserDigest, isFormToken, newBinding, stateDigest } from "./binding.ts";
import type { Login, LoginAnswer } from "./login.ts";
import type { PostedReturns } from "./posted-return.ts";
import {
  authorizationUri,
  exchange,
  type IdentityProvider,
  type Return,
  refuseReturn,
} from "./provider-return.ts";
import { newUserCode, readUserCode } from "./user-code.ts";

/** Seconds. */
export const DEVICE_LOGIN_MAX_AGE = 900;
export const POLLING_INTERVAL = 5;
const WRONG_CODES = 8;
const USER_CODE_TRIES = 5;
const LONGEST_USER_AGENT = 255;
/** 1 to 512 bytes as hexadecimal digits; ours have 32. */
const DEVICE_CODE = /^(?:[0-9a-f]{2}){0,512}$/i;

export interface StartedDeviceLogin {
  readonly deviceCode: string;
  readonly userCode: string;
  /** The URL to open in a browser. */
  readonly authorizationUri: URL;
  readonly state: string;
}

export type Poll =
  | { readonly kind: "answer"; readonly answer: LoginAnswer }
  | { readonly kind: "malformed" | "unknown" | "expired" | "pending" }
  | { readonly kind: "refused"; readonly reason: DeviceRefusal };

/** A login whose person has signed in at the provider. */
export interface SignedIn {
  readonly login: DeviceLogin;
  readonly identity: string;
  readonly confirmed: boolean;
}

/** The result of a typed code; after `empty`, `wrong` and `throttled` the form is shown again. */
export type Typed =
  | { readonly kind: "confirmed"; readonly identity: string }
  | { readonly kind: "empty" | "wrong"; readonly signedIn: SignedIn }
  | { readonly kind: "throttled"; readonly signedIn: SignedIn; readonly retryAfter: number }
  | { readonly kind: "refused"; readonly reason: DeviceRefusal };

export interface DeviceLoginDeps {
  readonly store: DeviceLoginStore;
  readonly login: Login;
  readonly throttle: LoginThrottle;
  readonly posted: PostedReturns;
  readonly clock: Clock;
  readonly sessionLimit: number;
  /** Concurrent waiting logins of one address; beyond it the oldest is dropped. */
  readonly waitingLimit: number;
}

export class DeviceLogins {
  readonly #deps: DeviceLoginDeps;
  /** Programs poll often. The cache only answers "pending"; the store decides what may be collected. */
  readonly #polled: ReadThroughCache<Digest, PolledLogin>;

  constructor(deps: DeviceLoginDeps) {
    this.#deps = deps;
    this.#polled = new ReadThroughCache((deviceCode) => deps.store.byDeviceCode(deviceCode), deps.clock);
  }

  /** Section 3.1: the program starts a login. */
  async start(
    provider: IdentityProvider,
    redirectUri: string,
    userAgent: string | null,
    context: RequestContext,
  ): Promise<StartedDeviceLogin> {
    const { store, clock, waitingLimit } = this.#deps;
    const { binding, state } = newBinding(provider.name, redirectUri);
    const uri = await authorizationUri(provider, binding, state);
    const deviceCode = randomHex(32);
    for (let tries = 0; tries < USER_CODE_TRIES; tries++) {
      const userCode = newUserCode();
      const { kind } = await store.start({
        ...binding,
        deviceCode: sha256(Buffer.from(deviceCode, "hex")),
        userCode,
        state: stateDigest(state),
        userAgent: userAgent === null ? null : shorten(userAgent),
        place: addressBlock(context.address),
        limit: waitingLimit,
        now: new Date(clock.now()),
        expirationTime: new Date(clock.now() + DEVICE_LOGIN_MAX_AGE * 1000),
        context,
      });
      if (kind === "started") return { deviceCode, userCode, authorizationUri: uri, state };
    }
    throw new Failure("store_unavailable", { log: "no user code was free" });
  }

  /** Section 3.4: the program asks for its tokens. Only reads until the login is confirmed. */
  async poll(provider: string, deviceCode: string, context: RequestContext): Promise<Poll> {
    if (!DEVICE_CODE.test(deviceCode)) return { kind: "malformed" };
    const digest = sha256(Buffer.from(deviceCode, "hex"));
    const login = await this.#polled.get(digest);
    if (login === undefined) return await this.#handedOver(provider, digest, context);
    if (login.provider !== provider) return { kind: "unknown" };
    if (this.#isExpired(login)) return { kind: "expired" };
    const { phase } = login;
    if (phase.kind === "refused") return phase;
    if (phase.kind !== "confirmed") return { kind: "pending" };
    return await this.#collect(digest, { provider, id: phase.identity.id }, phase.identity, context);
  }

  /** The login is confirmed: its end and the session are one transaction. */
  async #collect(
    digest: Digest,
    identity: IdentityRef,
    authenticated: AuthenticatedIdentity,
    context: RequestContext,
  ): Promise<Poll> {
    const { store, login: pipeline } = this.#deps;
    try {
      const opened = await pipeline.open(identity, authenticated, context, (request) =>
        store.collect(digest, request),
      );
      return { kind: "answer", answer: await pipeline.answer(opened) };
    } catch (error) {
      const code = error instanceof Failure ? error.code : undefined;
      if (code === "login_over") return { kind: "unknown" };
      if (code === "limit_reached") return { kind: "refused", reason: "session_limit" };
      if (code === "other_spelling") return { kind: "refused", reason: "other_spelling" };
      if (code === "no_principal") return { kind: "refused", reason: "principal_disabled" };
      throw error;
    } finally {
      this.#polled.drop(digest);
    }
  }

  async #handedOver(provider: string, deviceCode: Digest, context: RequestContext): Promise<Poll> {
    const { store, login, clock } = this.#deps;
    const now = new Date(clock.now());
    const opened = await store.collectHandedOver({ deviceCode, provider, now, context });
    return opened === undefined
      ? { kind: "unknown" }
      : { kind: "answer", answer: await login.answer(opened) };
  }

  /** Section 3.3: the person opens our URL first and is sent to the provider. `userCode`: the typed code, if it is right. */
  async resume(
    provider: IdentityProvider,
    state: string,
    typed: string | null,
    context: RequestContext,
  ): Promise<{ readonly authorizationUri: URL; readonly userCode: string | null }> {
    const login = await this.#find(provider.name, state, context);
    if (login.phase.kind !== "waiting") throw over(`it is ${login.phase.kind}`);
    const uri = await authorizationUri(provider, login, state);
    const right = typed !== null && isUserCode(typed, login);
    return { authorizationUri: uri, userCode: right ? login.userCode : null };
  }

  /** The browser returns from the provider. The same browser may return again, e.g. by a reload. */
  async signIn(
    provider: IdentityProvider,
    returned: Return & { readonly browser: string; readonly denied: boolean },
    context: RequestContext,
  ): Promise<SignedIn> {
    const { store, clock } = this.#deps;
    const login = await this.#find(provider.name, returned.state, context);
    if (login.phase.kind !== "waiting") return await this.#again(login, returned.browser, context);
    const { deviceCode } = login;
    const change = { deviceCode, now: new Date(clock.now()), context };
    const identity = await exchange(this.#deps, provider, login, returned, context).catch(async (error) => {
      if (returned.denied) await store.refuse({ ...change, reason: "denied_by_provider" });
      this.#polled.drop(deviceCode);
      throw error;
    });
    const browser = browserDigest(returned.browser);
    const { kind } = await store.signIn({ ...change, browser, identity });
    if (kind === "over") throw over("two browsers came back at once, or it was too late");
    return {
      login: { ...login, phase: { kind: "signed_in", browser, identity } },
      identity: identity.id,
      confirmed: false,
    };
  }

  /** Section 3.3: the person types the user code. */
  async type(
    provider: IdentityProvider,
    form: {
      readonly state: string;
      readonly browser: string | null;
      readonly token: string;
      readonly userCode: string;
    },
    context: RequestContext,
  ): Promise<Typed> {
    const signedIn = await this.#ofForm(provider.name, form, context);
    if (signedIn.confirmed) return { kind: "confirmed", identity: signedIn.identity };
    if (readUserCode(form.userCode) === "") return { kind: "empty", signedIn };
    return isUserCode(form.userCode, signedIn.login)
      ? await this.#confirm(signedIn, context)
      : await this.#countWrong(signedIn, context);
  }

  async #confirm({ login, identity }: SignedIn, context: RequestContext): Promise<Typed> {
    const { store, clock, sessionLimit } = this.#deps;
    const { deviceCode, provider } = login;
    const caseSensitive = this.#deps.login.caseSensitive(provider);
    const now = new Date(clock.now());
    const outcome = await store.confirm({ deviceCode, now, context, limit: sessionLimit, caseSensitive });
    this.#polled.drop(deviceCode);
    if (outcome.kind === "refused") return outcome;
    if (outcome.kind === "over") throw over("it ended while the code was typed");
    return { kind: "confirmed", identity };
  }

  /** Section 5.1: guessing is limited, for each login and for each address. */
  async #countWrong(signedIn: SignedIn, context: RequestContext): Promise<Typed> {
    const { store, clock, throttle } = this.#deps;
    const { deviceCode, provider } = signedIn.login;
    // Counted even if the address is throttled; otherwise its tries would be unlimited.
    const change = { deviceCode, now: new Date(clock.now()), context };
    const { left } = await store.countWrong({ ...change, tries: WRONG_CODES });
    this.#polled.drop(deviceCode);
    const { retryAfter, limitReached } = await throttle.failed(context.address);
    if (limitReached) await this.#deps.login.note("login_throttled", null, context, { provider });
    if (left === 0) return { kind: "refused", reason: "wrong_codes" };
    return retryAfter > 0 ? { kind: "throttled", signedIn, retryAfter } : { kind: "wrong", signedIn };
  }

  /** The person cancels the login on the form. */
  async cancel(
    provider: IdentityProvider,
    form: { readonly state: string; readonly browser: string | null; readonly token: string },
    context: RequestContext,
  ): Promise<void> {
    const { login } = await this.#ofForm(provider.name, form, context);
    const now = new Date(this.#deps.clock.now());
    await this.#deps.store.refuse({ deviceCode: login.deviceCode, now, context, reason: "cancelled" });
    this.#polled.drop(login.deviceCode);
  }

  async #find(provider: string, state: string, context: RequestContext): Promise<DeviceLogin> {
    const login = await this.#deps.store.byState(stateDigest(state));
    if (login !== undefined && login.provider !== provider) {
      return refuseReturn(this.#deps, provider, elsewhere("its state is another provider's"), context);
    }
    if (login !== undefined && !this.#isExpired(login)) return login;
    const log = login === undefined ? "its state is unknown" : "it has expired";
    return refuseReturn(this.#deps, provider, over(log), context);
  }

  async #ofForm(
    provider: string,
    form: { readonly state: string; readonly browser: string | null; readonly token: string },
    context: RequestContext,
  ): Promise<SignedIn> {
    const login = await this.#find(provider, form.state, context);
    if (form.browser === null) {
      return refuseReturn(this.#deps, provider, elsewhere("the browser has no cookie"), context);
    }
    const signedIn = await this.#again(login, form.browser, context);
    if (isFormToken(form.token, login, form.browser)) return signedIn;
    return refuseReturn(this.#deps, provider, elsewhere("the form's token is wrong"), context);
  }

  /** Refuses any browser but the one that signed in. */
  async #again(login: DeviceLogin, browser: string, context: RequestContext): Promise<SignedIn> {
    const { phase, provider } = login;
    if (phase.kind === "refused") throw over(`it was refused: ${phase.reason}`);
    if (phase.kind === "waiting" || !equalSecrets(phase.browser, browserDigest(browser))) {
      return refuseReturn(this.#deps, provider, elsewhere("its state was used by another browser"), context);
    }
    return { login, identity: phase.identity.id, confirmed: phase.kind === "confirmed" };
  }

  #isExpired(login: PolledLogin): boolean {
    return login.expirationTime.getTime() <= this.#deps.clock.now();
  }
}

function isUserCode(typed: string, login: DeviceLogin): boolean {
  return equalSecrets(readUserCode(typed), login.userCode);
}

function shorten(userAgent: string): string {
  return userAgent.replaceAll("\0", "").toWellFormed().slice(0, LONGEST_USER_AGENT).toWellFormed();
}

function over(log: string): Failure {
  return new Failure("login_over", { log: `The device login cannot go on: ${log}.` });
}

function elsewhere(log: string): Failure {
  return new Failure("login_elsewhere", { log: `The device login cannot go on: ${log}.` });
}
