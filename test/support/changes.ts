/** What a store tells of changes, in tests of caches. */
import type { Changes } from "../../src/domain/ports/changes.ts";
import type { Uuid } from "../../src/lib/uuid.ts";

/** Of a store that other programs change without telling: the test is one of them. */
export const UNTOLD: Changes = {
  era: 0,
  toldUntil: () => Number.NEGATIVE_INFINITY,
  heldUntil: () => Number.NEGATIVE_INFINITY,
  listen: () => {},
};

/** Of a store that a test lets know, and tell, what it likes. */
export class ScriptedChanges implements Changes {
  era = 0;
  told = Number.NEGATIVE_INFINITY;
  readonly #ends = new Map<number, number>();
  readonly #listeners: Parameters<Changes["listen"]>[0][] = [];

  toldUntil(): number {
    return this.told;
  }

  heldUntil(era: number): number {
    return era === this.era ? this.told : (this.#ends.get(era) ?? Number.NEGATIVE_INFINITY);
  }

  listen(listener: Parameters<Changes["listen"]>[0]): void {
    this.#listeners.push(listener);
  }

  tell(principal: string, what: "anything" | "document" = "anything"): void {
    for (const listener of this.#listeners) listener({ principal: principal as Uuid, what });
  }

  beginEra(): void {
    this.#ends.set(this.era, this.told);
    this.era += 1;
  }
}
