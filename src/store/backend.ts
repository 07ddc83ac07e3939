/**
 * What the aggregates stand on: reads on a connection, and writes as named commands in a transaction. `sqlite/sqlite.ts` runs
 * commands in a worker thread, `postgres/postgres.ts` on a connection of its pool; the commands are the same.
 */
import type { Commands } from "./commands.ts";
import type { Db, Dialect } from "./statement.ts";

export type CommandName = keyof Commands;
export type CommandArgs<N extends CommandName> = Parameters<Commands[N]>[1];
export type CommandResult<N extends CommandName> = Awaited<ReturnType<Commands[N]>>;

/** Runs inside a transaction; everything in its arguments and its result survives a structured clone. */
export type Command<A, R> = (db: Db, args: A) => Promise<R>;

export interface Backend {
  readonly dialect: Dialect;
  readonly durable: boolean;
  read<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** Resolves once the command's transaction is durable. */
  write<N extends CommandName>(name: N, args: CommandArgs<N>): Promise<CommandResult<N>>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
