/**
 * The public keys that a provider signs with (RFC 7517): fetched, and fetched anew when they are old or a token names
 * one that is not there, so that a new key works and a retired one stops within half a minute. Or a fixed list.
 */
import { createLocalJWKSet, errors, type JWK } from "jose";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Calls, within } from "./calls.ts";

/** Milliseconds. After so long keys are fetched again when they are used. */
const FRESH = 30_000;
/** Between two tries to fetch, whoever sends tokens with whatever key's name. */
const PAUSE = 10_000;
/** So long keys are used where the provider does not hand them out any more. */
const KEPT = 600_000;
const MAX_KEYS = 100;

type LocalSet = ReturnType<typeof createLocalJWKSet>;
export type VerificationKey = Awaited<ReturnType<LocalSet>>;

/** What of a token's header says which key it was signed with. Keys in the header itself are never looked at. */
export interface KeyName {
  readonly alg: string;
  readonly kid?: string | undefined;
}

export interface Keys {
  /** Those that the token may be signed with; none where its key is not known. */
  find(name: KeyName, signal: AbortSignal): Promise<readonly VerificationKey[]>;
  /** Fetches where it is time to, without waiting. */
  renew(): void;
  /** Changes whenever the keys do. */
  readonly generation: number;
}

/** Keys as they are at one time. A key without a name may have signed a token that has one. */
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

/** Of the configuration's first generation: `public_keys`. */
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
      // What is known serves where the provider does not answer.
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

  /** Resolves when the keys are here; all who ask meanwhile share one call. */
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
    throw new Failure("bad_gateway", { log: `${what} cannot be read: a key is no object.`, cause });
  }
}
