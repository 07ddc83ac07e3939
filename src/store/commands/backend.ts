/**
 * Interface of a dialect: reads on a connection, and writes as named commands in a transaction. `sqlite/sqlite.ts` runs the
 * commands in a worker thread, `postgres/postgres.ts` on a connection of its pool; the commands are the same.
 */

import type { Changes } from "../../domain/ports/changes.ts";
import type { Db, Dialect } from "../base/statement.ts";
import type { CommandArgs, CommandName, CommandResult } from "./commands.ts";

/** One database behind the store. */
export interface Backend {
  readonly dialect: Dialect;
  readonly durable: boolean;
  readonly news: Changes;
  read<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** Runs a command; resolves once its transaction is durable. Rejects with a `Failure` if the database is full, busy or unavailable. */
  write<N extends CommandName>(name: N, args: CommandArgs<N>): Promise<CommandResult<N>>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
