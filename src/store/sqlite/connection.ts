/**
 * One SQLite connection behind kysely's interfaces. Prepared statements are cached by their text, and values are converted by the
 * declared types of the columns. Transactions begin IMMEDIATE, so a writer that has to wait for another process waits at the
 * beginning, never in the middle.
 */
import Database from "better-sqlite3";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { fromSqlite, toSqlite } from "../base/codec.ts";

interface Prepared {
  readonly statement: Database.Statement<unknown[], Record<string, unknown>>;
  readonly decoders: readonly (readonly [string, (value: unknown) => unknown])[];
}

/** Options of a connection. */
export interface SqliteOptions {
  /** Opens an existing file without write access. */
  readonly readonly?: boolean;
  readonly busyTimeout?: number;
}

/** Enough for every statement of the store. Without a limit, queries with lists of different lengths would fill the memory. */
const KEPT_STATEMENTS = 300;

/** One open SQLite database. */
export class SqliteConnection implements DatabaseConnection {
  readonly raw: Database.Database;
  readonly #prepared = new Map<string, Prepared>();

  constructor(path: string, options: SqliteOptions = {}) {
    this.raw = new Database(path, {
      readonly: options.readonly ?? false,
      fileMustExist: path !== ":memory:",
      timeout: options.busyTimeout ?? 5000,
    });
    this.raw.pragma("foreign_keys = ON");
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, decoders } = this.#prepare(query.sql);
    const values = query.parameters.map(toSqlite);
    if (!statement.reader) {
      return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
    }
    const rows = statement.all(...values);
    for (const row of rows) {
      for (const [name, decode] of decoders) row[name] = decode(row[name]);
    }
    return { rows: rows as R[] };
  }

  /** Runs a statement without parameters and rows, such as `begin`. */
  run(sql: string): void {
    this.#prepare(sql).statement.run();
  }

  /** Required by kysely's interface; nothing in the store streams. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Streaming is not used with SQLite.");
  }

  close(): void {
    this.#prepared.clear();
    this.raw.close();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.raw.prepare<unknown[], Record<string, unknown>>(sql);
    const decoders: [string, (value: unknown) => unknown][] = [];
    for (const { name, type } of statement.reader ? statement.columns() : []) {
      const decode = fromSqlite(type);
      if (decode !== undefined) decoders.push([name, decode]);
    }
    const [oldest] = this.#prepared.size < KEPT_STATEMENTS ? [] : this.#prepared.keys();
    if (oldest !== undefined) this.#prepared.delete(oldest);
    const prepared = { statement, decoders };
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

/** kysely's view of a connection that its caller opens and closes: for migrations and the schema. */
export function sqliteDialect(connection: SqliteConnection): Dialect {
  const run = async (statement: string) => {
    connection.run(statement);
  };
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => connection,
    beginTransaction: () => run("begin immediate"),
    commitTransaction: () => run("commit"),
    rollbackTransaction: () => run("rollback"),
    releaseConnection: async () => {},
    destroy: async () => {},
  };
  return {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Tells kysely that SQLite rolls back schema changes with their transaction, which its own adapter does not assume. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
