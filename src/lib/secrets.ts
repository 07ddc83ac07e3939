/**
 * Secrets, their digests and their comparison. A `Secret` never prints itself; a `Digest` is another type, so that
 * the one cannot be stored or compared in place of the other.
 */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/** A value that must not reach a log, an error or an answer: it shows as `[secret]` everywhere but in `reveal()`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** SHA-256 of a secret, 64 lower-case hex digits. */
export type Digest = string & { readonly __brand: "Digest" };

export function sha256(data: string | Uint8Array): Digest {
  return hash("sha256", data, "hex") as Digest;
}

export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}

/** Whether two texts are equal, in a time that depends on neither's content: their digests are compared. */
export function equalSecrets(left: string, right: string): boolean {
  return timingSafeEqual(hash("sha256", left, "buffer"), hash("sha256", right, "buffer"));
}

const POOLED_NAMES = 256;

/** Makes names that nobody else makes: random hex digits, for many of which the operating system is asked once. */
export function uniqueNames(bytes: number): () => string {
  let random = "";
  let used = 0;
  return () => {
    if (used >= random.length) {
      random = randomHex(bytes * POOLED_NAMES);
      used = 0;
    }
    used += 2 * bytes;
    return random.slice(used - 2 * bytes, used);
  };
}
