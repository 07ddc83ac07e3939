/**
 * How many requests a server behind this one has at once, and how many wait: bounded in all, for each caller, and for all callers
 * without a credential together. A quarter is always left for callers with one.
 */

/** Who takes a place. */
export interface Guest {
  /** It has a credential. */
  readonly known: boolean;
  /** The principal, or the address of a stranger: what may have half of all, or of the strangers' part. */
  readonly name: string;
}

export interface RoomLimits {
  readonly places: number;
  /** That wait for one. */
  readonly waiting: number;
  readonly waitMs: number;
}

export interface Place {
  /** Once it is not needed any more, or waited for; further calls do nothing. */
  leave(): void;
}

interface Calls {
  begin(place: Place): void;
  /** It took too long. */
  giveUp(): void;
}

interface Taken extends Place {
  readonly guest: Guest;
  state: "waiting" | "in" | "gone";
}

interface Waiting {
  readonly taken: Taken;
  readonly calls: Calls;
  readonly timer: NodeJS.Timeout;
}

/** Guests counted against limits: of all, of strangers, of each by name. */
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

  hasRoom({ known, name }: Guest): boolean {
    if (this.#all >= this.#limit) return false;
    if (!known && this.#strangers >= this.#strangersLimit) return false;
    const part = known ? this.#limit : this.#strangersLimit;
    return (this.#byName.get(name) ?? 0) < Math.ceil(part / 2);
  }

  add(guest: Guest, by: 1 | -1): void {
    this.#all += by;
    if (!guest.known) this.#strangers += by;
    const count = (this.#byName.get(guest.name) ?? 0) + by;
    if (count === 0) this.#byName.delete(guest.name);
    else this.#byName.set(guest.name, count);
  }
}

export class Room {
  readonly #waitMs: number;
  readonly #inside: Count;
  readonly #outside: Count;
  readonly #queue = new Set<Waiting>();

  constructor(limits: RoomLimits) {
    this.#waitMs = limits.waitMs;
    this.#inside = new Count(limits.places);
    this.#outside = new Count(limits.waiting);
  }

  /** A place now; null: this guest can have none. */
  tryEnter(guest: Guest): Place | null {
    return this.#inside.hasRoom(guest) ? this.#enter(this.#taken(guest, null)) : null;
  }

  /**
   * `begin` is called with a place: at once, where this answers null, or later, unless what it answers is left before. "full":
   * too many wait already.
   */
  enter(guest: Guest, calls: Calls): Place | "full" | null {
    if (this.#inside.hasRoom(guest)) {
      calls.begin(this.#enter(this.#taken(guest, null)));
      return null;
    }
    if (!this.#outside.hasRoom(guest)) return "full";
    this.#outside.add(guest, 1);
    const waiting: Waiting = {
      taken: this.#taken(guest, () => this.#forget(waiting)),
      calls,
      timer: setTimeout(() => {
        waiting.taken.leave();
        calls.giveUp();
      }, this.#waitMs).unref(),
    };
    this.#queue.add(waiting);
    const { taken } = waiting;
    // Once it has begun, it is the place that is left.
    return { leave: () => (taken.state === "waiting" ? taken.leave() : undefined) };
  }

  #taken(guest: Guest, stopWaiting: (() => void) | null): Taken {
    const taken: Taken = {
      guest,
      state: "waiting",
      leave: () => {
        const { state } = taken;
        taken.state = "gone";
        if (state === "waiting") stopWaiting?.();
        else if (state === "in") this.#left(guest);
      },
    };
    return taken;
  }

  #enter(taken: Taken): Taken {
    this.#inside.add(taken.guest, 1);
    taken.state = "in";
    return taken;
  }

  #left(guest: Guest): void {
    this.#inside.add(guest, -1);
    for (const waiting of this.#queue) {
      if (!this.#inside.hasRoom(waiting.taken.guest)) continue;
      this.#forget(waiting);
      waiting.calls.begin(this.#enter(waiting.taken));
      return;
    }
  }

  #forget(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.#queue.delete(waiting);
    this.#outside.add(waiting.taken.guest, -1);
  }
}
