/**
 * The public keys of a provider (RFC 7517). They are fetched again when they are old or a token names an unknown one, so that a
 * new key works and a retired one stops within half a minute. Or a fixed list.
 */
import { createLocalJWKSet, errors, type JWK } from "jose";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Calls, within } from "./calls.ts";

/** Milliseconds until keys are fetched again when they are used. */
const FRESH = 30_000;
/** Between two fetches, whatever keys the tokens name. */
const PAUSE = 10_000;
/** Until keys expire that the provider no longer serves. */
const KEPT = 600_000;
const MAX_KEYS = 100;

type LocalSet = ReturnType<typeof createLocalJWKSet>;
export type VerificationKey = Awaited<ReturnType<LocalSet>>;

/** The part of a token's header that names its key. A key in the header itself is ignored. */
interface KeyName {
  readonly alg: string;
  readonly kid?: string | undefined;
}

export interface Keys {
  /** The keys that may have signed the token; none if its key is unknown. */
  find(name: KeyName, signal: AbortSignal): Promise<readonly VerificationKey[]>;
  /** Fetches old keys again, in the background. */
  renew(): void;
  /** Changes with the keys. */
  readonly generation: number;
}

/** One version of the keys. A key without a name may have signed a token that names one. */
export class KeyTable {
  readonly #all: LocalSet;
  readonly #nameless: LocalSet;

  constructor(keys: readonly JWK[]) {
    this.#all = createLocalJWKSet({ keys: [...keys] });
    this.#nameless = createLocalJWKSet({ keys: keys.filter(({ kid }) => kid === undefined) });
  }

  async find({ alg, kid }: KeyName): Promise<readonly VerificationKey[]> {
    const named = await matching(this.#all, kid === undefined ? { alg } : { alg, kid });
    return named.length > 0 || kid === undefined ? named : await matching(this.#nameless, { alg });
  }
}

async function matching(set: LocalSet, header: { alg: string; kid?: string }): Promise<VerificationKey[]> {
  try {
    return [await set(header)];
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return [];
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    const several: VerificationKey[] = [];
    for await (const key of error) several.push(key);
    return several;
  }
}

/** `public_keys` of the first generation of arguments. */
export class FixedKeys implements Keys {
  readonly generation = 0;
  readonly #table: KeyTable;

  constructor(keys: readonly JWK[]) {
    this.#table = new KeyTable(keys);
  }

  find(name: KeyName): Promise<readonly VerificationKey[]> {
    return this.#table.find(name);
  }

  renew(): void {}
}

export class RemoteKeys implements Keys {
  readonly url: string;
  readonly #calls: Calls;
  readonly #clock: Clock;
  #known: { readonly table: KeyTable; readonly text: string; readonly fetched: number } | undefined;
  #tried = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  #generation = 0;

  constructor(url: string, calls: Calls, clock: Clock) {
    this.url = url;
    this.#calls = calls;
    this.#clock = clock;
  }

  get generation(): number {
    return this.#generation;
  }

  async find(name: KeyName, signal: AbortSignal): Promise<readonly VerificationKey[]> {
    if (this.#age() >= KEPT) await this.#fetched(signal);
    else if (this.#age() >= FRESH && this.#mayTry()) {
      // The known keys are used if the provider does not answer.
      await this.#fetched(signal).catch(() => undefined);
    }
    const keys = await this.#find(name);
    if (keys.length > 0 || !(this.#mayTry() || this.#fetching !== undefined)) return keys;
    await this.#fetched(signal);
    return this.#find(name);
  }

  renew(): void {
    if (this.#age() >= FRESH && this.#mayTry()) this.fetch().catch(() => undefined);
  }

  /** Resolves when the keys are fetched. Concurrent callers share one request. */
  fetch(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    this.#tried = this.#clock.now();
    const what = "The provider's key set";
    const { body } = await this.#calls.json({
      url: this.url,
      what,
      setting: "the discovery document's jwks_uri",
      headers: { accept: "application/json, application/jwk-set+json" },
    });
    const text = JSON.stringify(body);
    if (text !== this.#known?.text) {
      this.#known = { table: table(body["keys"], what), text, fetched: this.#clock.now() };
      this.#generation += 1;
    } else this.#known = { ...this.#known, fetched: this.#clock.now() };
  }

  #fetched(signal: AbortSignal): Promise<void> {
    return within(this.fetch(), signal, "The provider's key set");
  }

  async #find(name: KeyName): Promise<readonly VerificationKey[]> {
    return (await this.#known?.table.find(name)) ?? [];
  }

  #age(): number {
    return this.#clock.now() - (this.#known?.fetched ?? Number.NEGATIVE_INFINITY);
  }

  #mayTry(): boolean {
    return this.#fetching === undefined && this.#clock.now() - this.#tried >= PAUSE;
  }
}

function table(keys: unknown, what: string): KeyTable {
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) {
    throw new Failure("bad_gateway", { log: `${what} has no list 'keys' of at most ${MAX_KEYS} keys.` });
  }
  try {
    return new KeyTable(keys as JWK[]);
  } catch (cause) {
    throw new Failure("bad_gateway", { log: `${what} cannot be read: a key is not an object.`, cause });
  }
}
