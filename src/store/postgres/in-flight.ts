/**
 * What is under way, so that closing can wait for it and turn away what comes later.
 */
import { unavailable } from "../base/errors.ts";

export class InFlight {
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(unavailable("The store is closed."));
    const running = work();
    const forget = () => this.#running.delete(running);
    this.#running.add(running);
    running.then(forget, forget);
    return running;
  }

  async drain(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }
}
