/**
 * Remembers where the pages of a long list began. A database that cannot jump to an offset walks from the nearest remembered
 * position, so the page after one just read costs as much as the first. Rows added or deleted before a position shift its page,
 * as with any paging by offset, for a minute at most.
 */
const MAX_AGE_MS = 60_000;
const MAX_COUNT = 1000;

/** The row at an offset of a list. */
export interface Position {
  readonly offset: number;
  /** Id of the row. */
  readonly id: number;
  /** When the position was counted from the start of the list; milliseconds since the epoch. */
  readonly since: number;
}

/** Positions of one list, at most a minute old. */
export class Positions {
  /** By offset. */
  readonly #known = new Map<number, Position>();

  /** The last known position at or before `offset`. */
  before(offset: number, now: Date): Position | undefined {
    let nearest: Position | undefined;
    for (const position of this.#known.values()) {
      const age = now.getTime() - position.since;
      if (age < 0 || age > MAX_AGE_MS) this.#known.delete(position.offset);
      else if (position.offset <= offset && position.offset >= (nearest?.offset ?? 0)) nearest = position;
    }
    return nearest;
  }

  /** Remembers a position. One that was reached from another carries that one's `since`. */
  note(position: Position): void {
    const [oldest] = this.#known.size < MAX_COUNT ? [] : this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(position.offset, position);
  }
}
