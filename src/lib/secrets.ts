/**
 * Secrets, their digests and their comparison. A `Secret` does not print itself. A `Digest` has a type of its own, so that
 * neither can be stored or compared in place of the other.
 */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/** A value that must not reach a log, an error or an answer: it prints as `[secret]`; `reveal()` returns it. */
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

/** Compares two texts by their digests, in a time independent of their content. */
export function equalSecrets(left: string, right: string): boolean {
  return timingSafeEqual(hash("sha256", left, "buffer"), hash("sha256", right, "buffer"));
}

const POOLED_NAMES = 256;

/** Makes unique names of random hex digits; asks the operating system for many at once. */
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
