/**
 * Counters of failed attempts (rate-limiter-flexible): in memory with SQLite, which has one server, and in the database with
 * PostgreSQL, so that all servers share them. Keys are hashed: user names and addresses are never stored in clear.
 */
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRes,
} from "rate-limiter-flexible";
import type { Counter, FailureCounters, Limit } from "../domain/ports/failures.ts";
import { sha256 } from "../lib/secrets.ts";
import { type Args, type Db, statement } from "./base/statement.ts";

type MakeLimiter = (limit: Limit) => RateLimiterAbstract;

interface Asked {
  readonly limiter: RateLimiterAbstract;
  readonly key: string;
}

interface Found {
  readonly consumedPoints: number;
  readonly msBeforeNext: number;
}

/** Looks up several keys at once, with results in their order; the library's limiters look up one at a time. */
type Look = (asked: readonly Asked[]) => Promise<readonly (Found | null | undefined)[]>;

const failuresOf = statement((db, { keys, now }: Args<{ keys: readonly string[]; now: number }>) =>
  db
    .selectFrom("tiled_auth_failures")
    .where((eb) => eb("key", "=", eb.fn.any(keys)))
    .where("expire", ">", now)
    .select(["key", "points", "expire"]),
);

/** The part of a PostgreSQL backend that the counters use. `single` runs one statement, which must be safe to run twice. */
interface CounterDatabase {
  read<T>(work: (db: Db) => Promise<T>): Promise<T>;
  single<T>(work: (db: Db) => Promise<T>): Promise<T>;
}

/** Counters of this process alone. */
export function memoryCounters(): FailureCounters {
  return counters(
    ({ failures, per }) => new RateLimiterMemory({ points: failures, duration: per }),
    (asked) => Promise.all(asked.map(({ limiter, key }) => limiter.get(key))),
  );
}

/** Counters in the database, shared by all servers. */
export function postgresCounters(backend: CounterDatabase): FailureCounters {
  // The pool interface that the limiter expects, with the backend's retries after a lost connection.
  const storeClient = {
    query: async ({ text, values }: { readonly text: string; readonly values: readonly unknown[] }) => {
      const rows = await backend.single((db) => db.raw(text, values));
      return { rows, rowCount: rows.length };
    },
  };
  const make: MakeLimiter = ({ failures, per }) =>
    new RateLimiterPostgres({
      storeClient,
      storeType: "pool",
      tableName: "tiled_auth_failures",
      tableCreated: true,
      // The purge deletes expired rows.
      clearExpiredByTimeout: false,
      points: failures,
      duration: per,
    });
  return counters(make, async (asked) => {
    const keys = asked.map(({ limiter, key }) => limiter.getKey(key));
    const now = Date.now();
    const rows = await backend.read((db) => db.all(failuresOf, { keys, now }));
    return keys.map((wanted) => {
      const row = rows.find(({ key }) => key === wanted);
      return row && { consumedPoints: row.points, msBeforeNext: (row.expire ?? now) - now };
    });
  });
}

function counters(make: MakeLimiter, look: Look): FailureCounters {
  const limiters = new Map<string, RateLimiterAbstract>();

  const limiterOf = (limit: Limit): RateLimiterAbstract => {
    const name = `${limit.failures}/${limit.per}`;
    let limiter = limiters.get(name);
    if (limiter === undefined) {
      limiter = make(limit);
      limiters.set(name, limiter);
    }
    return limiter;
  };

  /** The limit is part of the key, so counters of different limits stay separate. */
  const keyOf = (key: string, limit: Limit) => sha256(`${limit.failures}/${limit.per}/${key}`);

  const longestBlock = async (asked: readonly Counter[]): Promise<number> => {
    const found = await look(
      asked.map(({ key, limit }) => ({ limiter: limiterOf(limit), key: keyOf(key, limit) })),
    );
    const waits = asked.map(({ limit }, index) => {
      const known = found[index];
      return known != null && known.consumedPoints >= limit.failures ? seconds(known) : 0;
    });
    return Math.max(0, ...waits);
  };

  return {
    blocked: (key, limit) => longestBlock([{ key, limit }]),
    longestBlock,
    count: async (key, limit) => {
      const limiter = limiterOf(limit);
      try {
        await limiter.consume(keyOf(key, limit));
        return 0;
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        // A refused attempt was never tried, so it does not count.
        await limiter.reward(keyOf(key, limit));
        return seconds(refused);
      }
    },
  };
}

function seconds({ msBeforeNext }: Found): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1000));
}
