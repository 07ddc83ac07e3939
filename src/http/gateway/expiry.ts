/**
 * Ends long-lived answers and WebSockets when their credential expires (an API key or a provider's access token), and event
 * streams over HTTP also when their session or principal ends. One timer serves all. Further checks of WebSockets are in
 * `socket.ts`.
 */

import type { Standing } from "../../domain/callers/standing.ts";
import type { Caller } from "../../domain/model/caller.ts";
import type { Clock } from "../../lib/clock.ts";

interface Watched {
  readonly caller: Caller;
  end: number;
  /** The end for which the store was asked. */
  asked: number | null;
  onEnd(): void;
}

interface Followed {
  readonly caller: Caller;
  onEnd(): void;
  /** Consecutive failed checks. */
  unseen: number;
}

/** Consecutive failed checks that end a stream. */
const UNSEEN = 2;

/** Asks before the end: a key that is missing then was revoked, not purged as expired. */
const ASK_MS = 2_000;

export class Expiry {
  readonly #standing: Standing;
  readonly #clock: Clock;
  readonly #watched = new Set<Watched>();
  readonly #followed = new Set<Followed>();
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(
    standing: Standing,
    clock: Clock,
    every: { readonly stepMs: number; readonly recheckMs: number },
  ) {
    this.#standing = standing;
    this.#clock = clock;
    this.#timers = [
      setInterval(() => this.#look(), every.stepMs).unref(),
      setInterval(() => this.#recheck(), every.recheckMs).unref(),
    ];
  }

  /** Calls `onEnd` at most once. Call the result if the answer ends earlier. */
  watch(caller: Caller, onEnd: () => void): () => void {
    const end = this.#standing.endOf(caller);
    if (end === null) return () => undefined;
    const watched: Watched = { caller, end, asked: null, onEnd };
    this.#watched.add(watched);
    return () => this.#watched.delete(watched);
  }

  /** The same for the end of the caller's session or principal. */
  follow(caller: Caller, onEnd: () => void): () => void {
    const followed: Followed = { caller, onEnd, unseen: 0 };
    this.#followed.add(followed);
    return () => this.#followed.delete(followed);
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #recheck(): void {
    for (const followed of this.#followed) void this.#lookAt(followed);
  }

  async #lookAt(followed: Followed): Promise<void> {
    let goesOn: boolean;
    try {
      goesOn = await this.#standing.isCurrent(followed.caller, []);
      followed.unseen = 0;
    } catch {
      // The database cannot tell now.
      followed.unseen += 1;
      goesOn = followed.unseen < UNSEEN;
    }
    if (!goesOn && this.#followed.delete(followed)) followed.onEnd();
  }

  #look(): void {
    const now = this.#clock.now();
    for (const watched of this.#watched) {
      const asked = watched.caller.kind !== "api_key" || watched.asked === watched.end;
      if (!asked && now >= watched.end - ASK_MS) {
        watched.asked = watched.end;
        void this.#ask(watched);
      } else if (now >= watched.end) {
        this.#watched.delete(watched);
        watched.onEnd();
      }
    }
  }

  async #ask(watched: Watched): Promise<void> {
    try {
      const end = await this.#standing.endNow(watched.caller);
      if (end === null) this.#watched.delete(watched);
      else watched.end = end;
    } catch {
      // The end stays as it was.
    }
  }
}
