/** A clock that stands still until a test moves it. */
import type { Clock } from "../../src/lib/clock.ts";

export class ManualClock implements Clock {
  #now: number;

  constructor(start: number | string | Date = "2026-01-31T12:00:00Z") {
    this.#now = new Date(start).getTime();
  }

  now(): number {
    return this.#now;
  }

  advance(seconds: number): void {
    this.#now += seconds * 1000;
  }
}
