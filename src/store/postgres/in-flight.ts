/**
 * Tracks running work, so that closing the store waits for it and rejects later work.
 */
import { unavailable } from "../base/errors.ts";

/** A set of running promises. */
export class InFlight {
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  /** Runs work; rejects with `store_unavailable` after `drain`. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(unavailable("The store is closed."));
    const running = work();
    const forget = () => this.#running.delete(running);
    this.#running.add(running);
    running.then(forget, forget);
    return running;
  }

  /** Waits for running work and rejects any later one. */
  async drain(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }
}
