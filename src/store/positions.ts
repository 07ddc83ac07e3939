/**
 * Where pages of a long list have begun: a database that cannot jump to an offset walks from the nearest of them, so
 * that the page behind one that was just read costs what the first one does. What has come or gone before it meanwhile
 * shifts a page, as it does for any reader of pages, but for a minute only.
 */
const MAX_AGE_MS = 60_000;
const MAX_COUNT = 1000;

export interface Position {
  readonly offset: number;
  /** The row's. */
  readonly id: number;
  /** When the way to it was walked from the list's beginning; milliseconds since the epoch. */
  readonly since: number;
}

export class Positions {
  /** By offset. */
  readonly #known = new Map<number, Position>();

  /** The last one that is not behind `offset`. */
  before(offset: number, now: Date): Position | undefined {
    let nearest: Position | undefined;
    for (const position of this.#known.values()) {
      const age = now.getTime() - position.since;
      if (age < 0 || age > MAX_AGE_MS) this.#known.delete(position.offset);
      else if (position.offset <= offset && position.offset >= (nearest?.offset ?? 0)) nearest = position;
    }
    return nearest;
  }

  /** What was found from another one is as old as that. */
  note(position: Position): void {
    const [oldest] = this.#known.size < MAX_COUNT ? [] : this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(position.offset, position);
  }
}
