/**
 * A semaphore: so many at a time, the others in the order of their arrival. It limits commands in PostgreSQL and open files. A
 * caller that waits too long, or arrives when too many wait already, gets an error.
 */
export interface TurnLimits {
  readonly atATime: number;
  /** How long a caller waits, in milliseconds. */
  readonly patience: number;
  /** How many may wait; no number: any. */
  readonly waiting?: number;
  /** Error for a caller that gets no turn. */
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

  /** Resolves to a function that ends the turn. Further calls of it do nothing. */
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
