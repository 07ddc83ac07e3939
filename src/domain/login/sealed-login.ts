/**
 * A browser's login in progress, sealed into its own `state` (RFC 6749, section 10.12): encrypted and authenticated, for one
 * browser and a limited time. The server stores nothing until the browser comes back, so starting logins costs it nothing,
 * and the browser needs no cookie for each.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Digest, equalSecrets, type Secret } from "../../lib/secrets.ts";
import type { Binding, LoginGoal } from "../ports/logins.ts";
import { browserDigest } from "./binding.ts";

/** The content of the seal. The redirect URI is the one at which the browser comes back. */
export interface SealedLogin extends Omit<Binding, "redirectUri"> {
  readonly goal: LoginGoal;
  readonly browser: Digest;
  readonly expirationTime: Date;
}

/** Short names, since it travels in the provider's URLs. */
interface Content {
  readonly p: string;
  readonly n: string;
  readonly v: string;
  readonly b: Digest;
  readonly g: LoginGoal;
  readonly e: number;
}

/** Suffix of a state of a login that began on our own pages; readable even if the seal cannot be opened. */
const OURS = ".page";
const LONGEST = 8192;
const LABEL = "tiled-auth: a login at a provider";

export class LoginSeals {
  readonly #keys: readonly Uint8Array[];
  readonly #clock: Clock;

  /** The first key seals; all open. Every server with the keys can finish a login that another began. */
  constructor(secrets: readonly Secret[], clock: Clock) {
    this.#keys = secrets.map((secret) => new Uint8Array(hkdfSync("sha256", secret.reveal(), "", LABEL, 32)));
    this.#clock = clock;
  }

  async seal(provider: string, goal: LoginGoal, browser: string, seconds: number) {
    const { CompactEncrypt } = await import("jose");
    const [nonce, codeVerifier] = [newSecret(), newSecret()];
    const content: Content = {
      p: provider,
      n: nonce,
      v: codeVerifier,
      b: browserDigest(browser),
      g: goal,
      e: this.#clock.now() + seconds * 1000,
    };
    const [key] = this.#keys;
    if (key === undefined) throw new Error("A login cannot be sealed without a secret key.");
    const sealed = await new CompactEncrypt(Buffer.from(JSON.stringify(content)))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(key);
    const state = isOurs(goal) ? sealed + OURS : sealed;
    if (state.length > LONGEST) throw tooLong(goal);
    return { nonce, codeVerifier, state };
  }

  /** Null if none of our keys sealed it. The caller checks expiry and browser. */
  async open(state: string): Promise<SealedLogin | null> {
    if (state.length > LONGEST) return null;
    const { compactDecrypt, errors } = await import("jose");
    const sealed = isOursByState(state) ? state.slice(0, -OURS.length) : state;
    const options = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };
    for (const key of this.#keys) {
      try {
        const { plaintext } = await compactDecrypt(sealed, key, options);
        const { p, n, v, b, g, e } = JSON.parse(new TextDecoder().decode(plaintext)) as Content;
        return { provider: p, nonce: n, codeVerifier: v, browser: b, goal: g, expirationTime: new Date(e) };
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
    }
    return null;
  }
}

export function isOfBrowser({ browser }: SealedLogin, secret: string | null): boolean {
  return secret !== null && equalSecrets(browser, browserDigest(secret));
}

/** Whether the login began on our own pages. */
export function isOurs(goal: LoginGoal): boolean {
  return goal.kind === "link" || (goal.kind === "page" && goal.next !== null);
}

/** The same by the suffix of a state, which can be forged: use it only to choose where to show a failure. */
export function isOursByState(state: string): boolean {
  return state.endsWith(OURS);
}

/** Non-ASCII characters take more room than the query's own limit allows for. */
function tooLong({ kind }: LoginGoal): Failure {
  const name = kind === "page" ? "next" : "state";
  const msg = "This is too long to be sent through the provider. Make it shorter.";
  return new Failure("invalid", { detail: [{ type: "string_too_long", loc: ["query", name], msg }] });
}

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
