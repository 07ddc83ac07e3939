/**
 * A small cache for what requests ask of the store again and again. An entry is at most half a second old, so that a
 * change by another server of the same database is seen in time; a change by this server drops its entries at once.
 * While the store cannot be reached, what was known a minute ago still counts, so that a restart of the database does
 * not stop those who only read. A store that is there and has too much to do is not away: who can keep it busy must not
 * keep alive what others have revoked.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";

const MAX_AGE_MS = 500;
const MAX_AGE_WITHOUT_STORE_MS = 60_000;
/** So long after the store was found away the next look is not waited for. */
const FOUND_AWAY_MS = 2 * MAX_AGE_MS;
const MAX_ENTRIES = 20_000;

interface Entry<V> {
  readonly value: V;
  readonly readAt: number;
  /** When it was last found that nothing newer can be had. */
  readonly checkedAt: number;
  /** It was found then that the store is away. */
  readonly away: boolean;
}

export class ReadThroughCache<K, V> {
  readonly #load: (key: K) => Promise<V | undefined>;
  readonly #clock: Clock;
  readonly #entries = new Map<K, Entry<V>>();
  readonly #loading = new Map<K, Promise<V | undefined>>();

  constructor(load: (key: K) => Promise<V | undefined>, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
  }

  /**
   * The value itself where it is fresh, so that a request that needs no reading stays synchronous. Where the store was
   * away a moment ago, nobody waits for it to be found so again: that may take as long as a connection does to time out.
   * `now`: for who has looked at the clock already.
   */
  get(key: K, now = this.#clock.now()): V | Promise<V | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#loading.get(key) ?? this.#read(key);
    const age = now - entry.checkedAt;
    if (age >= 0 && age < MAX_AGE_MS) return entry.value;
    const underway = this.#loading.get(key);
    const reading = underway ?? this.#read(key);
    const stillAway = entry.away && (underway !== undefined || (age >= 0 && age < FOUND_AWAY_MS));
    if (!stillAway || !this.#isKnown(entry)) return reading;
    reading.catch(() => undefined);
    return entry.value;
  }

  /** The same, but of what was known before the store was lost nothing counts: fails with `store_unavailable` then. */
  async getCurrent(key: K): Promise<V | undefined> {
    const foundAway = this.#entries.get(key)?.away === true;
    const value = await (foundAway ? (this.#loading.get(key) ?? this.#read(key)) : this.get(key));
    if (this.#entries.get(key)?.away) throw new Failure("store_unavailable");
    return value;
  }

  /** After a change: a reading that is under way is not kept either, and nobody new waits for it. */
  drop(key: K): void {
    this.#entries.delete(key);
    this.#loading.delete(key);
  }

  /** Those whose names fit: where it is not known which of them were changed. */
  dropWhere(fits: (key: K) => boolean): void {
    for (const keys of [[...this.#entries.keys()], [...this.#loading.keys()]]) {
      for (const key of keys) if (fits(key)) this.drop(key);
    }
  }

  #read(key: K): Promise<V | undefined> {
    const readAt = this.#clock.now();
    const reading: Promise<V | undefined> = this.#load(key).then(
      (value) => {
        if (this.#loading.get(key) === reading) {
          this.#loading.delete(key);
          this.#keep(key, value, readAt);
        }
        return value;
      },
      (error: unknown) => {
        if (this.#loading.get(key) !== reading) throw error;
        this.#loading.delete(key);
        return this.#lastKnown(key, error);
      },
    );
    this.#loading.set(key, reading);
    return reading;
  }

  #lastKnown(key: K, error: unknown): V {
    const entry = this.#entries.get(key);
    const away = error instanceof Failure && error.code === "store_unavailable";
    if (entry !== undefined) this.#entries.set(key, { ...entry, away });
    if (entry === undefined || !away || !this.#isKnown(entry)) throw error;
    this.#entries.set(key, { ...entry, away, checkedAt: this.#clock.now() });
    return entry.value;
  }

  #isKnown({ readAt }: Entry<V>): boolean {
    const age = this.#clock.now() - readAt;
    return age >= 0 && age <= MAX_AGE_WITHOUT_STORE_MS;
  }

  #keep(key: K, value: V | undefined, readAt: number): void {
    this.#entries.delete(key);
    if (value === undefined) return;
    // In the order in which they were read: the first ones are of no use any more, or the least.
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size < MAX_ENTRIES && this.#isKnown(entry)) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, readAt, checkedAt: readAt, away: false });
  }
}
