/**
 * So many at a time, and the others in turn: commands in PostgreSQL, open files. Who waits too long, or comes when too many wait,
 * is told so.
 */
export interface TurnLimits {
  readonly atATime: number;
  /** Milliseconds that one waits. */
  readonly patience: number;
  /** How many may wait; no number: any. */
  readonly waiting?: number;
  /** What those are told who get no turn. */
  readonly refusal: () => Error;
}

export class Turns {
  readonly #limits: TurnLimits;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
    this.#free = limits.atATime;
  }

  async run<R>(work: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      this.#end();
    }
  }

  /** A turn that lasts until the function that it answers is called; once is enough, more do no harm. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn();
    let over = false;
    return () => {
      if (!over) this.#end();
      over = true;
    };
  }

  #end(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else next();
  }

  /** Takes the place of one that has ended. */
  #turn(): Promise<void> {
    const { patience, waiting = Number.POSITIVE_INFINITY, refusal } = this.#limits;
    return new Promise((resolve, reject) => {
      if (this.#waiting.size >= waiting) {
        reject(refusal());
        return;
      }
      const begin = () => {
        leave();
        resolve();
      };
      const timer = setTimeout(() => {
        leave();
        reject(refusal());
      }, patience);
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(begin);
      };
      this.#waiting.add(begin);
    });
  }
}

/** Works on all items, so many at a time; the results in the order of the items. */
export async function inTurn<Item, Result>(
  items: readonly Item[],
  atATime: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next;
      next += 1;
      try {
        results[at] = await work(items[at] as Item);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, worker));
  return results;
}
