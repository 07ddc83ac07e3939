/**
 * A bounded number of helpers and a bounded queue before them: however many logins come in, each has an answer or an
 * error within `queueSeconds + loginSeconds`. Helpers start when they are needed and end when they are idle.
 */
import { Failure } from "../../errors.ts";
import type { PamReply, PamRequest } from "./helper.ts";
import type { Helper } from "./process.ts";

export interface PoolLimits {
  readonly helpers: number;
  readonly queue: number;
  readonly queueSeconds: number;
  readonly loginSeconds: number;
  readonly idleSeconds: number;
}

interface Waiter {
  go(): void;
  leave(reason: unknown): void;
}

export class HelperPool {
  readonly #start: () => Helper;
  readonly #limits: PoolLimits;
  readonly #idle = new Map<Helper, NodeJS.Timeout>();
  readonly #busy = new Set<Helper>();
  readonly #queue = new Set<Waiter>();
  /** Logins that have a helper or are about to take one. */
  #running = 0;
  #stopped = false;

  constructor(start: () => Helper, limits: PoolLimits) {
    this.#start = start;
    this.#limits = limits;
  }

  /** What a helper answers. The login goes on where `signal` is aborted, since a module must not be cut off midway. */
  async run(request: PamRequest, signal?: AbortSignal): Promise<PamReply> {
    signal?.throwIfAborted();
    if (this.#stopped) throw new Failure("stopping");
    // Who waited has been handed the place of a login that is over, so nobody can overtake.
    if (this.#running >= this.#limits.helpers) await this.#wait(signal);
    else this.#running++;
    return unlessAborted(this.#ask(request), signal);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const waiter of [...this.#queue]) waiter.leave(new Failure("stopping"));
    const helpers = [...this.#busy, ...this.#idle.keys()];
    for (const timer of this.#idle.values()) clearTimeout(timer);
    this.#idle.clear();
    await Promise.all(helpers.map((helper) => helper.kill()));
  }

  async #ask(request: PamRequest): Promise<PamReply> {
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
      const [next] = this.#queue;
      if (next === undefined) this.#running--;
      else next.go();
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

  #wait(signal: AbortSignal | undefined): Promise<void> {
    const { queue, queueSeconds } = this.#limits;
    if (this.#queue.size >= queue) throw busy(`${queue} PAM logins are waiting already`);
    return new Promise<void>((resolve, reject) => {
      const settle = (done: () => void): void => {
        this.#queue.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
        done();
      };
      const waiter: Waiter = { go: () => settle(resolve), leave: (reason) => settle(() => reject(reason)) };
      const aborted = (): void => waiter.leave(signal?.reason);
      const late = busy(`no PAM helper was free within ${queueSeconds} seconds`);
      const timer = setTimeout(() => waiter.leave(late), queueSeconds * 1000);
      signal?.addEventListener("abort", aborted, { once: true });
      this.#queue.add(waiter);
    });
  }
}

function busy(log: string): Failure {
  return new Failure("store_unavailable", { detail: "Too many logins are waiting. Try again.", log });
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
