/**
 * Secrets of API keys: hexadecimal digits, of which the first eight name the key and a digest of all identifies it. The secret
 * itself is not stored.
 */
import { type Digest, randomHex, sha256 } from "../../lib/secrets.ts";

export const FIRST_EIGHT = 8;

/** Hex digits. Our keys have 36 bytes, CAVE's tokens 16; those of a database handed over may have others. */
const API_KEY = /^(?:[0-9a-f]{2}){4,256}$/;

export interface PresentedKey {
  readonly firstEight: string;
  readonly digest: Digest;
}

/** Undefined if the text does not have the form of a key. */
export function readApiKey(secret: string): PresentedKey | undefined {
  const lower = secret.toLowerCase();
  if (!API_KEY.test(lower)) return undefined;
  return { firstEight: lower.slice(0, FIRST_EIGHT), digest: digestOf(lower) };
}

export function newKeySecret(bytes: number): PresentedKey & { readonly secret: string } {
  const secret = randomHex(bytes);
  return { secret, firstEight: secret.slice(0, FIRST_EIGHT), digest: digestOf(secret) };
}

function digestOf(hex: string): Digest {
  return sha256(Buffer.from(hex, "hex"));
}
