/**
 * The only place that writes to a SQLite database: runs waiting commands together, each in its own savepoint, and
 * commits them as one, so that one fsync serves them all. Lives in the writer's thread for a file and in the main
 * thread for a database in memory.
 */
import type { Command, CommandName } from "./backend.ts";
import { COMMANDS } from "./commands.ts";
import { isUnusable, type PlainError, toPlain } from "./errors.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import { type Compiler, Db } from "./statement.ts";

export interface WriteRequest {
  readonly id: number;
  readonly name: CommandName;
  readonly args: unknown;
}

export type WriteAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: PlainError };

/** Where connections come from. `obtain` throws where the database cannot be had; `discard` closes one that broke. */
export interface ConnectionSource {
  readonly current: SqliteConnection | undefined;
  obtain(): SqliteConnection;
  discard(): void;
}

export class SqliteWriter {
  readonly #source: ConnectionSource;
  readonly #compiler: Compiler;

  constructor(source: ConnectionSource, compiler: Compiler) {
    this.#source = source;
    this.#compiler = compiler;
  }

  /** Resolves once the whole batch is durable, or nothing of it is. */
  async run(batch: readonly WriteRequest[]): Promise<readonly WriteAnswer[]> {
    try {
      const connection = this.#source.obtain();
      connection.run("begin immediate");
      const db = new Db(connection, this.#compiler);
      const answers: WriteAnswer[] = [];
      for (const request of batch) answers.push(await this.#one(connection, db, request));
      if (answers.some(({ ok }) => ok)) connection.run("commit");
      else connection.run("rollback");
      return answers;
    } catch (error) {
      this.#recover(error);
      const plain = toPlain(error);
      return batch.map(({ id }) => ({ id, ok: false, error: plain }));
    }
  }

  /** An error of one command undoes that command only, unless SQLite has given up the whole transaction. */
  async #one(connection: SqliteConnection, db: Db, { id, name, args }: WriteRequest): Promise<WriteAnswer> {
    const command = COMMANDS[name] as unknown as Command<unknown, unknown>;
    connection.run("savepoint command");
    try {
      const value = await command(db, args);
      connection.run("release command");
      return { id, ok: true, value };
    } catch (error) {
      if (!connection.raw.inTransaction || isUnusable(error)) throw error;
      connection.run("rollback to command");
      connection.run("release command");
      return { id, ok: false, error: toPlain(error) };
    }
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
