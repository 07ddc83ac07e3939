/**
 * Gathers the log's lines and writes them once a turn of the event loop: under load one write for many requests. A
 * reader who does not keep up holds nothing up: what is more than so many characters is dropped, and how much is told.
 */
import { printableJson } from "../lib/printable.ts";

export interface LogBufferOptions {
  /** From JSON lines to what is written. No line can command the terminal that shows it. */
  readonly render?: (lines: string) => string;
  /** Told once there is room again. */
  readonly onDropped?: (lines: number) => void;
  /** Characters that wait. */
  readonly most?: number;
}

/** Calls back once all is written, or cannot be. */
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

  /** Resolves once all is written, or the reader has had so many milliseconds. */
  async end(patience: number): Promise<void> {
    this.flush();
    if (!this.#writing) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, patience);
    });
    clearTimeout(timer);
  }

  /** What is left at the end of the process, when no further turn comes; nothing where the reader seems to have stopped. */
  takeLast(): string {
    return this.#writing && performance.now() - this.#since > STOPPED_MS ? "" : this.#take();
  }

  #take(): string {
    const lines = this.#lines;
    this.#lines = "";
    return this.#options.render(lines);
  }
}
