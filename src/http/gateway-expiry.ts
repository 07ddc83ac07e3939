/**
 * Ends what is open for longer than a request once the credential that opened it has expired: an API key, or a provider's
 * access token. One timer for all. Sessions that end, and rights that are gone, are looked after in `gateway-socket.ts`.
 */
import type { Caller } from "../domain/caller.ts";
import type { Standing } from "../domain/standing.ts";
import type { Clock } from "../lib/clock.ts";

interface Watched {
  readonly caller: Caller;
  end: number;
  /** The store was asked whether this end counts. */
  asked: number | null;
  onEnd(): void;
}

/** Before the end, so that a key which is gone by then was revoked, and not removed since it has expired. */
const ASK_MS = 2_000;

export class Expiry {
  readonly #standing: Standing;
  readonly #clock: Clock;
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;

  constructor(standing: Standing, clock: Clock, stepMs: number) {
    this.#standing = standing;
    this.#clock = clock;
    this.#timer = setInterval(() => this.#look(), stepMs).unref();
  }

  /** Calls `onEnd` at most once; call what it returns where it is over before. */
  watch(caller: Caller, onEnd: () => void): () => void {
    const end = this.#standing.endOf(caller);
    if (end === null) return () => undefined;
    const watched: Watched = { caller, end, asked: null, onEnd };
    this.#watched.add(watched);
    return () => this.#watched.delete(watched);
  }

  close(): void {
    clearInterval(this.#timer);
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
      // It ends as it was to.
    }
  }
}
