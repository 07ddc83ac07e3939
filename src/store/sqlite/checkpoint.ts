/**
 * What is committed to a SQLite file stands in its -wal file first. It is put into the main file soon after the first change, in
 * the writer's thread and while nothing waits for it, so that the file alone is never long behind. SQLite itself does it after a
 * thousand pages only.
 */
import type { SqliteConnection } from "./connection.ts";

/** Milliseconds after the first change that is not in the main file yet. */
const SOON = 2000;

export class Checkpoints {
  readonly #current: () => SqliteConnection | undefined;
  readonly #busy: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  /** `busy`: whether commands are under way, which are not to wait. */
  constructor(current: () => SqliteConnection | undefined, busy: () => boolean) {
    this.#current = current;
    this.#busy = busy;
  }

  /** Something was committed. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#busy()) this.changed();
      else this.#run("PASSIVE");
    }, SOON).unref();
  }

  /** Before the connection is closed: others may keep the file open, such as a command that follows the audit. */
  last(): void {
    clearTimeout(this.#timer);
    this.#run("TRUNCATE");
  }

  #run(mode: "PASSIVE" | "TRUNCATE"): void {
    const connection = this.#current();
    if (connection === undefined) return;
    try {
      // Readers are not waited for: pages that they need stay, and the next checkpoint takes them.
      if (mode === "TRUNCATE") connection.raw.pragma("busy_timeout = 0");
      connection.raw.pragma(`wal_checkpoint(${mode})`);
    } catch {
      // The disk is full, or the file has gone: the next command meets the same and tells.
    }
  }
}
