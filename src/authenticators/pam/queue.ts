/**
 * Who waits for a helper, by where they come from: places take turns, so that one which sends many logins delays its own. A
 * full queue makes room at the cost of the place that has most in it.
 */
export class FairQueue<T> {
  /** In the order in which places have their turn; none is empty. */
  readonly #places = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(place: string, item: T): void {
    const items = this.#places.get(place);
    if (items === undefined) this.#places.set(place, new Set([item]));
    else items.add(item);
    this.#size += 1;
  }

  delete(place: string, item: T): void {
    const items = this.#places.get(place);
    if (items?.delete(item) !== true) return;
    this.#size -= 1;
    if (items.size === 0) this.#places.delete(place);
  }

  /** Takes out the next one of a place that may have one, and whose turn it is. */
  next(may: (place: string) => boolean): { readonly place: string; readonly item: T } | undefined {
    for (const [place, items] of this.#places) {
      if (!may(place)) continue;
      const [item] = items;
      if (item === undefined) continue;
      this.delete(place, item);
      // Its next turn comes after all others'.
      if (this.#places.delete(place)) this.#places.set(place, items);
      return { place, item };
    }
    return undefined;
  }

  /** Who has to go so that `place` may have one more: the last one of the place that would still have more than it. */
  displacedBy(place: string): T | undefined {
    let most = (this.#places.get(place)?.size ?? 0) + 1;
    let found: Set<T> | undefined;
    for (const items of this.#places.values()) {
      if (items.size > most) {
        most = items.size;
        found = items;
      }
    }
    return found === undefined ? undefined : [...found].at(-1);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return [...this.#places.values()].flatMap((items) => [...items])[Symbol.iterator]();
  }
}
