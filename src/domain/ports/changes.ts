/** What the store tells caches in front of it: which principals have changed, and until when it knows of every change. */
import type { Uuid } from "../../lib/uuid.ts";

/** `anything`: of the principal, its sessions, keys and other credentials. `document`: only what whoami shows of it. */
export interface Change {
  readonly principal: Uuid;
  readonly what: "anything" | "document";
}

export interface Changes {
  /** Grows when something may have changed of which no listener was told. What was read in an earlier era may be old. */
  readonly era: number;
  /**
   * Every change committed before this time, by any program, was told or began a new era; negative infinity while the store
   * cannot know. Asks for news in the background if the answer is old. `now`: the caller's reading of the clock.
   */
  toldUntil(now: number): number;
  /** Until when what was read in an era and not told as changed was known to be current. Asks nothing. */
  heldUntil(era: number): number;
  /** `listener` is called for a change of this store before the promise of its command resolves, and for other servers' changes. */
  listen(listener: (change: Change) => void): void;
}
