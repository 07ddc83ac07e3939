/**
 * Answers that a provider lets the browser post from its own site (SAML Bindings, section 3.5). No cookie of ours comes along,
 * so the answer is checked, kept for a minute, and collected by the browser's next request, whose cookie counts. The key to it
 * is made here and goes to that browser alone: a stranger who knows the login's state cannot collect it first.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Digest, equalSecrets, randomHex, sha256 } from "../../lib/secrets.ts";
import type { AuthenticatedIdentity, PostedLogin } from "../ports/authenticator.ts";
import type { BrowserLoginStore, DeviceLoginStore } from "../ports/logins.ts";
import { stateDigest } from "./binding.ts";
import type { LoginSeals } from "./sealed-login.ts";

/** Milliseconds. */
const KEPT = 60_000;
/** Answers of one provider that are remembered; the oldest, which only its own login would take, is dropped. */
const REMEMBERED = 10_000;

export interface PostedReturnDeps {
  readonly store: BrowserLoginStore;
  readonly devices: Pick<DeviceLoginStore, "byState">;
  readonly seals: LoginSeals;
  readonly clock: Clock;
}

export interface PostedForm {
  readonly answer: string;
  readonly state: string;
}

/** Where the browser goes on, and what it brings along. */
export interface KeptAnswer {
  /** The key to its answer, or why the provider refused the login. */
  readonly outcome: { readonly code: string } | { readonly refused: string };
  /** The page of a device login; null: the provider's `…/code`. */
  readonly page: string | null;
}

export class PostedReturns {
  readonly #deps: PostedReturnDeps;

  constructor(deps: PostedReturnDeps) {
    this.#deps = deps;
  }

  /** Checks a posted answer and keeps its identity. */
  async receive(provider: string, posted: PostedLogin, { answer, state }: PostedForm): Promise<KeptAnswer> {
    const { store, clock } = this.#deps;
    const { nonce, page } = await this.#loginOf(provider, state);
    const received = await posted.receive({ answer, nonce }).catch(refusalOf);
    // The next request refuses it: the login's goal is known there, and a waiting program is told.
    if (received instanceof Failure) return { outcome: { refused: received.message }, page };
    const { identity, ...proof } = received;
    const { kind } = await store.use({
      state: sha256(`answer ${provider} ${proof.answer}`),
      expirationTime: proof.expires,
      place: `answers of ${provider}`,
      limit: REMEMBERED,
    });
    if (kind === "used") throw over("its answer was used before");
    const code = randomHex(32);
    await store.issueCode(digestOf(code), {
      provider,
      browser: stateDigest(state),
      challenge: null,
      identity,
      expirationTime: new Date(clock.now() + KEPT),
    });
    return { outcome: { code }, page };
  }

  /** The identity of a kept answer, once. */
  async collect(provider: string, state: string, code: string): Promise<AuthenticatedIdentity> {
    const { store, clock } = this.#deps;
    const digest = digestOf(code);
    const kept = await store.findCode(digest);
    const isOfLogin = kept?.provider === provider && equalSecrets(kept.browser, stateDigest(state));
    if (!isOfLogin) throw over("the key to its answer is unknown or belongs to another login");
    const isTaken = await store.takeCode(digest, new Date(clock.now()));
    if (!isTaken) throw over("its answer was collected before, or more than a minute ago");
    return kept.identity;
  }

  async #loginOf(provider: string, state: string): Promise<{ nonce: string; page: string | null }> {
    const { devices, seals, clock } = this.#deps;
    if (state === "")
      throw over("its answer was not asked for (no RelayState); logins cannot begin at the provider");
    const sealed = await seals.open(state);
    const device = sealed === null ? await devices.byState(stateDigest(state)) : undefined;
    const login = sealed ?? device;
    if (login === undefined) throw over("the state of its answer (RelayState) is unknown");
    if (login.provider !== provider) throw over("the state of its answer is another provider's");
    if (login.expirationTime.getTime() <= clock.now()) throw over("it took too long at the provider");
    return { nonce: login.nonce, page: device?.redirectUri ?? null };
  }
}

function refusalOf(error: unknown): Failure {
  if (error instanceof Failure && error.code === "login_refused") return error;
  throw error;
}

function digestOf(code: string): Digest {
  return sha256(`posted ${code}`);
}

function over(why: string): Failure {
  return new Failure("login_over", { log: `A login at the provider cannot go on: ${why}.` });
}
