/**
 * Binds a login to one browser: by a secret in the browser's cookie, and for a form by a token that only a page made for this
 * browser and this login contains. The store has only digests.
 */
import { type Digest, equalSecrets, randomHex, sha256 } from "../../lib/secrets.ts";
import type { Binding } from "../ports/logins.ts";

const BROWSER = /^[0-9a-f]{64}$/;

export function newBrowserSecret(): string {
  return randomHex(32);
}

/** Null if the text does not have the form of our secrets. */
export function readBrowserSecret(text: string | undefined): string | null {
  return text !== undefined && BROWSER.test(text) ? text : null;
}

export function browserDigest(secret: string): Digest {
  return sha256(`browser ${secret}`);
}

/** Depends on the code verifier, since an attacker may know the state, or have planted the cookie. */
export function formToken({ codeVerifier }: Binding, browser: string): string {
  return sha256(`form ${codeVerifier} ${browser}`);
}

export function isFormToken(token: string, binding: Binding, browser: string): boolean {
  return equalSecrets(token, formToken(binding, browser));
}

/** The values that go to a provider and back, new for each login. */
export function newBinding(provider: string, redirectUri: string): { binding: Binding; state: string } {
  return {
    binding: { provider, redirectUri, nonce: randomHex(32), codeVerifier: randomHex(32) },
    state: randomHex(32),
  };
}

export function stateDigest(state: string): Digest {
  return sha256(`state ${state}`);
}
