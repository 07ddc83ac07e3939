/** Which keys of a cache belong to which principal. Most principals have one, so that a set is made only for the second. */
import type { Uuid } from "../../lib/uuid.ts";

export class OwnedKeys<K extends string> {
  readonly #keys = new Map<Uuid, K | Set<K>>();

  of(owner: Uuid): readonly K[] {
    const keys = this.#keys.get(owner);
    if (keys === undefined) return [];
    return keys instanceof Set ? [...keys] : [keys];
  }

  add(owner: Uuid, key: K): void {
    const keys = this.#keys.get(owner);
    if (keys === undefined) this.#keys.set(owner, key);
    else if (keys instanceof Set) keys.add(key);
    else if (keys !== key) this.#keys.set(owner, new Set([keys, key]));
  }

  remove(owner: Uuid, key: K): void {
    const keys = this.#keys.get(owner);
    if (keys instanceof Set) {
      keys.delete(key);
      if (keys.size === 0) this.#keys.delete(owner);
    } else if (keys === key) this.#keys.delete(owner);
  }
}
