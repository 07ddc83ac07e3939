/**
 * Several ways to one PostgreSQL: its hosts in their order, and for each host with or without encryption, as `sslmode=prefer` and
 * `allow` have them. A pool for each; every new connection tries the ways from the first on.
 */
import type pg from "pg";
import { codeOf, isBusy, messageOf } from "../base/errors.ts";
import { WRONG_SERVER } from "./session.ts";

/** What is asked of a pool of connections; `pg.Pool` is one. */
export interface Connections {
  readonly options: { readonly max: number };
  readonly ending: boolean;
  connect(): Promise<pg.PoolClient>;
  end(): Promise<void>;
}

type Pool = Connections & Pick<pg.Pool, "idleCount" | "totalCount">;

export interface Way {
  readonly pool: Pool;
  /** Ways of one host have the same. */
  readonly host: string;
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** pg's, where no answer comes: another way to the same host would end like this one, and as late. */
const SILENCE = /timeout/i;
/** Another host may do better, as libpq has it: one that is starting, or that is not what was asked for. */
const NEXT_HOST = new Set(["57P03", WRONG_SERVER]);

/** `onFallback` is told which way was taken in place of the first. */
export function inOrder(ways: readonly [Way, ...Way[]], onFallback: (taken: Way) => void): Connections {
  const [first] = ways;
  const { options } = first.pool;
  const several = ways.some(({ host }) => host !== first.host);

  const connectAnew = async (): Promise<pg.PoolClient> => {
    const failures: { readonly host: string; readonly error: unknown }[] = [];
    for (const way of ways) {
      const before = failures.at(-1);
      const again = before?.host === way.host;
      if (again && (SILENCE.test(messageOf(before.error)) || NEXT_HOST.has(codeOf(before.error) ?? "")))
        continue;
      // A server that was reached and refuses speaks for all of them, but not for the other way to itself.
      if (before !== undefined && !again && speaksForAll(before.error)) break;
      try {
        const client = await way.pool.connect();
        if (way !== first) onFallback(way);
        return client;
      } catch (error) {
        if (first.pool.ending || isBusy(error)) throw error;
        // What the server said to the first way is what helps; a handshake that failed says less than the second.
        if (again && isAnswer(before.error)) continue;
        if (again) failures.pop();
        failures.push({ host: way.host, error });
      }
    }
    throw several ? together(failures) : failures.at(-1)?.error;
  };

  return {
    options,
    get ending() {
      return first.pool.ending;
    },
    connect: async () => {
      // One that is there already, or that will be free: only a new connection is a choice.
      const ready = ways.find(({ pool }) => pool.idleCount > 0) ?? ways.find(({ pool }) => isFull(pool));
      if (ready === undefined || ready === first) return await connectAnew();
      try {
        return await ready.pool.connect();
      } catch (error) {
        // It was full of connections that could not be made.
        if (first.pool.ending || isBusy(error)) throw error;
        return await connectAnew();
      }
    },
    end: async () => {
      await Promise.all(ways.map(({ pool }) => pool.end()));
    },
  };
}

function isFull({ totalCount, options }: Pool): boolean {
  return totalCount >= options.max;
}

function isAnswer(error: unknown): boolean {
  return SQLSTATE.test(codeOf(error) ?? "");
}

function speaksForAll(error: unknown): boolean {
  return isAnswer(error) && !NEXT_HOST.has(codeOf(error) ?? "");
}

function together(failures: readonly { readonly host: string; readonly error: unknown }[]): unknown {
  const [only, another] = failures;
  if (another === undefined) return only?.error;
  const text = failures.map(({ host, error }) => `${host}: ${messageOf(error) || codeOf(error)}`).join("; ");
  const { error } = failures.at(-1) ?? {};
  return Object.assign(new Error(text, { cause: error }), { code: codeOf(error) ?? "08001" });
}
