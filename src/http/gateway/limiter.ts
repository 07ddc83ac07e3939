/**
 * Limits concurrent and waiting requests of a server behind this one: in total, per caller, and for all anonymous callers
 * together. A quarter is always reserved for callers with a credential. A plain semaphore (`lib/semaphore.ts`) knows no callers.
 */

/** The party that a slot is counted for. */
export interface Requester {
  /** Whether it has a credential. */
  readonly known: boolean;
  /** The principal, or the address of an anonymous caller. One name may use half of all slots, or of the anonymous share. */
  readonly name: string;
}

export interface LimiterOptions {
  readonly slots: number;
  /** Requests that may wait for a slot. */
  readonly waiting: number;
  readonly waitMs: number;
}

export interface Slot {
  /** Gives the slot back, or stops waiting for it. Further calls do nothing. */
  leave(): void;
}

interface Calls {
  begin(slot: Slot): void;
  /** The wait took too long. */
  giveUp(): void;
}

interface Taken extends Slot {
  readonly requester: Requester;
  state: "waiting" | "in" | "gone";
}

interface Waiting {
  readonly taken: Taken;
  readonly calls: Calls;
  readonly timer: NodeJS.Timeout;
}

/** Counts requesters against the limits: total, anonymous, by name. */
class Count {
  readonly #limit: number;
  readonly #strangersLimit: number;
  readonly #byName = new Map<string, number>();
  #all = 0;
  #strangers = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#strangersLimit = Math.max(Math.min(limit, 1), limit - Math.max(1, Math.floor(limit / 4)));
  }

  hasRoom({ known, name }: Requester): boolean {
    if (this.#all >= this.#limit) return false;
    if (!known && this.#strangers >= this.#strangersLimit) return false;
    const part = known ? this.#limit : this.#strangersLimit;
    return (this.#byName.get(name) ?? 0) < Math.ceil(part / 2);
  }

  add(requester: Requester, by: 1 | -1): void {
    this.#all += by;
    if (!requester.known) this.#strangers += by;
    const count = (this.#byName.get(requester.name) ?? 0) + by;
    if (count === 0) this.#byName.delete(requester.name);
    else this.#byName.set(requester.name, count);
  }
}

export class ConcurrencyLimiter {
  readonly #waitMs: number;
  readonly #inside: Count;
  readonly #outside: Count;
  readonly #queue = new Set<Waiting>();

  constructor(limits: LimiterOptions) {
    this.#waitMs = limits.waitMs;
    this.#inside = new Count(limits.slots);
    this.#outside = new Count(limits.waiting);
  }

  /** A slot at once, or null. */
  tryEnter(requester: Requester): Slot | null {
    return this.#inside.hasRoom(requester) ? this.#enter(this.#taken(requester, null)) : null;
  }

  /**
   * Calls `begin` with a slot: before it returns null, or later, unless the result is left before. "full": too many
   * requests are waiting.
   */
  enter(requester: Requester, calls: Calls): Slot | "full" | null {
    if (this.#inside.hasRoom(requester)) {
      calls.begin(this.#enter(this.#taken(requester, null)));
      return null;
    }
    if (!this.#outside.hasRoom(requester)) return "full";
    this.#outside.add(requester, 1);
    const waiting: Waiting = {
      taken: this.#taken(requester, () => this.#forget(waiting)),
      calls,
      timer: setTimeout(() => {
        waiting.taken.leave();
        calls.giveUp();
      }, this.#waitMs).unref(),
    };
    this.#queue.add(waiting);
    const { taken } = waiting;
    // Once it has begun, `begin` has the slot to leave.
    return { leave: () => (taken.state === "waiting" ? taken.leave() : undefined) };
  }

  #taken(requester: Requester, stopWaiting: (() => void) | null): Taken {
    const taken: Taken = {
      requester,
      state: "waiting",
      leave: () => {
        const { state } = taken;
        taken.state = "gone";
        if (state === "waiting") stopWaiting?.();
        else if (state === "in") this.#left(requester);
      },
    };
    return taken;
  }

  #enter(taken: Taken): Taken {
    this.#inside.add(taken.requester, 1);
    taken.state = "in";
    return taken;
  }

  #left(requester: Requester): void {
    this.#inside.add(requester, -1);
    for (const waiting of this.#queue) {
      if (!this.#inside.hasRoom(waiting.taken.requester)) continue;
      this.#forget(waiting);
      waiting.calls.begin(this.#enter(waiting.taken));
      return;
    }
  }

  #forget(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.#queue.delete(waiting);
    this.#outside.add(waiting.taken.requester, -1);
  }
}
