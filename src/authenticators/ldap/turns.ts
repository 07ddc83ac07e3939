/**
 * How many logins may be under way at a directory. Further ones wait, fair by source (`lib/fair-queue.ts`), and get 503 when
 * the queue is full or takes too long: a slow directory must not fill the server with waiting logins.
 */
import { Failure } from "../../errors.ts";
import { FairQueue } from "../../lib/fair-queue.ts";

export interface TurnLimits {
  readonly logins: number;
  /** Logins from one source at a time. */
  readonly perSource: number;
  readonly queue: number;
  readonly queueSeconds: number;
}

/** Seconds. */
const RETRY_AFTER = "5";

interface Waiter {
  go(): void;
  leave(reason: unknown): void;
}

export class Turns {
  readonly #limits: TurnLimits;
  readonly #queue = new FairQueue<Waiter>();
  readonly #runningOf = new Map<string, number>();
  #running = 0;
  #stopped = false;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  async run<T>(source: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (this.#stopped) throw new Failure("stopping");
    if (this.#mayRun(source)) this.#begin(source);
    else await this.#wait(source, signal);
    try {
      return await work();
    } finally {
      this.#end(source);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const waiter of [...this.#queue]) waiter.leave(new Failure("stopping"));
  }

  #mayRun(source: string): boolean {
    const { logins, perSource } = this.#limits;
    return this.#running < logins && (this.#runningOf.get(source) ?? 0) < perSource;
  }

  #begin(source: string): void {
    this.#running += 1;
    this.#runningOf.set(source, (this.#runningOf.get(source) ?? 0) + 1);
  }

  #end(source: string): void {
    this.#running -= 1;
    const left = (this.#runningOf.get(source) ?? 1) - 1;
    if (left === 0) this.#runningOf.delete(source);
    else this.#runningOf.set(source, left);
    const next = this.#queue.next((waiting) => this.#mayRun(waiting));
    if (next === undefined) return;
    this.#begin(next.source);
    next.item.go();
  }

  #wait(source: string, signal: AbortSignal | undefined): Promise<void> {
    const { queue, queueSeconds } = this.#limits;
    if (this.#queue.size >= queue) {
      const full = busy(`${queue} logins are waiting for the directory`);
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
      const late = busy(
        `${this.#limits.logins} logins at the directory took longer than ${queueSeconds} seconds`,
      );
      const timer = setTimeout(() => waiter.leave(late), queueSeconds * 1000);
      signal?.addEventListener("abort", aborted, { once: true });
      this.#queue.add(source, waiter);
    });
  }
}

function busy(log: string): Failure {
  return new Failure("logins_busy", { log, headers: { "retry-after": RETRY_AFTER } });
}
