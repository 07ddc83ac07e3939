/**
 * Tells when a file has changed: by the system's notices, and by looking every second, since some file systems give none. A
 * file that is replaced, or reached through a link that is turned, has changed as well.
 *
 * `fs.watchFile` looks too, but takes its first look some time after the call: a change between the reading of the file and
 * that look would be missed. It knows no notices either, which tell of a change within 50 ms.
 */
import { type BigIntStats, type FSWatcher, statSync, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";

export interface WatchOptions {
  /** Milliseconds between two looks. */
  readonly interval?: number;
  /** Milliseconds from a notice to the look, so that a writer has time to finish. */
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

  /** To be made before the file is read: what it is from now on counts as a change. */
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
      // The folder, since the file may be replaced by another one.
      this.#watcher = watch(dirname(this.#path), { persistent: false }, (_event, name) => {
        if (name !== null && name !== basename(this.#path)) return;
        clearTimeout(this.#soon);
        this.#soon = setTimeout(look, this.#options.settle).unref();
      });
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // No notices here: looking is enough.
    }
  }

  /** Whether it has changed since the last look; told to whom it concerns. */
  async look(): Promise<boolean> {
    const state = await stateOf(this.#path);
    // A look that was on its way at the end tells nobody any more.
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
