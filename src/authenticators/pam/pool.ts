/**
 * A bounded number of helpers and a bounded queue before them: however many logins come in, each has an answer or an
 * error within `queueSeconds + loginSeconds`, and none is kept out by many from elsewhere. Helpers start when they are
 * needed and end when they are idle.
 */
import { Failure } from "../../errors.ts";
import type { PamReply, PamRequest } from "./helper.ts";
import type { Helper } from "./process.ts";
import { FairQueue } from "./queue.ts";

export interface PoolLimits {
  readonly helpers: number;
  /** Helpers that logins from one place have at once: a stack that hangs for them does not hang for all. */
  readonly perPlace: number;
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
  /** Logins that have a helper or are about to take one. */
  #running = 0;
  readonly #runningOf = new Map<string, number>();
  #stopped = false;

  constructor(start: () => Helper, limits: PoolLimits) {
    this.#start = start;
    this.#limits = limits;
  }

  /**
   * What a helper answers. The login goes on where `signal` is aborted, since a module must not be cut off midway. `place`:
   * where it comes from.
   */
  async run(request: PamRequest, signal?: AbortSignal, place = ""): Promise<PamReply> {
    signal?.throwIfAborted();
    if (this.#stopped) throw new Failure("stopping");
    // Who waited has been handed the turn of a login that is over, so nobody can overtake.
    if (this.#mayRun(place)) this.#begin(place);
    else await this.#wait(place, signal);
    return unlessAborted(this.#ask(request, place), signal);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const waiter of [...this.#queue]) waiter.leave(new Failure("stopping"));
    const helpers = [...this.#busy, ...this.#idle.keys()];
    for (const timer of this.#idle.values()) clearTimeout(timer);
    this.#idle.clear();
    await Promise.all(helpers.map((helper) => helper.kill()));
  }

  #mayRun(place: string): boolean {
    const { helpers, perPlace } = this.#limits;
    return this.#running < helpers && (this.#runningOf.get(place) ?? 0) < perPlace;
  }

  #begin(place: string): void {
    this.#running += 1;
    this.#runningOf.set(place, (this.#runningOf.get(place) ?? 0) + 1);
  }

  #end(place: string): void {
    this.#running -= 1;
    const left = (this.#runningOf.get(place) ?? 1) - 1;
    if (left === 0) this.#runningOf.delete(place);
    else this.#runningOf.set(place, left);
    const next = this.#queue.next((waiting) => this.#mayRun(waiting));
    if (next === undefined) return;
    this.#begin(next.place);
    next.item.go();
  }

  async #ask(request: PamRequest, place: string): Promise<PamReply> {
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
      this.#end(place);
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

  #wait(place: string, signal: AbortSignal | undefined): Promise<void> {
    const { queue, queueSeconds } = this.#limits;
    if (this.#queue.size >= queue) {
      const full = busy(`${queue} PAM logins are waiting already`);
      const displaced = this.#queue.displacedBy(place);
      if (displaced === undefined) throw full;
      displaced.leave(full);
    }
    return new Promise<void>((resolve, reject) => {
      const settle = (done: () => void): void => {
        this.#queue.delete(place, waiter);
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
        done();
      };
      const waiter: Waiter = { go: () => settle(resolve), leave: (reason) => settle(() => reject(reason)) };
      const aborted = (): void => waiter.leave(signal?.reason);
      const late = busy(`no PAM helper was free within ${queueSeconds} seconds`);
      const timer = setTimeout(() => waiter.leave(late), queueSeconds * 1000);
      signal?.addEventListener("abort", aborted, { once: true });
      this.#queue.add(place, waiter);
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
