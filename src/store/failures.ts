/**
 * Counters of failed attempts (rate-limiter-flexible): in memory beside SQLite, which has one server, and in the database
 * for PostgreSQL, so that all servers count together. Keys are hashed: no user name and no address is stored in clear.
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

/** What several keys have, in their order; the limiters themselves look up one at a time. */
type Look = (asked: readonly Asked[]) => Promise<readonly (Found | null | undefined)[]>;

const failuresOf = statement((db, { keys, now }: Args<{ keys: readonly string[]; now: number }>) =>
  db
    .selectFrom("tiled_auth_failures")
    .where((eb) => eb("key", "=", eb.fn.any(keys)))
    .where("expire", ">", now)
    .select(["key", "points", "expire"]),
);

/** The part of a PostgreSQL backend that counters use; `single` runs one statement that may be carried out twice. */
interface CounterDatabase {
  read<T>(work: (db: Db) => Promise<T>): Promise<T>;
  single<T>(work: (db: Db) => Promise<T>): Promise<T>;
}

export function memoryCounters(): FailureCounters {
  return counters(
    ({ failures, per }) => new RateLimiterMemory({ points: failures, duration: per }),
    (asked) => Promise.all(asked.map(({ limiter, key }) => limiter.get(key))),
  );
}

export function postgresCounters(backend: CounterDatabase): FailureCounters {
  // What the limiter asks of a pool, with the backend's care for lost connections.
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
      // Done by the purge.
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

  /** Counters of different limits do not mix. */
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
        // A refused attempt was not tried, so it is not counted.
        await limiter.reward(keyOf(key, limit));
        return seconds(refused);
      }
    },
  };
}

function seconds({ msBeforeNext }: Found): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1000));
}
