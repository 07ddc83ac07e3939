/**
 * Logins that wait for their turn, by source. Sources take turns, so that one with many logins delays its own only, and a full
 * queue drops a login of the source that has most. A semaphore (`semaphore.ts`) serves in order of arrival, and would let
 * one source delay all others.
 */
export class FairQueue<T> {
  /** In the order of turns; none is empty. */
  readonly #sources = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(source: string, item: T): void {
    const items = this.#sources.get(source);
    if (items === undefined) this.#sources.set(source, new Set([item]));
    else items.add(item);
    this.#size += 1;
  }

  delete(source: string, item: T): void {
    const items = this.#sources.get(source);
    if (items?.delete(item) !== true) return;
    this.#size -= 1;
    if (items.size === 0) this.#sources.delete(source);
  }

  /** Removes and returns the next login of the first source in turn that may go on. */
  next(may: (source: string) => boolean): { readonly source: string; readonly item: T } | undefined {
    for (const [source, items] of this.#sources) {
      if (!may(source)) continue;
      const [item] = items;
      if (item === undefined) continue;
      this.delete(source, item);
      // Its next turn comes after those of all others.
      if (this.#sources.delete(source)) this.#sources.set(source, items);
      return { source, item };
    }
    return undefined;
  }

  /** The login to drop so that `source` may add one: the last one of the source that would still have most. */
  displacedBy(source: string): T | undefined {
    let most = (this.#sources.get(source)?.size ?? 0) + 1;
    let found: Set<T> | undefined;
    for (const items of this.#sources.values()) {
      if (items.size > most) {
        most = items.size;
        found = items;
      }
    }
    return found === undefined ? undefined : [...found].at(-1);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return [...this.#sources.values()].flatMap((items) => [...items])[Symbol.iterator]();
  }
}
