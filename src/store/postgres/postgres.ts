/**
 * The PostgreSQL backend: reads on any connection of the pool, each command in its own transaction. A read is retried once after
 * a lost connection; a command is retried only if it is certain that nothing was committed.
 */
import type pg from "pg";
import type { Clock } from "../../lib/clock.ts";
import { Semaphore } from "../../lib/semaphore.ts";
import { asFailure, busy, codeOf, isConnectionLost, messageOf, uncertain } from "../base/errors.ts";
import { Compiler, Db } from "../base/statement.ts";
import type { Backend } from "../commands/backend.ts";
import type { Command, CommandArgs, CommandName, CommandResult } from "../commands/commands.ts";
import { COMMANDS } from "../commands/commands.ts";
import { tellFailure } from "../commands/effects.ts";
import type { Connections } from "./fallback.ts";
import { InFlight } from "./in-flight.ts";
import { KeyedQueue, TIMEOUT } from "./keyed-queue.ts";
import { type Log, PostgresConnection } from "./pool.ts";
import { sessionOf } from "./session.ts";
import { Teller, type Telling } from "./telling.ts";

/** Number of attempts of a command that loses a race (serialization failure, deadlock, duplicate row). */
const TRIES = 5;
const LOST_A_RACE = /^(40001|40P01|23505)$/;
/** Tests a connection. A server that does not answer within 5000 ms is overloaded, or the connection is dead. */
const PING = { text: "select 1", query_timeout: 5000 };

/** Options of `postgresBackend`. */
export interface PostgresOptions {
  readonly pool: Connections;
  /** Whether each connection is tested before use. */
  readonly prePing: boolean;
  /** Makes the connection that listens to other servers' changes; null if programs write that do not tell theirs. */
  readonly listening: Connections | null;
  readonly clock: Clock;
  readonly log: Log;
}

type Reading = <T>(work: (db: Db) => Promise<T>, ping: boolean) => Promise<T>;

/** Result of one attempt of a command. */
type Outcome<R> =
  | { readonly kind: "done"; readonly result: R; readonly telling: Telling }
  | { readonly kind: "undone"; readonly error: unknown }
  | { readonly kind: "uncertain"; readonly error: unknown };

/** A backend that also runs single statements, for counters. */
export interface PostgresBackend extends Backend {
  /** Runs a single writing statement that is not a command. It must be safe to run twice. */
  single<T>(work: (db: Db) => Promise<T>): Promise<T>;
}

