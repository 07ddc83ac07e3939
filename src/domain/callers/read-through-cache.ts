/**
 * A read-through cache in front of the store. Entries are used for half a second, so that changes by other servers of the
 * same database are seen in time; changes by this server drop its entries at once. While the store is unreachable, entries
 * are used for up to a minute, so that readers survive a restart of the database. An overloaded store is not unreachable:
 * otherwise an attacker who keeps it busy could keep revoked credentials alive.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";

const MAX_AGE_MS = 500;
const MAX_AGE_WITHOUT_STORE_MS = 60_000;
/** For this long after the store was found unreachable, callers do not wait for the next attempt. */
const FOUND_AWAY_MS = 2 * MAX_AGE_MS;
const MAX_ENTRIES = 20_000;

interface Entry<V> {
  readonly value: V;
  readonly readAt: number;
  /** When a reading last failed to get anything newer. */
  readonly checkedAt: number;
  /** That reading found the store unreachable. */
  readonly away: boolean;
}

export interface ReadMark {
  readonly readAt: number;
  readonly drops: number;
}

export class ReadThroughCache<K, V> {
  readonly #load: (key: K) => Promise<V | undefined>;
  readonly #clock: Clock;
  readonly #isSame: (known: V, read: V) => boolean;
  readonly #entries = new Map<K, Entry<V>>();
  readonly #loading = new Map<K, Promise<V | undefined>>();
  #drops = 0;

  /** `isSame`: if a reading is the same as the one before, the value stays the same object. */
  constructor(
    load: (key: K) => Promise<V | undefined>,
    clock: Clock,
    isSame: (known: V, read: V) => boolean = Object.is,
  ) {
    this.#load = load;
    this.#clock = clock;
    this.#isSame = isSame;
  }

  /**
   * The value itself if it is fresh, so that such a request stays synchronous. If the store was unreachable a moment ago, the
   * old value is returned without waiting for a connection to time out again. `now`: the caller's reading of the clock.
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

  /** Whether there is a value, of whatever age. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** The value only if it is fresh; reads nothing. */
  peek(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.away) return undefined;
    const age = this.#clock.now() - entry.readAt;
    return age >= 0 && age < MAX_AGE_MS ? entry.value : undefined;
  }

  /** The same as `get`, but never an old value: fails with `store_unavailable` if the store is unreachable. */
  async getCurrent(key: K): Promise<V | undefined> {
    const foundAway = this.#entries.get(key)?.away === true;
    const value = await (foundAway ? (this.#loading.get(key) ?? this.#read(key)) : this.get(key));
    if (this.#entries.get(key)?.away) throw new Failure("store_unavailable");
    return value;
  }

  /** A moment before a value is read in another way, for `keep`. */
  mark(): ReadMark {
    return { readAt: this.#clock.now(), drops: this.#drops };
  }

  /** Keeps a value that was read in another way since `mark`, unless something was changed or `key` was read meanwhile. */
  keep(key: K, value: V, { readAt, drops }: ReadMark): void {
    const known = this.#entries.get(key);
    const isOlder = drops !== this.#drops || (known !== undefined && known.readAt > readAt);
    if (!isOlder) this.#keep(key, value, readAt);
  }

  /** After a change. A reading under way is not kept, and later callers do not share it. */
  drop(key: K): void {
    this.#entries.delete(key);
    this.#loading.delete(key);
    this.#drops += 1;
  }

  /** Drops all keys that fit, if it is unknown which of them changed. */
  dropWhere(fits: (key: K) => boolean): void {
    for (const keys of [[...this.#entries.keys()], [...this.#loading.keys()]]) {
      for (const key of keys) if (fits(key)) this.drop(key);
    }
  }

  #read(key: K): Promise<V | undefined> {
    const readAt = this.#clock.now();
    const reading: Promise<V | undefined> = this.#load(key).then(
      (value) => {
        if (this.#loading.get(key) !== reading) return value;
        this.#loading.delete(key);
        return this.#keep(key, value, readAt);
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

  #keep(key: K, read: V | undefined, readAt: number): V | undefined {
    const known = this.#entries.get(key)?.value;
    this.#entries.delete(key);
    if (read === undefined) return undefined;
    const value = known !== undefined && this.#isSame(known, read) ? known : read;
    // The map is in the order of reading, so its first entries are the oldest.
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size < MAX_ENTRIES && this.#isKnown(entry)) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, readAt, checkedAt: readAt, away: false });
    return value;
  }
}
