/**
 * Handles a SQLite file that vanishes, comes back or is replaced while the server runs: the reader and the writer get their
 * connection here, and a new one if the old one broke or the path names another file.
 */
import { statSync } from "node:fs";
import { Failure } from "../../errors.ts";
import { memoryLimit } from "../../lib/memory-limit.ts";
import { asFailure, messageOf, unavailable } from "../base/errors.ts";
import { SqliteConnection } from "./connection.ts";
import { inspectFile, requireServable } from "./inspect.ts";

/**
 * How long to wait for another process, in milliseconds. The reader blocks the main thread, but has to wait only while the file
 * is being recovered or rebuilt.
 */
const BUSY_TIMEOUT = { reader: 500, writer: 5000 };

/**
 * Upper limit in KiB: enough for the upper levels of all indexes at millions of rows, but for each of two connections at most a
 * thirty-second of the memory that a container has. A small database uses little of it.
 */
const CACHE_KIB = Math.min(32_768, Math.floor(memoryLimit() / 32 / 1024));

/** The connection of one reader or writer to a file. */
export class SqliteFile {
  readonly #path: string;
  readonly #role: "reader" | "writer";
  readonly #busyTimeout: number;
  #current: { readonly connection: SqliteConnection; readonly inode: bigint } | undefined;
  #opened = 0;

  /** `busyTimeout` in milliseconds, from the database's URI. */
  constructor(path: string, role: "reader" | "writer", busyTimeout: number = BUSY_TIMEOUT[role]) {
    this.#path = path;
    this.#role = role;
    this.#busyTimeout = busyTimeout;
  }

  /** The open connection, without checking the file. */
  get current(): SqliteConnection | undefined {
    return this.#current?.connection;
  }

  /** Number of connections that were opened. */
  get opened(): number {
    return this.#opened;
  }

  /** The connection, reopened if the path names another file now. Throws `store_unavailable` if it cannot be opened. */
  obtain(): SqliteConnection {
    const inode = this.#inode();
    if (this.#current !== undefined && this.#current.inode !== inode) this.discard();
    this.#current ??= { connection: this.#open(), inode };
    return this.#current.connection;
  }

  /** Closes the connection; the next `obtain` opens a new one. */
  discard(): void {
    const connection = this.#current?.connection;
    this.#current = undefined;
    try {
      connection?.close();
    } catch {
      // A broken connection may fail to close; it is not used again.
    }
  }

  #inode(): bigint {
    try {
      return statSync(this.#path, { bigint: true }).ino;
    } catch (error) {
      throw unavailable(`The database file cannot be found: ${messageOf(error)}`, error);
    }
  }

  #open(): SqliteConnection {
    let connection: SqliteConnection | undefined;
    try {
      requireServable(inspectFile(this.#path));
      connection = new SqliteConnection(this.#path, { busyTimeout: this.#busyTimeout });
      connection.raw.pragma("journal_mode = WAL");
      connection.raw.pragma("synchronous = FULL");
      // Otherwise each statement that writes several rows would create a journal file of its own.
      connection.raw.pragma("temp_store = MEMORY");
      connection.raw.pragma(`cache_size = -${CACHE_KIB}`);
      if (this.#role === "reader") connection.raw.pragma("query_only = ON");
      this.#opened += 1;
      return connection;
    } catch (error) {
      connection?.close();
      if (error instanceof Failure) throw error;
      throw asFailure(error) ?? unavailable(`The database file cannot be opened: ${messageOf(error)}`, error);
    }
  }
}
