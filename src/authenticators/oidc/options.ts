/**
 * The environment of the OpenID Connect authenticators as options, so that tests move time and shorten deadlines.
 */
import { type Clock, systemClock } from "../../lib/clock.ts";
import type { Schedule } from "./provider.ts";

export interface OidcOptions {
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Milliseconds for all calls to the provider in one login. */
  readonly deadline: number;
  readonly schedule: Schedule;
}

export const OIDC_DEFAULTS: OidcOptions = {
  clock: systemClock,
  // Looked up at each call, so that a replaced global applies.
  fetch: (input, init) => fetch(input, init),
  deadline: 10_000,
  schedule: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
