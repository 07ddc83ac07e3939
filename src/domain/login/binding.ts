/**
 * What ties a login to one browser: a secret that the browser keeps in a cookie, and for a form a token that only a page
 * made for this browser and this login holds. The store has digests only.
 */
import { type Digest, equalSecrets, randomHex, sha256 } from "../../lib/secrets.ts";
import type { Binding } from "../ports/logins.ts";

const BROWSER = /^[0-9a-f]{64}$/;

export function newBrowserSecret(): string {
  return randomHex(32);
}

/** Null for what is none of ours. */
export function readBrowserSecret(text: string | undefined): string | null {
  return text !== undefined && BROWSER.test(text) ? text : null;
}

export function browserDigest(secret: string): Digest {
  return sha256(`browser ${secret}`);
}

/** Not to be made from what an attacker may know: the login's state, or a cookie that he planted himself. */
export function formToken({ codeVerifier }: Binding, browser: string): string {
  return sha256(`form ${codeVerifier} ${browser}`);
}

export function isFormToken(token: string, binding: Binding, browser: string): boolean {
  return equalSecrets(token, formToken(binding, browser));
}

/** Everything that goes to a provider and back, fresh for each login. */
export function newBinding(provider: string, redirectUri: string): { binding: Binding; state: string } {
  return {
    binding: { provider, redirectUri, nonce: randomHex(32), codeVerifier: randomHex(32) },
    state: randomHex(32),
  };
}

export function stateDigest(state: string): Digest {
  return sha256(`state ${state}`);
}
