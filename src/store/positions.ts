/**
 * Where pages of a long list have begun: a database that cannot jump to an offset walks from the nearest of them, so
 * that the page behind one that was just read costs what the first one does. What has come or gone before it meanwhile
 * shifts a page, as it does for whoever reads page by page, but for a minute only.
 */
const MAX_AGE_MS = 60_000;
const MAX_COUNT = 1000;

export interface Position {
  readonly offset: number;
  /** The row's. */
  readonly id: number;
}

export class Positions {
  /** By offset. */
  readonly #known = new Map<number, { readonly id: number; readonly since: number }>();

  /** The last one that is not behind `offset`. */
  before(offset: number, now: Date): Position | undefined {
    let nearest: Position | undefined;
    for (const [known, { id, since }] of this.#known) {
      const age = now.getTime() - since;
      if (age < 0 || age > MAX_AGE_MS) this.#known.delete(known);
      else if (known <= offset && known >= (nearest?.offset ?? 0)) nearest = { offset: known, id };
    }
    return nearest;
  }

  /** What is known already keeps its age. */
  note({ offset, id }: Position, now: Date): void {
    if (this.#known.has(offset)) return;
    const [oldest] = this.#known.size < MAX_COUNT ? [] : this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(offset, { id, since: now.getTime() });
  }
}
