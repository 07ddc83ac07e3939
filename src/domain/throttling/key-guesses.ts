/**
 * Slows down guessing of the single user's key, by address. The same wrong key again, as a browser sends it that has an old
 * cookie, is no further guess. An address from which the right key came before is not kept from using it, until it floods the
 * server with guesses: else the right key's answer would tell it from wrong ones, however many.
 */
import type { Clock } from "../../lib/clock.ts";
import { type Digest, sha256 } from "../../lib/secrets.ts";
import type { Limit } from "../ports/failures.ts";
import { addressBlock } from "./throttle.ts";

const MAX_ADDRESSES = 10_000;
/** So many times the limit of guesses an address may send and still get in with the right key. */
const FLOOD = 50;

interface Guesses {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly wrong: Set<Digest>;
  /** Guesses that were not looked at. */
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

  /** Seconds until a key from this address is looked at again; 0: now. */
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

  /** One that was told to wait. */
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
    if (this.#guesses.size >= MAX_ADDRESSES && !this.#guesses.has(place)) {
      const [oldest] = this.#guesses.keys();
      if (oldest !== undefined) this.#guesses.delete(oldest);
    }
    this.#guesses.set(place, found);
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
