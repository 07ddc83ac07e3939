/**
 * Detects changes of a file: by notices of the operating system, and by polling each second, since some file systems send no
 * notices. Replacing the file, or a symbolic link on its path, counts as a change.
 *
 * `fs.watchFile` polls, too, but first looks some time after the call, so it misses a change just after the file was read.
 * It does not use notices, which report a change within 50 ms.
 */
import { type BigIntStats, type FSWatcher, statSync, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";

export interface WatchOptions {
  /** Milliseconds between two polls. */
  readonly interval?: number;
  /** Milliseconds from a notice to the check, so that a writer can finish. */
  readonly settle?: number;
}

export class WatchedFile {
  readonly #path: string;
  readonly #changed: () => void;
  readonly #options: Required<WatchOptions>;
  #state: string;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | undefined;
  #ended = false;

  /** Create it before reading the file: later changes count. */
  constructor(path: string, changed: () => void, { interval = 1000, settle = 50 }: WatchOptions = {}) {
    this.#path = path;
    this.#state = stateNow(path);
    this.#changed = changed;
    this.#options = { interval, settle };
  }

  start(): void {
    const look = () => void this.look();
    this.#timer = setInterval(look, this.#options.interval).unref();
    try {
      // Watches the folder, since the file may be replaced.
      this.#watcher = watch(dirname(this.#path), { persistent: false }, (_event, name) => {
        if (name !== null && name !== basename(this.#path)) return;
        clearTimeout(this.#soon);
        this.#soon = setTimeout(look, this.#options.settle).unref();
      });
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // Without notices, polling is enough.
    }
  }

  /** Whether the file changed since the last check; calls `changed` if so. */
  async look(): Promise<boolean> {
    const state = await stateOf(this.#path);
    // A check under way when `stop` is called reports nothing.
    if (this.#ended || state === this.#state) return false;
    this.#state = state;
    this.#changed();
    return true;
  }

  stop(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#watcher?.close();
  }
}

async function stateOf(path: string): Promise<string> {
  try {
    return mark(await stat(path, { bigint: true }));
  } catch (error) {
    return absence(error);
  }
}

function stateNow(path: string): string {
  try {
    return mark(statSync(path, { bigint: true }));
  } catch (error) {
    return absence(error);
  }
}

function mark({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

function absence(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}
