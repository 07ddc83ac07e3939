/**
 * So many commands at a time in PostgreSQL, and the others in turn: however many come in, and whatever they wait for there,
 * some connections are left for those who only read.
 */
import { busy } from "./errors.ts";
import { PATIENCE } from "./lanes.ts";

export class Turns {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(atATime: number) {
    this.#free = atATime;
  }

  async run<R>(work: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Takes the place of one that has ended. */
  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        leave();
        resolve();
      };
      const timer = setTimeout(() => {
        leave();
        reject(busy("a command waited too long for its turn"));
      }, PATIENCE);
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(begin);
      };
      this.#waiting.add(begin);
    });
  }
}
