/**
 * A map for what was computed once and can be computed again, bounded by the memory that its entries take: the oldest go first.
 * `bounded-map.ts` bounds by number, for entries that are all small.
 */

/** Of an entry's place in the map. */
const ENTRY_BYTES = 100;

interface Entry<V> {
  readonly value: V;
  readonly bytes: number;
}

export class ByteBoundedMap<K, V> {
  readonly #entries = new Map<K, Entry<V>>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** `size`: bytes of key and value. An entry larger than the whole bound is not kept. */
  set(key: K, value: V, size: number): void {
    this.delete(key);
    const bytes = ENTRY_BYTES + size;
    if (bytes > this.#maxBytes) return;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes + bytes <= this.#maxBytes) break;
      this.delete(oldest);
    }
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
  }

  delete(key: K): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