/** Backend on a pool of connections to a prepared database. */
export function postgresBackend(options: PostgresOptions): PostgresBackend {
  const { pool, prePing, listening, clock, log } = options;
  const compiler = new Compiler("postgresql");
  const teller = new Teller({ listening, clock, log, run: (text) => read((db) => db.raw(text, [])) });
  const inFlight = new InFlight();
  const queue = new KeyedQueue();
  // Commands never use the whole pool, so reads get a connection even if every running command waits for a lock.
  const semaphore = new Semaphore({
    permits: pool.options.max - forReads(pool.options.max),
    timeout: TIMEOUT,
    onTimeout: () => busy("a command waited too long for a connection"),
  });

  const acquire = acquiring(pool, (instance) => teller.compare(instance));

  const readOnce: Reading = async (work, ping) => {
    const client = await acquire(ping);
    try {
      const result = await work(new Db(new PostgresConnection(client), compiler));
      client.release();
      return result;
    } catch (error) {
      client.release(isConnectionLost(error) || isStale(error));
      throw error;
    }
  };

  /** A writing statement needs our isolation level and time limits, which a session through a pooler does not keep. */
  const singleOnce: Reading = async (work, ping) => {
    const client = await acquire(ping);
    const { direct, readCommitted, begin } = sessionOf(client);
    const alone = direct && readCommitted;
    try {
      if (!alone) await client.query(begin);
      const result = await work(new Db(new PostgresConnection(client), compiler));
      if (!alone) await client.query("commit");
      client.release();
      return result;
    } catch (error) {
      const usable = !isConnectionLost(error) && (alone || (await rollBack(client)));
      client.release(!usable || isReadOnly(error) || isStale(error));
      throw error;
    }
  };

  const twice = retrying(compiler, prePing);
  const read = <T>(work: (db: Db) => Promise<T>): Promise<T> => twice(readOnce, work);

  const writeOnce = async <N extends CommandName>(
    name: N,
    args: CommandArgs<N>,
    ping: boolean,
  ): Promise<Outcome<CommandResult<N>>> => {
    const command = COMMANDS[name] as unknown as Command<CommandArgs<N>, CommandResult<N>>;
    let client: pg.PoolClient;
    try {
      client = await acquire(ping);
    } catch (error) {
      return { kind: "undone", error };
    }
    let committing = false;
    let telling: Telling | undefined;
    try {
      await client.query(sessionOf(client).begin);
      const result = await command(new Db(new PostgresConnection(client), compiler), args);
      telling = teller.begin(name, args, result);
      committing = true;
      const committed = await commit(client, telling.commit);
      client.release();
      if (committed) return { kind: "done", result, telling };
      teller.failed(telling);
      return { kind: "undone", error: new Error("The transaction was rolled back.") };
    } catch (error) {
      if (telling !== undefined) teller.failed(telling);
      const lost = isConnectionLost(error);
      const rolledBack = !lost && (await rollBack(client));
      client.release(!rolledBack || isReadOnly(error) || isStale(error));
      return { kind: lost && committing ? "uncertain" : "undone", error };
    }
  };

  const write = async <N extends CommandName>(name: N, args: CommandArgs<N>): Promise<CommandResult<N>> => {
    let [lost, stale] = [false, false];
    for (let tries = TRIES; ; tries--) {
      const outcome = await writeOnce(name, args, prePing || lost);
      if (outcome.kind === "done") {
        teller.committed(outcome.telling);
        return outcome.result;
      }
      const { error } = outcome;
      if (outcome.kind === "uncertain") {
        tellFailure(teller.news, name, uncertain(messageOf(error)));
        throw uncertain(messageOf(error));
      }
      const again =
        LOST_A_RACE.test(codeOf(error) ?? "") ||
        (isConnectionLost(error) && !lost) ||
        (isStale(error) && !stale);
      if (!again || tries === 1) throw asFailure(error) ?? error;
      lost ||= isConnectionLost(error);
      if (isStale(error)) {
        stale = true;
        compiler.rename();
      }
    }
  };

  return {
    dialect: "postgresql",
    durable: true,
    news: teller.news,
    read: (work) => inFlight.run(() => read(work)),
    write: (name, args) =>
      inFlight.run(() => queue.run(name, args, () => semaphore.run(() => write(name, args)))),
    single: (work) => inFlight.run(() => semaphore.run(() => twice(singleOnce, work))),
    ping: async () => {
      await inFlight.run(() =>
        read((db) => db.query((tables) => tables.selectFrom("alembic_version").selectAll())),
      );
    },
    close: async () => {
      await inFlight.drain();
      await teller.close();
      if (!pool.ending) await pool.end();
    },
  };
}

/** Runs a reading, and once more if its connection was lost or a prepared statement was refused. */
function retrying(compiler: Compiler, prePing: boolean) {
  return async <T>(once: Reading, work: (db: Db) => Promise<T>): Promise<T> => {
    try {
      return await once(work, prePing).catch((error) => {
        if (isStale(error)) compiler.rename();
        else if (!isConnectionLost(error)) throw error;
        return once(work, true);
      });
    } catch (error) {
      throw asFailure(error) ?? error;
    }
  };
}

/** Takes connections and reports the server of each. `ping` tests it first: after a server restart every connection in the pool is dead. */
function acquiring(
  pool: Connections,
  onUse: (instance: string) => void,
): (ping: boolean) => Promise<pg.PoolClient> {
  return async (ping) => {
    for (let tries = pool.options.max + 1; ; tries--) {
      const client = await pool.connect();
      onUse(sessionOf(client).instance);
      if (!ping) return client;
      try {
        await client.query(PING);
        return client;
      } catch (error) {
        client.release(true);
        // The other connections would time out too, and each wait is long. A slow server counts as busy, not unavailable:
        // otherwise a caller that slows it down could prolong the use of revoked credentials. An unreachable server refuses
        // the next connection.
        if (isSilent(error)) throw busy(`the server did not answer: ${messageOf(error)}`);
        if (tries === 0) throw error;
      }
    }
  };
}

/** Number of the pool's connections reserved for reads. */
function forReads(max: number): number {
  return Math.min(Math.ceil(max / 4), max - 1);
}

/** A prepared statement was deallocated, or a table has other columns now. Nothing was changed by it. */
function isStale(error: unknown): boolean {
  const code = codeOf(error);
  return code === "26000" || (code === "0A000" && /cached plan/i.test(messageOf(error)));
}

/** The server became a standby: the next connection may reach the new primary. */
function isReadOnly(error: unknown): boolean {
  return codeOf(error) === "25006";
}

function isSilent(error: unknown): boolean {
  return /query read timeout/i.test(messageOf(error));
}

async function commit(client: pg.PoolClient, text: string): Promise<boolean> {
  const answer = (await client.query(text)) as pg.QueryResult | pg.QueryResult[];
  return (Array.isArray(answer) ? answer.at(-1) : answer)?.command === "COMMIT";
}

async function rollBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query("rollback");
    return true;
  } catch {
    return false;
  }
}
