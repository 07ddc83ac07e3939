/**
 * A read-through cache in front of the store. An entry is used for half a second, and for as long as the store knows that
 * nothing has changed (`ports/changes.ts`); a change by this server drops its entries at once. While the store is unreachable,
 * entries are used for up to a minute, so that readers survive a restart of the database. An overloaded store is not
 * unreachable: otherwise an attacker who keeps it busy could keep revoked credentials alive.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { bytesOf } from "../../lib/size.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { Change, Changes } from "../ports/changes.ts";
import { OwnedKeys } from "./owned-keys.ts";

const MAX_AGE_MS = 500;
const MAX_AGE_WITHOUT_STORE_MS = 60_000;
/** For this long after the store was found unreachable, callers do not wait for the next attempt. */
const FOUND_AWAY_MS = 2 * MAX_AGE_MS;
const MAX_BYTES = 4_000_000;
/** Of an entry and its places in maps. */
const ENTRY_BYTES = 200;

interface Entry<V> {
  readonly value: V;
  readonly readAt: number;
  /** When a reading last failed to get anything newer. */
  readonly checkedAt: number;
  /** That reading found the store unreachable. */
  readonly away: boolean;
  /** The store's era when the reading began. */
  readonly era: number;
  /** When the value becomes another one by itself. */
  readonly end: number;
  readonly bytes: number;
}

export interface ReadMark {
  readonly readAt: number;
  readonly drops: number;
  readonly era: number;
}

export interface CacheOptions<V> {
  /** If a reading is the same as the one before, the value stays the same object. */
  readonly isSame?: (known: V, read: V) => boolean;
  /** Null: entries live half a second. */
  readonly changes?: Changes | null;
  /** The principal to which a value belongs; by default its key. */
  readonly ownerOf?: (value: V) => Uuid;
  /** Whether a change concerns its principal's entries; by default it does. */
  readonly concerns?: (change: Change) => boolean;
  /** When a value becomes another one although nothing is written, e.g. because something in it expires. */
  readonly endOf?: (value: V) => number;
  /** Memory of all entries; the oldest go first. */
  readonly maxBytes?: number;
  readonly sizeOf?: (value: V) => number;
}

export class ReadThroughCache<K extends string, V> {
  readonly #load: (key: K) => Promise<V | undefined>;
  readonly #clock: Clock;
  readonly #options: CacheOptions<V>;
  readonly #changes: Changes | null;
  readonly #maxBytes: number;
  readonly #entries = new Map<K, Entry<V>>();
  readonly #loading = new Map<K, Promise<V | undefined>>();
  readonly #owned: OwnedKeys<K> | null;
  #bytes = 0;
  #drops = 0;

  constructor(load: (key: K) => Promise<V | undefined>, clock: Clock, options: CacheOptions<V> = {}) {
    this.#load = load;
    this.#clock = clock;
    this.#options = options;
    this.#changes = options.changes ?? null;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#owned = options.ownerOf === undefined ? null : new OwnedKeys();
    this.#changes?.listen((change) => {
      if (options.concerns?.(change) ?? true) this.dropOwner(change.principal);
    });
  }

  /**
   * The value itself if it is current, so that such a request stays synchronous. If the store was unreachable a moment ago, the
   * old value is returned without waiting for a connection to time out again. `now`: the caller's reading of the clock.
   */
  get(key: K, now = this.#clock.now()): V | Promise<V | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#loading.get(key) ?? this.#read(key);
    const age = now - entry.checkedAt;
    if ((age >= 0 && age < MAX_AGE_MS) || this.#isUnchanged(entry, now)) return entry.value;
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

  /** The value only if it is current; reads nothing. */
  peek(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.away) return undefined;
    const now = this.#clock.now();
    const age = now - entry.readAt;
    return (age >= 0 && age < MAX_AGE_MS) || this.#isUnchanged(entry, now) ? entry.value : undefined;
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
    return { readAt: this.#clock.now(), drops: this.#drops, era: this.#era };
  }

  /** Keeps a value that was read in another way since `mark`, unless something was changed or `key` was read meanwhile. */
  keep(key: K, value: V, mark: ReadMark): void {
    const known = this.#entries.get(key);
    const isOlder = mark.drops !== this.#drops || (known !== undefined && known.readAt > mark.readAt);
    if (!isOlder) this.#keep(key, value, mark);
  }

  /** After a change. A reading under way is not kept, and later callers do not share it. */
  drop(key: K): void {
    this.#remove(key);
    this.#loading.delete(key);
    this.#drops += 1;
  }

  /** Drops all keys that fit, if it is unknown which of them changed. */
  dropWhere(fits: (key: K) => boolean): void {
    for (const keys of [[...this.#entries.keys()], [...this.#loading.keys()]]) {
      for (const key of keys) if (fits(key)) this.drop(key);
    }
  }

  /** After a change of a principal. */
  dropOwner(owner: Uuid): void {
    if (this.#owned === null) {
      this.drop(owner as string as K);
      return;
    }
    for (const key of this.#owned.of(owner)) this.drop(key);
    // Whose a value is that is being read will be known too late.
    this.#loading.clear();
    this.#drops += 1;
  }

  get #era(): number {
    return this.#changes?.era ?? 0;
  }

  /** Whether nothing can have changed since the value was read. */
  #isUnchanged(entry: Entry<V>, now: number): boolean {
    const changes = this.#changes;
    if (changes === null || entry.away || entry.era !== changes.era || now >= entry.end) return false;
    const age = now - changes.toldUntil(now);
    return age >= 0 && age < MAX_AGE_MS;
  }

  #read(key: K): Promise<V | undefined> {
    const mark = this.mark();
    const reading: Promise<V | undefined> = this.#load(key).then(
      (value) => {
        if (this.#loading.get(key) !== reading) return value;
        this.#loading.delete(key);
        return this.#keep(key, value, mark);
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

  #isKnown({ readAt, era }: Entry<V>): boolean {
    const held = this.#changes?.heldUntil(era) ?? readAt;
    const age = this.#clock.now() - Math.max(readAt, held);
    return age >= 0 && age <= MAX_AGE_WITHOUT_STORE_MS;
  }

  #keep(key: K, read: V | undefined, { readAt, era }: ReadMark): V | undefined {
    const known = this.#entries.get(key)?.value;
    this.#remove(key);
    if (read === undefined) return undefined;
    const { isSame = Object.is, endOf, ownerOf, sizeOf = bytesOf } = this.#options;
    const value = known !== undefined && isSame(known, read) ? known : read;
    const bytes = ENTRY_BYTES + key.length + sizeOf(value);
    if (bytes > this.#maxBytes) return value;
    // The map is in the order of reading, so its first entries are the oldest.
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes + bytes <= this.#maxBytes && (this.#isKnown(entry) || this.#isWatched(entry))) break;
      this.#remove(oldest);
    }
    const end = endOf?.(value) ?? Number.POSITIVE_INFINITY;
    this.#entries.set(key, { value, readAt, checkedAt: readAt, away: false, era, end, bytes });
    this.#bytes += bytes;
    if (ownerOf !== undefined) this.#owned?.add(ownerOf(value), key);
    return value;
  }

  /** Whether it can be found unchanged after a pause, however long. */
  #isWatched({ era }: Entry<V>): boolean {
    return this.#changes !== null && era === this.#changes.era;
  }

  #remove(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    if (this.#options.ownerOf !== undefined) this.#owned?.remove(this.#options.ownerOf(entry.value), key);
  }
}
