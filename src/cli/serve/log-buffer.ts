/**
 * Collects the log's lines and writes them once per turn of the event loop: under load one write for many requests. A slow
 * reader delays nothing: lines beyond a limit are dropped, and counted.
 */
import { printableJson } from "../../lib/printable.ts";

export interface LogBufferOptions {
  /** From JSON lines to the text that is written. Must not contain control characters of terminals. */
  readonly render?: (lines: string) => string;
  /** Called when there is room again. */
  readonly onDropped?: (lines: number) => void;
  /** Characters that may wait. */
  readonly most?: number;
}

/** Calls back when all is written, or cannot be. */
export type WriteLines = (lines: string, written: () => void) => void;

const MOST = 4_194_304;
const STOPPED_MS = 200;

export class LogBuffer {
  readonly #write: WriteLines;
  readonly #options: Required<LogBufferOptions>;
  #lines = "";
  #dropped = 0;
  #writing = false;
  #since = 0;
  #wake: (() => void) | undefined;

  constructor(write: WriteLines, options: LogBufferOptions = {}) {
    this.#write = write;
    this.#options = { render: printableJson, onDropped: () => undefined, most: MOST, ...options };
  }

  write(line: string): void {
    if (this.#lines.length + line.length > this.#options.most) {
      this.#dropped += 1;
      return;
    }
    if (this.#lines === "" && !this.#writing) setImmediate(() => this.flush());
    this.#lines += line;
  }

  flush(): void {
    if (this.#writing || this.#lines === "") return;
    this.#writing = true;
    this.#since = performance.now();
    this.#write(this.#take(), () => {
      this.#writing = false;
      const dropped = this.#dropped;
      this.#dropped = 0;
      if (dropped > 0) this.#options.onDropped(dropped);
      if (this.#lines === "") this.#wake?.();
      else this.flush();
    });
  }

  /** Resolves when all is written, or after the timeout in milliseconds. */
  async end(timeout: number): Promise<void> {
    this.flush();
    if (!this.#writing) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, timeout);
    });
    clearTimeout(timer);
  }

  /** The rest at the end of the process, after the last turn; nothing if the reader seems to have stopped. */
  takeLast(): string {
    return this.#writing && performance.now() - this.#since > STOPPED_MS ? "" : this.#take();
  }

  #take(): string {
    const lines = this.#lines;
    this.#lines = "";
    return this.#options.render(lines);
  }
}
