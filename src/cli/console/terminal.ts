/**
 * The environment of a command, as an argument: `command.ts` has the real one, tests have their own.
 */
import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";

/** What an output stream shows. */
export interface View {
  readonly terminal: boolean;
  readonly colours: boolean;
}

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The command that was run, in a form that works in any folder (`own-command.ts`). */
  readonly command: readonly string[];
  /** Characters per line, for help texts. */
  readonly columns: number;
  /** Answers to questions. A person can be asked if it is a terminal. */
  readonly input: Readable & { readonly isTTY?: boolean };
  /** For questions, codes and progress, which are not the command's result: stderr. */
  readonly notes: Writable;
  /** Prints one or more lines on stdout. */
  out(text: string): void;
  /** The same on stderr. */
  err(text: string): void;
  /** Lines of the log, each with its end; calls back once they are written. */
  log(lines: string, written: () => void): void;
  /** The same at the end of the process. */
  lastLog(lines: string): void;
  /** Whether the terminal of the process was closed. */
  hungUp(): boolean;
  readonly outView: View;
  readonly errView: View;
  /** The process's own: SIGINT, SIGTERM, `uncaughtExceptionMonitor`, `exit`. */
  readonly events: EventEmitter;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Called by a server, which goes on when the reader of stdout goes away. Other commands end. */
  keepRunning(): void;
}

/** Whether a person can be asked. `TILED_FORCE_PROMPT=1` reads the answers as lines of a pipe. */
export function canAsk({ input, env }: Pick<Terminal, "input" | "env">): boolean {
  return input.isTTY === true || Boolean(Number(env["TILED_FORCE_PROMPT"] ?? 0));
}
