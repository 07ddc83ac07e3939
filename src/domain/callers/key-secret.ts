/**
 * Secrets of API keys: hexadecimal digits, of which the first eight name the key and a digest of all identifies it. The secret
 * itself is not stored.
 */
import { ByteBoundedMap } from "../../lib/byte-bounded-map.ts";
import { type Digest, randomHex, sha256 } from "../../lib/secrets.ts";
import { bytesOf } from "../../lib/size.ts";

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

/** Room for about 8,000 of our keys. */
const DIGESTS_BYTES = 4_000_000;

/**
 * Digests of keys that were found in the store, since making one takes as long as the rest of the check. They decide nothing:
 * whether a key counts is looked up by its digest for every request. Secrets that fit no key are not kept, so guesses cannot
 * replace those in use.
 */
export class KnownDigests {
  readonly #known = new ByteBoundedMap<string, PresentedKey>(DIGESTS_BYTES);

  /** Like `readApiKey`. */
  read(secret: string): PresentedKey | undefined {
    return this.#known.get(secret) ?? readApiKey(secret);
  }

  /** To call if the store has the key. */
  keep(secret: string, presented: PresentedKey): void {
    if (this.#known.get(secret) === presented) return;
    this.#known.set(secret, presented, bytesOf(secret) + bytesOf(presented));
  }
}

export function newKeySecret(bytes: number): PresentedKey & { readonly secret: string } {
  const secret = randomHex(bytes);
  return { secret, firstEight: secret.slice(0, FIRST_EIGHT), digest: digestOf(secret) };
}

function digestOf(hex: string): Digest {
  return sha256(Buffer.from(hex, "hex"));
}
