/**
 * Maps that what callers send can fill only so far. lru-cache would also keep recently used entries, but its `get` takes two to
 * four times as long as a Map's and it allocates all its room at the start.
 */

/** Sets an entry; if the map is full, the oldest entry goes. `max`: the greatest number of entries. */
export function setBounded<K, V>(map: Map<K, V>, key: K, value: V, max: number): void {
  if (map.size >= max && !map.has(key)) {
    const [oldest] = map.keys();
    map.delete(oldest as K);
  }
  map.set(key, value);
}
