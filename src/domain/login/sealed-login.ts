/**
 * A browser's login that is under way at a provider, sealed into its own `state` (RFC 6749, section 10.12): encrypted,
 * authenticated, for one browser and for a limited time. Nothing is kept here until the browser comes back, so beginning
 * a login costs the server nothing, and no browser needs a cookie for each.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Digest, equalSecrets, type Secret } from "../../lib/secrets.ts";
import type { Binding, LoginGoal } from "../ports/logins.ts";
import { browserDigest } from "./binding.ts";

/** What the seal holds. The redirect URI is where the browser comes back to. */
export interface SealedLogin extends Omit<Binding, "redirectUri"> {
  readonly goal: LoginGoal;
  readonly browser: Digest;
  readonly expirationTime: Date;
}

/** As short as it can be: it goes through the provider's URLs. */
interface Content {
  readonly p: string;
  readonly n: string;
  readonly v: string;
  readonly b: Digest;
  readonly g: LoginGoal;
  readonly e: number;
}

/** Ends a state: the login began on our own pages. It says so also where the seal cannot be opened. */
const OURS = ".page";
const LONGEST = 8192;
const LABEL = "tiled-auth: a login at a provider";

export class LoginSeals {
  readonly #keys: readonly Uint8Array[];
  readonly #clock: Clock;

  /** The first key seals, all open: as with tokens, every server that has them can finish what another began. */
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

  /** Null for what none of our keys has sealed. Whether it is over, and whose it is, is for the caller to check. */
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

/** Whether our own pages sent the browser to the provider, and wait for it. */
export function isOurs(goal: LoginGoal): boolean {
  return goal.kind === "link" || (goal.kind === "page" && goal.next !== null);
}

/** The same as far as a state says it; anybody can write one, so it decides nothing but where a failure is explained. */
export function isOursByState(state: string): boolean {
  return state.endsWith(OURS);
}

/** Characters beyond ASCII take more room than the query's own limit allows for. */
function tooLong({ kind }: LoginGoal): Failure {
  const name = kind === "page" ? "next" : "state";
  const msg = "This is too long to be sent through the provider. Make it shorter.";
  return new Failure("invalid", { detail: [{ type: "string_too_long", loc: ["query", name], msg }] });
}

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
