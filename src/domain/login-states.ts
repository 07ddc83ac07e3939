/**
 * The `state` (e.g. groups) of a person's latest login at one provider, for access policies. It also applies to the person's
 * API keys and to logins at other providers. A logout does not change it; the next login does.
 */
import type { Clock } from "../lib/clock.ts";
import { chain } from "../lib/maybe-promise.ts";
import type { Uuid } from "../lib/uuid.ts";
import { ReadThroughCache } from "./callers/read-through-cache.ts";
import type { Store } from "./ports/store.ts";

export type LoginState = Readonly<Record<string, unknown>>;

export const NO_STATE: LoginState = {};

export class LoginStates {
  readonly #states: ReadThroughCache<Uuid, LoginState>;

  constructor({ accounts, changes }: Pick<Store, "accounts" | "changes">, provider: string, clock: Clock) {
    this.#states = new ReadThroughCache(
      async (principal) => (await accounts.latestState(principal, provider)) ?? NO_STATE,
      clock,
      { changes, concerns: ({ what }) => what === "anything" },
    );
  }

  of(principal: Uuid): LoginState | Promise<LoginState> {
    const state = this.#states.get(principal);
    return chain(state, (found) => found ?? NO_STATE);
  }
}
