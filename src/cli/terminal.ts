/**
 * What a command sees of the world around it, as an argument: `bin.ts` gives it the real one, tests another.
 */
import type { EventEmitter } from "node:events";

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Characters in a line, for help texts. */
  readonly columns: number;
  /** One line, or several, on stdout. */
  out(text: string): void;
  /** The same on stderr. */
  err(text: string): void;
  /** Lines of the log: JSON, each with its end. */
  log(lines: string): void;
  /** The process's own: SIGINT, SIGTERM, `uncaughtExceptionMonitor`, `exit`. */
  readonly events: EventEmitter;
  /** Ends the process at once. */
  exit(code: number): void;
  /** A reader of stdout that went away ends a command unless it says this: a server goes on without. */
  keepRunning(): void;
}

const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu;

/**
 * Text that others chose (a user name from a failed login), safe to show: without control characters, which move the
 * cursor or change the window's title, and without invisible ones, which turn the reading direction.
 */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
