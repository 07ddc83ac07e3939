/**
 * A SQLite file that may vanish, come back or be replaced while the server runs: each holder of a connection asks here
 * for it, and gets a new one where the old one broke or the path names another file now.
 */
import { statSync } from "node:fs";
import { Failure } from "../../errors.ts";
import { asFailure, messageOf, unavailable } from "../base/errors.ts";
import { SqliteConnection } from "./connection.ts";
import { inspectFile, requireServable } from "./inspect.ts";

/**
 * Milliseconds to wait for another process. The reader, which holds up the main thread, meets one only where the file is
 * being recovered or rebuilt.
 */
const BUSY_TIMEOUT = { reader: 500, writer: 5000 };

/** At most, in KiB: the upper levels of all indexes, with millions of rows in them. A small database needs little of it. */
const CACHE_KIB = 32_768;

export class SqliteFile {
  readonly #path: string;
  readonly #role: "reader" | "writer";
  readonly #busyTimeout: number;
  #current: { readonly connection: SqliteConnection; readonly inode: bigint } | undefined;

  /** `busyTimeout`: how long to wait for another process, in milliseconds, where the database's URI says so. */
  constructor(path: string, role: "reader" | "writer", busyTimeout: number = BUSY_TIMEOUT[role]) {
    this.#path = path;
    this.#role = role;
    this.#busyTimeout = busyTimeout;
  }

  /** The connection as it is, without a look at the file. */
  get current(): SqliteConnection | undefined {
    return this.#current?.connection;
  }

  obtain(): SqliteConnection {
    const inode = this.#inode();
    if (this.#current !== undefined && this.#current.inode !== inode) this.discard();
    this.#current ??= { connection: this.#open(), inode };
    return this.#current.connection;
  }

  discard(): void {
    const connection = this.#current?.connection;
    this.#current = undefined;
    try {
      connection?.close();
    } catch {
      // It is broken; nothing of it is used again.
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
      // A statement's own journal would be a file for each writing of a row among many.
      connection.raw.pragma("temp_store = MEMORY");
      connection.raw.pragma(`cache_size = -${CACHE_KIB}`);
      if (this.#role === "reader") connection.raw.pragma("query_only = ON");
      return connection;
    } catch (error) {
      connection?.close();
      if (error instanceof Failure) throw error;
      throw asFailure(error) ?? unavailable(`The database file cannot be opened: ${messageOf(error)}`, error);
    }
  }
}
