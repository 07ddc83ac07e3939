/**
 * Gathers the log's lines and writes them once a turn of the event loop: under load one write for many requests, and no
 * line waits for another. Whoever wrote a line, nothing in it can command the terminal that shows it.
 */
import { printableJson } from "../lib/printable.ts";

export class LogBuffer {
  readonly #write: (lines: string) => void;
  #lines = "";

  constructor(write: (lines: string) => void) {
    this.#write = write;
  }

  write(line: string): void {
    if (this.#lines === "") setImmediate(() => this.flush());
    this.#lines += line;
  }

  /** Also for the end of the process, when no further turn comes. */
  flush(): void {
    if (this.#lines === "") return;
    const lines = this.#lines;
    this.#lines = "";
    this.#write(printableJson(lines));
  }
}
