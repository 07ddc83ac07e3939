/**
 * Makes and checks hashes of passwords, never on the event loop and at most two at once. New ones are argon2id, or scrypt where
 * Node has no argon2id. A new password is hashed in its NFKC form (NIST SP 800-63B-4, 3.1.1.2), and an imported hash is compared
 * with the password as it was typed.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { BcryptThread } from "./bcrypt.ts";
import { type Derivations, OF_NODE } from "./derive.ts";
import { Gate, type GateLimits } from "./gate.ts";
import { type Argon2Cost, readHash, type ScryptCost, type StoredHash, writeHash } from "./stored.ts";

export const ARGON2_COST: Argon2Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const SCRYPT_COST: ScryptCost = { ln: 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;

const LIMITS: GateLimits = { atOnce: 2, waiting: 64, waitSeconds: 10 };

export interface HasherParts {
  readonly derivations: Derivations;
  readonly bcrypt: Pick<BcryptThread, "check">;
  readonly limits: GateLimits;
}

export interface Checked {
  readonly right: boolean;
  /** Whether a new hash of the password would have another kind or cost. */
  readonly outdated: boolean;
}

/** The place of the login, and a signal for when its answer is no longer needed. */
export interface Asker {
  readonly source: string;
  readonly signal?: AbortSignal | undefined;
}

export class PasswordHasher {
  readonly #parts: HasherParts;
  readonly #gate: Gate;

  constructor(parts: Partial<HasherParts> = {}) {
    this.#parts = { derivations: OF_NODE, bcrypt: new BcryptThread(), limits: LIMITS, ...parts };
    this.#gate = new Gate(this.#parts.limits);
  }

  get hasArgon2(): boolean {
    return this.#parts.derivations.argon2id !== undefined;
  }

  /** The written form of a new hash. */
  hash(password: string, cost: Argon2Cost, { source, signal }: Asker): Promise<string> {
    return this.#gate.run(source, () => this.#make(utf8(password.normalize("NFKC")), cost, false), signal);
  }

  /** Wraps the Base64 of an imported SHA-1, which alone would be as weak as a password in clear. */
  wrapSha1(sha1: string, cost: Argon2Cost, { source, signal }: Asker): Promise<string> {
    return this.#gate.run(source, () => this.#make(utf8(sha1), cost, true), signal);
  }

  /** @throws Error for a hash of an unknown form */
  check(password: string, stored: string, cost: Argon2Cost, { source, signal }: Asker): Promise<Checked> {
    return this.#gate.run(
      source,
      async () => {
        const hash = readHash(stored);
        if (hash === undefined) throw new Error("The hash of a password has an unknown form.");
        return { right: await this.#matches(password, hash), outdated: this.#isOutdated(hash, cost) };
      },
      signal,
    );
  }

  /** The work of a check, for a name that has no hash. */
  async checkNothing(cost: Argon2Cost, asker: Asker): Promise<void> {
    await this.hash("", cost, asker);
  }

  async #make(message: Buffer, cost: Argon2Cost, ofSha1: boolean): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const { argon2id, scrypt } = this.#parts.derivations;
    if (argon2id !== undefined) {
      const tag = await argon2id(message, salt, TAG_BYTES, cost);
      return writeHash({ kind: "argon2id", cost, salt, tag, ofSha1 });
    }
    const tag = await scrypt(message, salt, TAG_BYTES, SCRYPT_COST);
    return writeHash({ kind: "scrypt", cost: SCRYPT_COST, salt, tag, ofSha1 });
  }

  async #matches(password: string, hash: StoredHash): Promise<boolean> {
    if (hash.kind === "bcrypt") return this.#parts.bcrypt.check(password, hash.text);
    const message = hash.ofSha1 ? utf8(sha1Of(password)) : utf8(password.normalize("NFKC"));
    return timingSafeEqual(hash.tag, await this.#derive(message, hash));
  }

  async #derive(message: Buffer, hash: Exclude<StoredHash, { readonly kind: "bcrypt" }>): Promise<Buffer> {
    const { argon2id, scrypt } = this.#parts.derivations;
    if (hash.kind === "scrypt") return scrypt(message, hash.salt, hash.tag.length, hash.cost);
    if (argon2id === undefined) throw new Error("This Node has no argon2id.");
    return argon2id(message, hash.salt, hash.tag.length, hash.cost);
  }

  #isOutdated(hash: StoredHash, wanted: Argon2Cost): boolean {
    if (hash.kind === "bcrypt" || hash.ofSha1) return true;
    if (hash.kind === "scrypt") return this.hasArgon2 || !sameCost({ ...hash.cost }, { ...SCRYPT_COST });
    return !sameCost({ ...hash.cost }, { ...wanted });
  }
}

function sameCost(one: Record<string, number>, other: Record<string, number>): boolean {
  return Object.keys(one).every((name) => one[name] === other[name]);
}

function utf8(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

/** As Apache writes it after `{SHA}`. */
function sha1Of(password: string): string {
  return createHash("sha1").update(password, "utf8").digest("base64");
}

let ofThisProcess: PasswordHasher | undefined;

/** The one hasher of this process, whose limit is for all of its providers together. */
export function shared(): PasswordHasher {
  ofThisProcess ??= new PasswordHasher();
  return ofThisProcess;
}
