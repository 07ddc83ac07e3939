/**
 * Several ways to reach one PostgreSQL: its hosts in order, each with or without encryption (`sslmode=prefer` and `allow`). Each
 * way has a pool; every new connection tries them in order.
 */
import type pg from "pg";
import { codeOf, isBusy, messageOf } from "../base/errors.ts";
import { WRONG_SERVER } from "./session.ts";

/** The part of `pg.Pool` that the store uses. */
export interface Connections {
  readonly options: { readonly max: number };
  readonly ending: boolean;
  connect(): Promise<pg.PoolClient>;
  end(): Promise<void>;
}

type Pool = Connections & Pick<pg.Pool, "idleCount" | "totalCount">;

/** One host, with or without encryption. */
export interface Way {
  readonly pool: Pool;
  /** Host and port; the same for all ways to a host. */
  readonly host: string;
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** pg's message if the server does not answer: another way to the same host would time out as well. */
const SILENCE = /timeout/i;
/** SQLSTATEs after which libpq tries the next host: the server is starting, or does not match `target_session_attrs`. */
const NEXT_HOST = new Set(["57P03", WRONG_SERVER]);

/** Connections that try the ways in order. `onFallback` is called with the way that was used instead of the first. */
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
      // An error from a server that was reached is final for all hosts, but not for the other way to the same host.
      if (before !== undefined && !again && speaksForAll(before.error)) break;
      try {
        const client = await way.pool.connect();
        if (way !== first) onFallback(way);
        return client;
      } catch (error) {
        if (first.pool.ending || isBusy(error)) throw error;
        // The server's answer to the first way is the more useful error. A failed handshake is less useful than the second error.
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
      // An idle connection, or a full pool where one will become free, is used before trying a new connection.
      const ready = ways.find(({ pool }) => pool.idleCount > 0) ?? ways.find(({ pool }) => isFull(pool));
      if (ready === undefined || ready === first) return await connectAnew();
      try {
        return await ready.pool.connect();
      } catch (error) {
        // The pool was full of connections that then failed.
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
