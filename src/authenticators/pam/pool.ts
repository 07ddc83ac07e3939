/**
 * A bounded number of helpers and a bounded queue: each login gets an answer or an error within `queueSeconds +
 * loginSeconds`, and many logins from one source do not keep others out. Helpers start on demand and end when idle.
 */
import { Failure } from "../../errors.ts";
import { FairQueue } from "../../lib/fair-queue.ts";
import type { PamReply, PamRequest } from "./helper.ts";
import type { Helper } from "./process.ts";

export interface PoolLimits {
  readonly helpers: number;
  /** Helpers for logins from one source at a time: a PAM stack that hangs for it does not hang for all. */
  readonly perSource: number;
  readonly queue: number;
  readonly queueSeconds: number;
  readonly loginSeconds: number;
  readonly idleSeconds: number;
}

/** Seconds. */
const RETRY_AFTER = "5";

interface Waiter {
  go(): void;
  leave(reason: unknown): void;
}

export class HelperPool {
  readonly #start: () => Helper;
  readonly #limits: PoolLimits;
  readonly #idle = new Map<Helper, NodeJS.Timeout>();
  readonly #busy = new Set<Helper>();
  readonly #queue = new FairQueue<Waiter>();
  /** Logins that have a helper or are about to get one. */
  #running = 0;
  readonly #runningOf = new Map<string, number>();
  #stopped = false;

  constructor(start: () => Helper, limits: PoolLimits) {
    this.#start = start;
    this.#limits = limits;
  }

  /**
   * The answer of a helper. After an abort of `signal` the login goes on, since a PAM module must not be interrupted.
   * `source`: where the login comes from.
   */
  async run(request: PamRequest, signal?: AbortSignal, source = ""): Promise<PamReply> {
    signal?.throwIfAborted();
    if (this.#stopped) throw new Failure("stopping");
    // A login that ends hands its helper to the next one in the queue, so no other can overtake.
    if (this.#mayRun(source)) this.#begin(source);
    else await this.#wait(source, signal);
    return unlessAborted(this.#ask(request, source), signal);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const waiter of [...this.#queue]) waiter.leave(new Failure("stopping"));
    const helpers = [...this.#busy, ...this.#idle.keys()];
    for (const timer of this.#idle.values()) clearTimeout(timer);
    this.#idle.clear();
    await Promise.all(helpers.map((helper) => helper.kill()));
  }

  #mayRun(source: string): boolean {
    const { helpers, perSource } = this.#limits;
    return this.#running < helpers && (this.#runningOf.get(source) ?? 0) < perSource;
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

  async #ask(request: PamRequest, source: string): Promise<PamReply> {
    let helper: Helper | undefined;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void helper?.kill();
    }, this.#limits.loginSeconds * 1000);
    try {
      helper = this.#take();
      const reply = await helper.ask(request);
      this.#rest(helper);
      return reply;
    } catch (error) {
      void helper?.kill();
      if (!late)
        throw new Failure("bad_gateway", {
          log: error instanceof Error ? error.message : String(error),
          cause: error,
        });
      const log = `PAM did not answer within ${this.#limits.loginSeconds} seconds (service '${request.service}').`;
      throw new Failure("gateway_timeout", { log, cause: error });
    } finally {
      clearTimeout(timer);
      if (helper !== undefined) this.#busy.delete(helper);
      this.#end(source);
    }
  }

  #take(): Helper {
    for (const [helper, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(helper);
      if (helper.alive()) return this.#use(helper);
    }
    return this.#use(this.#start());
  }

  #use(helper: Helper): Helper {
    this.#busy.add(helper);
    return helper;
  }

  #rest(helper: Helper): void {
    const end = (): void => {
      this.#idle.delete(helper);
      void helper.kill();
    };
    if (this.#stopped) end();
    else this.#idle.set(helper, setTimeout(end, this.#limits.idleSeconds * 1000).unref());
  }

  #wait(source: string, signal: AbortSignal | undefined): Promise<void> {
    const { queue, queueSeconds } = this.#limits;
    if (this.#queue.size >= queue) {
      const full = busy(`${queue} PAM logins are waiting`);
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
      const late = busy(`no PAM helper was free within ${queueSeconds} seconds`);
      const timer = setTimeout(() => waiter.leave(late), queueSeconds * 1000);
      signal?.addEventListener("abort", aborted, { once: true });
      this.#queue.add(source, waiter);
    });
  }
}

function busy(log: string): Failure {
  return new Failure("logins_busy", { log, headers: { "retry-after": RETRY_AFTER } });
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
