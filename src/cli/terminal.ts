/**
 * What a command sees of the world around it, as an argument: `command.ts` gives it the real one, tests another.
 */
import type { EventEmitter } from "node:events";

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What was run, to be run again in any folder: `npx tiled` works in its own only. */
  readonly command: readonly string[];
  /** Characters in a line, for help texts. */
  readonly columns: number;
  /** One line, or several, on stdout. */
  out(text: string): void;
  /** The same on stderr. */
  err(text: string): void;
  /** Lines of the log, each with its end; calls back once they are written. */
  log(lines: string, written: () => void): void;
  /** The same at the end of the process. */
  lastLog(lines: string): void;
  /** The process was started on a terminal that is there no more. */
  hungUp(): boolean;
  /** Where the log goes: whether a person looks at it there, and in colours. */
  readonly logView: { readonly terminal: boolean; readonly colours: boolean };
  /** The process's own: SIGINT, SIGTERM, `uncaughtExceptionMonitor`, `exit`. */
  readonly events: EventEmitter;
  /** Ends the process at once. */
  exit(code: number): void;
  /** A reader of stdout that went away ends a command unless it says this: a server goes on without. */
  keepRunning(): void;
}
