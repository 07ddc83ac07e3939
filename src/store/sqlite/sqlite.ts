/**
 * The SQLite backend. With a file, reads run on a connection of the main thread, which never waits for the writer (WAL), and
 * writes run in the writer's thread. In memory, one connection runs one command or read at a time.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { asFailure, fromPlain, isUnusable } from "../base/errors.ts";
import { CompleteNews } from "../base/news.ts";
import { Compiler, Db } from "../base/statement.ts";
import type { Backend } from "../commands/backend.ts";
import type { CommandArgs, CommandName, CommandResult } from "../commands/commands.ts";
import { tellChange, tellFailure } from "../commands/effects.ts";
import type { SqliteConnection } from "./connection.ts";
import { SqliteFile } from "./file.ts";
import { SqliteWriter } from "./writer.ts";
import { WriterThread } from "./writer-thread.ts";

/** How often the reader checks that the path still names its file, in milliseconds. */
const LOOK_EVERY = 1000;

/** Options of `sqliteFileBackend`. */
export interface SqliteFileOptions {
  readonly path: string;
  readonly busyTimeout: number | undefined;
  readonly clock: Clock;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/** Backend for a prepared file. */
export function sqliteFileBackend({ path, busyTimeout, clock, log }: SqliteFileOptions): Backend {
  const file = new SqliteFile(path, "reader");
  const compiler = new Compiler("sqlite");
  let looked = Number.NEGATIVE_INFINITY;
  // The change may be another file at this path.
  const lookAgain = () => {
    looked = Number.NEGATIVE_INFINITY;
  };
  const writer = new WriterThread(path, log, busyTimeout, lookAgain);
  let db: { readonly connection: SqliteConnection; readonly reader: Db } | undefined;

  /** If the file is missing, reads continue on the connection that is still open. */
  const connect = (strict: boolean): Db => {
    const now = clock.now();
    let connection = file.current;
    if (connection === undefined || strict || now - looked >= LOOK_EVERY || now < looked) {
      looked = now;
      try {
        connection = file.obtain();
      } catch (error) {
        if (strict || connection === undefined || file.current !== connection) throw error;
      }
    }
    if (db?.connection !== connection) {
      // What was read before may be of another file.
      writer.news.beginEra();
      db = { connection, reader: new Db(connection, compiler) };
    }
    return db.reader;
  };

  const read = async <T>(work: (db: Db) => Promise<T>, strict = false): Promise<T> => {
    try {
      return await work(connect(strict));
    } catch (error) {
      if (isUnusable(error)) file.discard();
      throw asFailure(error) ?? error;
    }
  };

  return {
    dialect: "sqlite",
    durable: true,
    news: writer.news,
    read: (work) => read(work),
    write: (name, args) => writer.write(name, args),
    ping: async () => {
      await read(
        (reader) => reader.query((tables) => tables.selectFrom("alembic_version").selectAll()),
        true,
      );
    },
    close: async () => {
      await writer.close();
      file.discard();
    },
  };
}

/** Backend for a database in memory. */
export function sqliteMemoryBackend(connection: SqliteConnection): Backend {
  const compiler = new Compiler("sqlite");
  const writer = new SqliteWriter(
    { current: connection, obtain: () => connection, discard: () => {} },
    compiler,
  );
  const db = new Db(connection, compiler);
  const news = new CompleteNews();
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  /** A command's statements are spread over microtasks; nothing else may run in between. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(new Failure("store_unavailable", { log: "The store is closed." }));
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };

  const write = async <N extends CommandName>(name: N, args: CommandArgs<N>): Promise<CommandResult<N>> => {
    const [answer] = await inTurn(() => writer.run([{ id: 0, name, args }]));
    if (answer?.ok !== true) {
      const error = answer === undefined ? new Error("No answer.") : fromPlain(answer.error);
      tellFailure(news, name, error);
      throw error;
    }
    const result = answer.value as CommandResult<N>;
    tellChange(news, name, args, result);
    return result;
  };

  return {
    dialect: "sqlite",
    durable: false,
    news,
    read: (work) => inTurn(() => work(db)),
    write,
    ping: async () => {
      await inTurn(() => db.query((tables) => tables.selectFrom("alembic_version").selectAll()));
    },
    close: async () => {
      closed = true;
      await last;
      connection.close();
    },
  };
}
