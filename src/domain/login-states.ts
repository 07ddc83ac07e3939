/**
 * What the latest login of a person at one provider said of them (its `state`, e.g. groups), for access policies. It holds
 * for the person's keys and for logins elsewhere, too; a logout does not change it, the next login does.
 */
import type { Clock } from "../lib/clock.ts";
import { chain } from "../lib/maybe-async.ts";
import type { Uuid } from "../lib/uuid.ts";
import { ReadThroughCache } from "./callers/read-through-cache.ts";
import type { AccountStore } from "./ports/accounts.ts";

export type LoginState = Readonly<Record<string, unknown>>;

export const NO_STATE: LoginState = {};

export class LoginStates {
  readonly #states: ReadThroughCache<Uuid, LoginState>;

  constructor(store: Pick<AccountStore, "latestState">, provider: string, clock: Clock) {
    this.#states = new ReadThroughCache(
      async (principal) => (await store.latestState(principal, provider)) ?? NO_STATE,
      clock,
    );
  }

  of(principal: Uuid): LoginState | Promise<LoginState> {
    const state = this.#states.get(principal);
    return chain(state, (found) => found ?? NO_STATE);
  }
}
