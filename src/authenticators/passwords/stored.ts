/**
 * Written forms of hashes: PHC strings of argon2id and scrypt (github.com/P-H-C/phc-string-format), bcrypt's modular form, and
 * `sha1+`, a PHC string over an imported SHA-1. Costs are bounded, so that no imported hash takes minutes or gigabytes.
 */

/** Memory in KiB. */
export interface Argon2Cost {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

export interface ScryptCost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

interface Derived {
  readonly salt: Buffer;
  readonly tag: Buffer;
  /** The password's SHA-1 was hashed, since only that was known. */
  readonly ofSha1: boolean;
}

export type StoredHash =
  | (Derived & { readonly kind: "argon2id"; readonly cost: Argon2Cost })
  | (Derived & { readonly kind: "scrypt"; readonly cost: ScryptCost })
  | { readonly kind: "bcrypt"; readonly text: string };

/** Blocks of 128 bytes: 256 MB, and about five times the work of a hash of ours. */
const SCRYPT_BLOCKS = 2 ** 21;
const SCRYPT_WORK = 2 ** 22;

const OF_SHA1 = "$sha1+";
const ARGON2 = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** Undefined for another form, and for costs out of bounds. */
export function readHash(text: string): StoredHash | undefined {
  const ofSha1 = text.startsWith(OF_SHA1);
  const plain = ofSha1 ? `$${text.slice(OF_SHA1.length)}` : text;
  return readArgon2(plain, ofSha1) ?? readScrypt(plain, ofSha1) ?? (ofSha1 ? undefined : readBcrypt(text));
}

function readArgon2(text: string, ofSha1: boolean): StoredHash | undefined {
  const [, m, t, p, salt, tag] = ARGON2.exec(text) ?? [];
  if (salt === undefined || tag === undefined) return undefined;
  const cost = { memory: Number(m), passes: Number(t), parallelism: Number(p) };
  const { memory, passes, parallelism } = cost;
  const allowed =
    within(parallelism, 1, 16) && within(memory, 8 * parallelism, 262_144) && within(passes, 1, 20);
  return allowed ? derived({ kind: "argon2id", cost }, salt, tag, ofSha1) : undefined;
}

function readScrypt(text: string, ofSha1: boolean): StoredHash | undefined {
  const [, ln, r, p, salt, tag] = SCRYPT.exec(text) ?? [];
  if (salt === undefined || tag === undefined) return undefined;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const blocks = 2 ** cost.ln * cost.r;
  const allowed =
    within(cost.ln, 1, 18) &&
    within(cost.r, 1, 16) &&
    within(cost.p, 1, 16) &&
    blocks <= SCRYPT_BLOCKS &&
    blocks * cost.p <= SCRYPT_WORK;
  return allowed ? derived({ kind: "scrypt", cost }, salt, tag, ofSha1) : undefined;
}

function readBcrypt(text: string): StoredHash | undefined {
  const [, cost] = BCRYPT.exec(text) ?? [];
  return cost !== undefined && within(Number(cost), 4, 15) ? { kind: "bcrypt", text } : undefined;
}

function derived<Kind extends object>(kind: Kind, salt: string, tag: string, ofSha1: boolean) {
  const found = { ...kind, salt: Buffer.from(salt, "base64"), tag: Buffer.from(tag, "base64"), ofSha1 };
  return within(found.salt.length, 8, 64) && within(found.tag.length, 16, 64) ? found : undefined;
}

function within(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

export function writeHash(hash: Exclude<StoredHash, { readonly kind: "bcrypt" }>): string {
  const begin = `${hash.ofSha1 ? OF_SHA1 : "$"}${hash.kind}$`;
  const cost =
    hash.kind === "argon2id"
      ? `v=19$m=${hash.cost.memory},t=${hash.cost.passes},p=${hash.cost.parallelism}`
      : `ln=${hash.cost.ln},r=${hash.cost.r},p=${hash.cost.p}`;
  return `${begin}${cost}$${unpadded(hash.salt)}$${unpadded(hash.tag)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

/** For lists: the kind and no more. */
export function kindOfHash(text: string): string {
  const found = readHash(text);
  if (found === undefined) return "unknown";
  return found.kind !== "bcrypt" && found.ofSha1 ? `${found.kind} of sha1` : found.kind;
}
