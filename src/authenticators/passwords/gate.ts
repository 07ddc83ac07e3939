/**
 * Lets a bounded number of hashes be computed at once. The others wait, and places take turns, so that one address with many
 * logins delays its own only (`lib/fair-queue.ts`).
 */
import { Failure } from "../../errors.ts";
import { FairQueue } from "../../lib/fair-queue.ts";

export interface GateLimits {
  readonly atOnce: number;
  readonly waiting: number;
  readonly waitSeconds: number;
}

/** Seconds. */
const RETRY_AFTER = "5";

interface Waiter {
  go(): void;
  leave(reason: unknown): void;
}

export class Gate {
  readonly #limits: GateLimits;
  readonly #queue = new FairQueue<Waiter>();
  #running = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  async run<T>(source: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#running < this.#limits.atOnce) this.#running += 1;
    else await this.#wait(source, signal);
    try {
      return await work();
    } finally {
      // The next one takes over this place, so no other can overtake it.
      const next = this.#queue.next(() => true);
      if (next === undefined) this.#running -= 1;
      else next.item.go();
    }
  }

  #wait(source: string, signal: AbortSignal | undefined): Promise<void> {
    const { waiting, waitSeconds } = this.#limits;
    if (this.#queue.size >= waiting) {
      const full = busy(`${waiting} logins wait for the check of their password`);
      const displaced = this.#queue.displacedBy(source);
      if (displaced === undefined) throw full;
      displaced.leave(full);
    }
    return new Promise<void>((resolve, reject) => {
      const settle = (done: () => void): void => {
        this.#queue.delete(source, waiter);
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
        done();
      };
      const waiter: Waiter = { go: () => settle(resolve), leave: (reason) => settle(() => reject(reason)) };
      const aborted = (): void => waiter.leave(signal?.reason);
      const late = busy(`a password was not checked within ${waitSeconds} seconds`);
      const timer = setTimeout(() => waiter.leave(late), waitSeconds * 1000);
      signal?.addEventListener("abort", aborted, { once: true });
      this.#queue.add(source, waiter);
    });
  }
}

function busy(log: string): Failure {
  return new Failure("logins_busy", { log, headers: { "retry-after": RETRY_AFTER } });
}
