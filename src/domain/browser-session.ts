/**
 * Logged-in browsers: a random secret in a cookie stands for a session, which lasts and ends like any other. The store has
 * only the secret's digest. `http/access/session-cookie.ts` decides which requests may use the cookie.
 */

import { isDeepStrictEqual } from "node:util";
import { Failure } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { chain } from "../lib/maybe-promise.ts";
import { type Digest, equalSecrets, randomHex, sha256 } from "../lib/secrets.ts";
import type { Uuid } from "../lib/uuid.ts";
import type { PrincipalCache } from "./callers/principal-cache.ts";
import { ReadThroughCache } from "./callers/read-through-cache.ts";
import type { HandOvers } from "./login/hand-over.ts";
import type { Login, OpenedLogin } from "./login/login.ts";
import type { BrowserCaller } from "./model/caller.ts";
import type { IdentityRef, PrincipalSummary, RequestContext, SessionStatus } from "./model/entities.ts";
import type { BrowserBinding, BrowserSessionStore } from "./ports/accounts.ts";
import type { AuthenticatedIdentity } from "./ports/authenticator.ts";
import type { Lifetimes } from "./tokens/tokens.ts";

/** The shortest time between two recorded uses. */
const NOTE_EVERY_MS = 60_000;
const MAX_REMEMBERED = 50_000;
const SECRET_LENGTH = 64;
const SECRET = /^[0-9a-f]{64}$/;

export interface BrowserSessionDeps {
  readonly store: BrowserSessionStore;
  readonly principalCache: PrincipalCache;
  readonly login: Login;
  readonly clock: Clock;
  readonly lifetimes: Lifetimes;
  /** Null: each host has its own logins. */
  readonly handOvers: HandOvers | null;
  /** Called if a use could not be recorded; the browser stays logged in. */
  readonly onError: (error: unknown) => void;
}

export class BrowserSessions {
  readonly #deps: BrowserSessionDeps;
  readonly #bindings: ReadThroughCache<Digest, BrowserBinding>;
  readonly #idleMs: number;
  /** The newest recorded use of each session, including those being written. */
  readonly #noted = new Map<Uuid, number>();
  readonly #writing = new Set<Promise<void>>();
  /** The caller for a binding, as long as binding and principal are the same objects. */
  readonly #callers = new WeakMap<BrowserBinding, BrowserCaller>();

