/**
 * How often one account may log in. Each login is a session and rows of the database, and nothing that is done with a
 * password needs many: tokens last. Counted by this server alone, in memory; wrong passwords are the throttle's.
 */
import type { Clock } from "../../lib/clock.ts";
import type { IdentityRef } from "../model/entities.ts";

export interface Budget {
  readonly logins: number;
  /** Seconds. */
  readonly per: number;
}

const MAX_REMEMBERED = 50_000;

interface Spent {
  /** Milliseconds since the epoch. */
  readonly until: number;
  logins: number;
  told: boolean;
}

export class LoginBudget {
  readonly #budget: Budget | false;
  readonly #clock: Clock;
  readonly #spent = new Map<string, Spent>();

  constructor(budget: Budget | false, clock: Clock) {
    this.#budget = budget;
    this.#clock = clock;
  }

  /** Seconds until the account may log in again; 0: now. `first`: of this time, so that it is told once. */
  exceeded(identity: IdentityRef): { readonly retryAfter: number; readonly first: boolean } {
    const spent = this.#spent.get(keyOf(identity));
    const left = spent === undefined ? 0 : spent.until - this.#clock.now();
    if (this.#budget === false || spent === undefined || left <= 0 || spent.logins < this.#budget.logins)
      return { retryAfter: 0, first: false };
    const first = !spent.told;
    spent.told = true;
    return { retryAfter: Math.max(1, Math.ceil(left / 1000)), first };
  }

  count(identity: IdentityRef): void {
    if (this.#budget === false) return;
    const key = keyOf(identity);
    const now = this.#clock.now();
    const known = this.#spent.get(key);
    if (known !== undefined && known.until > now) {
      known.logins += 1;
      return;
    }
    this.#spent.delete(key);
    if (this.#spent.size >= MAX_REMEMBERED) {
      const [oldest] = this.#spent.keys();
      if (oldest !== undefined) this.#spent.delete(oldest);
    }
    this.#spent.set(key, { until: now + this.#budget.per * 1000, logins: 1, told: false });
  }

  /** One that was counted and opened nothing. */
  giveBack(identity: IdentityRef): void {
    const known = this.#spent.get(keyOf(identity));
    if (known !== undefined && known.logins > 0) known.logins -= 1;
  }
}

function keyOf({ provider, id }: IdentityRef): string {
  return `${provider} ${id}`;
}
