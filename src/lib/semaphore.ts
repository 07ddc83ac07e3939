/**
 * A semaphore: at most so many callers at a time, the others in the order of their arrival. It limits commands in PostgreSQL and
 * open files. The usual packages (p-limit, async-sema) have no timeout for a waiting caller, which gets an error here.
 *
 * Limits that are shared out among callers are elsewhere: memory in `budget.ts`, requests to a server behind this one in
 * `http/gateway/room.ts`, PAM's helpers in `fair-queue.ts`.
 */
export interface SemaphoreOptions {
  /** How many callers at a time. */
  readonly permits: number;
  /** How long a caller waits, in milliseconds. */
  readonly timeout: number;
  /** Error for a caller that waited too long. */
  readonly onTimeout: () => Error;
}

export class Semaphore {
  readonly #options: SemaphoreOptions;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(options: SemaphoreOptions) {
    this.#options = options;
    this.#free = options.permits;
  }

  async run<R>(work: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait();
    try {
      return await work();
    } finally {
      this.#release();
    }
  }

  /** Resolves to a function that gives the permit back. Further calls of it do nothing. */
  async acquire(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait();
    let released = false;
    return () => {
      if (!released) this.#release();
      released = true;
    };
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else next();
  }

  /** Resolves with the permit of a caller that released it. */
  #wait(): Promise<void> {
    const { timeout, onTimeout } = this.#options;
    return new Promise((resolve, reject) => {
      const begin = () => {
        leave();
        resolve();
      };
      const timer = setTimeout(() => {
        leave();
        reject(onTimeout());
      }, timeout);
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(begin);
      };
      this.#waiting.add(begin);
    });
  }
}

/** Maps at most `concurrency` items at a time, and begins no further ones after a failure. Results are in the order of the items. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  map: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      try {
        results[index] = await map(items[index] as Item);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}