  constructor(deps: BrowserSessionDeps) {
    this.#deps = deps;
    this.#bindings = new ReadThroughCache((token) => deps.store.find(token), deps.clock, {
      changes: deps.principalCache.changes,
      isSame: isDeepStrictEqual,
      // A use changes it as well.
      ownerOf: ({ principal }) => principal,
    });
    this.#idleMs = deps.lifetimes.refreshToken * 1000;
  }

  /** Lifetime of the cookie in seconds. The session is checked here at each use. */
  get maxAge(): number {
    return this.#deps.lifetimes.session;
  }

  /** Opens a session for an identity that an authenticator confirmed. `previous`: the browser's current secret. */
  async begin(
    identity: IdentityRef,
    authenticated: AuthenticatedIdentity,
    previous: string | null,
    context: RequestContext,
  ): Promise<{ readonly secret: string; readonly opened: OpenedLogin }> {
    const { store, login, principalCache } = this.#deps;
    const secret = randomHex(32);
    const replaces = previous === null ? null : this.#tokenIn(previous);
    const opened = await login.open(identity, authenticated, context, async (request) => {
      const { outcome, replaced } = await store.open(tokenOf(secret), request, replaces);
      if (replaced !== null) principalCache.sessionChanged(replaced.session, replaced.principal);
      return outcome;
    });
    return { secret, opened };
  }

  /**
   * `secret`: the cookie's content, including one handed over from the account host. Synchronous if everything is cached.
   * Fails with `browser_login_over` or `no_principal`.
   */
  identify(secret: string): BrowserCaller | Promise<BrowserCaller> {
    const token = this.#tokenIn(secret);
    if (token === null) throw over("unknown");
    const binding = this.#bindings.get(token);
    return chain(binding, (found) => this.#lookUp(found));
  }

  /** Waits for uses that are being recorded. */
  async flush(): Promise<void> {
    await Promise.all(this.#writing);
  }

  #tokenIn(secret: string): Digest | null {
    if (secret.length === SECRET_LENGTH) return tokenOf(secret);
    return this.#deps.handOvers?.tokenIn(secret) ?? null;
  }

  #lookUp(binding: BrowserBinding | undefined): BrowserCaller | Promise<BrowserCaller> {
    if (binding === undefined) throw over("unknown");
    const session = this.#deps.principalCache.session(binding.session);
    return chain(session, (found) => this.#ofSession(binding, found));
  }

  #ofSession(
    binding: BrowserBinding,
    session: SessionStatus | undefined,
  ): BrowserCaller | Promise<BrowserCaller> {
    const now = this.#deps.clock.now();
    if (session === undefined || session.revoked) throw over("revoked");
    if (session.expirationTime.getTime() <= now) throw over("expired");
    const used = Math.max(binding.lastUsed.getTime(), this.#noted.get(binding.session) ?? 0);
    if (used + this.#idleMs <= now) throw over("not used for too long");
    const principal = this.#deps.principalCache.summary(session.principal);
    return chain(principal, (found) => this.#caller(binding, found, used));
  }

  #caller(binding: BrowserBinding, principal: PrincipalSummary | undefined, used: number): BrowserCaller {
    if (principal === undefined || principal.disabled) throw new Failure("no_principal");
    this.#note(binding.session, principal.uuid, used);
    const known = this.#callers.get(binding);
    if (known?.principal === principal) return known;
    const { session, identity, startedAt } = binding;
    const scopes = new Set(principal.scopes);
    const caller: BrowserCaller = { kind: "browser", scopes, principal, session, identity, startedAt };
    this.#callers.set(binding, caller);
    return caller;
  }

  #note(session: Uuid, principal: Uuid, used: number): void {
    const now = this.#deps.clock.now();
    if (now - used < Math.min(NOTE_EVERY_MS, this.#idleMs / 4)) return;
    if (this.#noted.size >= MAX_REMEMBERED) this.#noted.clear();
    this.#noted.set(session, now);
    const writing: Promise<void> = this.#deps.store
      .touch(session, new Date(now))
      .then(() => this.#deps.principalCache.documentChanged(principal))
      .catch((error: unknown) => {
        this.#noted.delete(session);
        this.#deps.onError(error);
      })
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }
}

/** Null if the text does not have the form of our secrets. */
export function readSessionSecret(text: string | undefined): string | null {
  return text !== undefined && SECRET.test(text) ? text : null;
}

/** The token in each form of a page made for this browser; it cannot be computed without the secret. */
export function formTokenOf(secret: string): string {
  return sha256(`session form ${secret}`);
}

/** The same for the login form, before the browser has a session. */
export function loginTokenOf(browser: string): string {
  return sha256(`login form ${browser}`);
}

/** For the form of a new password: the page of one account's link must not set another's password. */
export function linkTokenOf(browser: string, link: string): string {
  return sha256(`link form ${browser} ${link}`);
}

/** For the form that asks whether a browser may keep an API key; other sites cannot compute it. */
export function keyTokenOf(browser: string, key: string): string {
  return sha256(`key form ${browser} ${key}`);
}

/** For returning to an interrupted action after a second login. */
export function goOnTokenOf(browser: string, action: string): string {
  return sha256(`go on ${browser} ${action}`);
}

export function isToken(given: string | undefined, expected: string): boolean {
  return given !== undefined && equalSecrets(given, expected);
}

/** The digest by which the store knows a browser's secret. */
export function tokenOf(secret: string): Digest {
  return sha256(`session ${secret}`);
}

function over(why: string): Failure {
  return new Failure("browser_login_over", { log: `a browser's session: ${why}` });
}
