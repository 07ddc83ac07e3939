/**
 * What `npm run bench` measures, and the goals: for one core, shares of the yardstick's rate in the same run.
 */
import type { Work } from "./work.ts";

/** At least this share of the rate of bare Fastify, which for `refresh` also verifies, commits and signs. */
export const SHARES: Readonly<Partial<Record<Work, number>>> = {
  "JWT whoami": 0.65,
  "API-key whoami": 0.55,
  "API key itself": 0.55,
  verify: 0.55,
  "CAVE's user/cache": 0.5,
  refresh: 0.7,
};

/** At most this many times the CPU per answer with the credentials of a thousand people instead of 32. */
export const SPREAD: Readonly<Partial<Record<Work, number>>> = {
  "JWT whoami": 2,
  "API-key whoami": 2,
  "API key itself": 1.25,
  "data with an API key": 1.25,
};

/** At least this many times the real Tiled's answers per second of CPU, over four connections. */
export const TIMES_TILED: Readonly<Partial<Record<Work, number>>> = { login: 120, refresh: 60 };

/** At most: milliseconds and megabytes. */
export const LIMITS = {
  start: { one: 500, two: 350 },
  idle: 110,
  afterLoad: 180,
  readsWhileWriting: 20,
} as const;
