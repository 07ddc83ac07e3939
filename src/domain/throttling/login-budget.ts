/**
 * Limits how often one account logs in. Each login adds rows to the database, and no client needs many, since tokens last.
 * Counted in the memory of this server; wrong passwords are counted in `throttle.ts`.
 */
import { setBounded } from "../../lib/bounded-map.ts";
import type { Clock } from "../../lib/clock.ts";
import type { IdentityRef } from "../model/entities.ts";

export interface LoginLimit {
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
  readonly #budget: LoginLimit | false;
  readonly #clock: Clock;
  readonly #spent = new Map<string, Spent>();

  constructor(budget: LoginLimit | false, clock: Clock) {
    this.#budget = budget;
    this.#clock = clock;
  }

  /** Seconds until the account may log in again; 0: now. `first`: the first refusal of this period, which is audited. */
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
    const spent = { until: now + this.#budget.per * 1000, logins: 1, told: false };
    setBounded(this.#spent, key, spent, MAX_REMEMBERED);
  }

  /** Takes back a counted login that opened no session. */
  giveBack(identity: IdentityRef): void {
    const known = this.#spent.get(keyOf(identity));
    if (known !== undefined && known.logins > 0) known.logins -= 1;
  }
}

function keyOf({ provider, id }: IdentityRef): string {
  return `${provider} ${id}`;
}
