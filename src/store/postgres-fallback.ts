/**
 * Two ways to one PostgreSQL, as `sslmode=prefer` and `allow` have them: a pool for each, of which one stays empty. Every
 * new connection tries the first way before the second.
 */
import type pg from "pg";
import { codeOf, isBusy } from "./errors.ts";

/** What is asked of a pool of connections; `pg.Pool` is one. */
export interface Connections {
  readonly options: { readonly max: number };
  readonly ending: boolean;
  connect(): Promise<pg.PoolClient>;
  end(): Promise<void>;
}

type Pool = Connections & Pick<pg.Pool, "idleCount" | "totalCount">;

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** pg's, where nobody answers: the other way would end like this one, and as late. */
const SILENCE = /timeout/i;

export function withFallback(first: Pool, second: Pool, onFallback: () => void): Connections {
  const { options } = first;
  return {
    options,
    get ending() {
      return first.ending;
    },
    connect: async () => {
      // One that is there already, or that will be free: only a new connection is a choice.
      const full = second.totalCount >= options.max;
      if (first.idleCount === 0 && (second.idleCount > 0 || full)) return await second.connect();
      try {
        return await first.connect();
      } catch (error) {
        if (first.ending || isBusy(error) || SILENCE.test(String(error))) throw error;
        const client = await second.connect().catch((other: unknown) => {
          // What the server said to the first is what helps; a handshake that failed says less than the second.
          throw isAnswer(error) ? error : other;
        });
        onFallback();
        return client;
      }
    },
    end: async () => {
      await Promise.all([first.end(), second.end()]);
    },
  };
}

function isAnswer(error: unknown): boolean {
  return SQLSTATE.test(codeOf(error) ?? "");
}
