/**
 * Implements `Changes`: tells the listeners what our own commands changed, and asks now and then whether another program has
 * changed anything. How to ask is the dialect's part.
 */
import type { Change, Changes } from "../../domain/ports/changes.ts";

/** The shortest time between two questions, in milliseconds: half of what caches allow. */
const ASK_EVERY = 250;
/** Eras whose end is remembered. Caches ask for those of the last minute. */
const REMEMBERED_ERAS = 1000;

export class News implements Changes {
  readonly #ask: ((askedAt: number) => void) | undefined;
  readonly #listeners: ((change: Change) => void)[] = [];
  readonly #ends = new Map<number, number>();
  #era = 0;
  #told = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isAsking = false;

  /** `ask` is answered by `answered` or `unanswered`. Undefined: nothing is known of other programs. */
  constructor(ask?: (askedAt: number) => void) {
    this.#ask = ask;
  }

  get era(): number {
    return this.#era;
  }

  toldUntil(now: number): number {
    const age = now - this.#told;
    if ((age >= ASK_EVERY || age < 0) && !this.#isAsking && this.#ask !== undefined) {
      const since = now - this.#askedAt;
      if (since >= ASK_EVERY || since < 0) {
        this.#askedAt = now;
        this.#isAsking = true;
        this.#ask(now);
      }
    }
    return this.#told;
  }

  heldUntil(era: number): number {
    return era === this.#era ? this.#told : (this.#ends.get(era) ?? Number.NEGATIVE_INFINITY);
  }

  listen(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  /** After a change of ours was committed. */
  tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Nothing was committed, before the question was asked, that was not told or did not begin a new era. */
  answered(askedAt: number): void {
    this.#isAsking = false;
    this.#told = askedAt;
  }

  /** The question failed; the next one may be asked. */
  unanswered(): void {
    this.#isAsking = false;
  }

  /** Something may have changed that cannot be told. */
  beginEra(): void {
    this.#ends.set(this.#era, this.#told);
    const [oldest] = this.#ends.size > REMEMBERED_ERAS ? this.#ends.keys() : [];
    if (oldest !== undefined) this.#ends.delete(oldest);
    this.#era += 1;
  }
}

/** News of a database that no other program can reach. */
export class CompleteNews extends News {
  override toldUntil(now: number): number {
    this.answered(now);
    return now;
  }
}
