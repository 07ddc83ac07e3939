/**
 * Throttles guessing of the single user's key, by address. The same wrong key again, e.g. from a browser's old cookie, is not
 * another guess. An address that has used the right key before may go on using it, until it floods the server with guesses:
 * otherwise the answer to the right key would reveal it among any number of guesses.
 */
import { setBounded } from "../../lib/bounded-map.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Digest, sha256 } from "../../lib/secrets.ts";
import type { Limit } from "../ports/failures.ts";
import { addressBlock } from "./throttle.ts";

const MAX_ADDRESSES = 10_000;
/** An address that sends this many times the limit no longer gets in with the right key. */
const FLOOD = 50;

interface Guesses {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly wrong: Set<Digest>;
  /** Guesses that were refused unchecked. */
  further: number;
}

export class KeyGuesses {
  readonly #limit: Limit;
  readonly #clock: Clock;
  readonly #guesses = new Map<string, Guesses>();
  readonly #owners = new Set<string>();

  constructor(limit: Limit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Seconds until a key from this address is checked again; 0: now. */
  retryAfter(address: string | null, right: boolean): number {
    const place = addressBlock(address);
    const found = this.#live(place);
    if (found === undefined || found.wrong.size < this.#limit.failures) return 0;
    if (right && this.#owners.has(place) && found.further < FLOOD * this.#limit.failures) return 0;
    return Math.max(1, Math.ceil((found.until - this.#clock.now()) / 1000));
  }

  right(address: string | null): void {
    keep(this.#owners, addressBlock(address));
  }

  /** Counts a guess that was refused unchecked. */
  refused(address: string | null, secret: string): void {
    const found = this.#live(addressBlock(address));
    if (found !== undefined && !found.wrong.has(sha256(secret))) found.further += 1;
  }

  wrong(address: string | null, secret: string): void {
    const place = addressBlock(address);
    const found = this.#live(place) ?? {
      until: this.#clock.now() + this.#limit.per * 1000,
      wrong: new Set<Digest>(),
      further: 0,
    };
    found.wrong.add(sha256(secret));
    setBounded(this.#guesses, place, found, MAX_ADDRESSES);
  }

  #live(place: string): Guesses | undefined {
    const found = this.#guesses.get(place);
    return found !== undefined && found.until > this.#clock.now() ? found : undefined;
  }
}

function keep(places: Set<string>, place: string): void {
  if (places.has(place)) return;
  if (places.size >= MAX_ADDRESSES) places.clear();
  places.add(place);
}
