/**
 * Moves committed changes from the -wal file into the main file soon after the first one, in the writer's thread while it is
 * idle, so that the main file alone is never far behind. SQLite itself does this only after a thousand pages.
 */
import type { SqliteConnection } from "./connection.ts";

/** Delay after the first change that is not in the main file yet, in milliseconds. */
const SOON = 2000;

/** Schedules checkpoints of the writer's connection. */
export class Checkpoints {
  readonly #current: () => SqliteConnection | undefined;
  readonly #busy: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  /** `busy` tells whether commands are running, which a checkpoint must not delay. */
  constructor(current: () => SqliteConnection | undefined, busy: () => boolean) {
    this.#current = current;
    this.#busy = busy;
  }

  /** Call after a commit. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#busy()) this.changed();
      else this.#run("PASSIVE");
    }, SOON).unref();
  }

  /** Call before the connection is closed. SQLite does not checkpoint then if another process, such as `tiled admin audit --follow`, has the file open. */
  last(): void {
    clearTimeout(this.#timer);
    this.#run("TRUNCATE");
  }

  #run(mode: "PASSIVE" | "TRUNCATE"): void {
    const connection = this.#current();
    if (connection === undefined) return;
    try {
      // Does not wait for readers: pages they need stay in the -wal file until the next checkpoint.
      if (mode === "TRUNCATE") connection.raw.pragma("busy_timeout = 0");
      connection.raw.pragma(`wal_checkpoint(${mode})`);
    } catch {
      // The disk is full or the file is gone; the next command fails for the same reason and reports it.
    }
  }
}
