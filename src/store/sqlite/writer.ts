/**
 * The only writer of a SQLite database: runs waiting commands together and commits them at once, so that they share one fsync.
 * Runs in the writer's thread for a file and in the main thread for a database in memory.
 */

import { isUnusable, type PlainError, toPlain } from "../base/errors.ts";
import { type Compiler, Db } from "../base/statement.ts";
import type { Command, CommandName } from "../commands/commands.ts";
import { COMMANDS } from "../commands/commands.ts";
import type { SqliteConnection } from "./connection.ts";

/** A command sent to the writer. */
export interface WriteRequest {
  readonly id: number;
  readonly name: CommandName;
  readonly args: unknown;
}

/** Its result, or its error as a plain value. */
export type WriteAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: PlainError };

/** Supplies the connection. `obtain` throws if the database cannot be opened; `discard` closes a broken connection. */
export interface ConnectionSource {
  readonly current: SqliteConnection | undefined;
  obtain(): SqliteConnection;
  discard(): void;
}

/** Runs batches of commands. */
export class SqliteWriter {
  readonly #source: ConnectionSource;
  readonly #compiler: Compiler;

  constructor(source: ConnectionSource, compiler: Compiler) {
    this.#source = source;
    this.#compiler = compiler;
  }

  /** Runs a batch in one transaction. Resolves once it is durable or rolled back; errors are in the answers. */
  async run(batch: readonly WriteRequest[]): Promise<readonly WriteAnswer[]> {
    try {
      const connection = this.#source.obtain();
      const db = new Db(connection, this.#compiler);
      return (await this.#together(connection, db, batch)) ?? (await this.#apart(connection, db, batch));
    } catch (error) {
      this.#recover(error);
      const plain = toPlain(error);
      return batch.map(({ id }) => ({ id, ok: false, error: plain }));
    }
  }

  /** Runs the batch without savepoints, since commands rarely fail. If one does, rolls everything back and returns undefined. */
  async #together(
    connection: SqliteConnection,
    db: Db,
    batch: readonly WriteRequest[],
  ): Promise<readonly WriteAnswer[] | undefined> {
    connection.run("begin immediate");
    const answers: WriteAnswer[] = [];
    for (const { id, name, args } of batch) {
      try {
        answers.push({ id, ok: true, value: await commandOf(name)(db, args) });
      } catch (error) {
        if (isOver(connection, error)) throw error;
        connection.run("rollback");
        return undefined;
      }
    }
    connection.run("commit");
    return answers;
  }

  /** Runs each command in a savepoint, so that an error undoes that command only. */
  async #apart(
    connection: SqliteConnection,
    db: Db,
    batch: readonly WriteRequest[],
  ): Promise<readonly WriteAnswer[]> {
    connection.run("begin immediate");
    const answers: WriteAnswer[] = [];
    for (const { id, name, args } of batch) {
      connection.run("savepoint command");
      try {
        const value = await commandOf(name)(db, args);
        connection.run("release command");
        answers.push({ id, ok: true, value });
      } catch (error) {
        if (isOver(connection, error)) throw error;
        connection.run("rollback to command");
        connection.run("release command");
        answers.push({ id, ok: false, error: toPlain(error) });
      }
    }
    connection.run(answers.some(({ ok }) => ok) ? "commit" : "rollback");
    return answers;
  }

  #recover(error: unknown): void {
    try {
      const connection = this.#source.current;
      if (connection?.raw.inTransaction) connection.run("rollback");
      if (isUnusable(error)) this.#source.discard();
    } catch {
      this.#source.discard();
    }
  }
}

function commandOf(name: CommandName): Command<unknown, unknown> {
  return COMMANDS[name] as unknown as Command<unknown, unknown>;
}

/** Whether SQLite rolled back the whole transaction, or its connection cannot be relied on for the rest. */
function isOver(connection: SqliteConnection, error: unknown): boolean {
  return !connection.raw.inTransaction || isUnusable(error);
}
