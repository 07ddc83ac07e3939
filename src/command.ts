/**
 * The command `tiled` in its process: streams, signals, and the only place that exits. The verbs are in `cli/`; `bin.ts` loads
 * this file if Node.js is new enough.
 */
import { closeSync, constants, openSync } from "node:fs";
import { isatty, type WriteStream } from "node:tty";
import { ownCommand } from "./cli/console/own-command.ts";
import type { Terminal } from "./cli/console/terminal.ts";
import { main, unexpected } from "./cli/program.ts";
import { logWriter } from "./cli/serve/log-writer.ts";

let readerNeeded = true;

const onTerminal = [0, 1, 2].some((fd) => isatty(fd));

const terminal: Terminal = {
  env: process.env,
  command: ownCommand(process.argv),
  // 0 in terminals that do not know their size. Questions and codes are on stderr.
  columns: process.stdout.columns || process.stderr.columns || 100,
  // Opened only by a command that asks.
  get input() {
    return process.stdin;
  },
  notes: process.stderr,
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  ...logWriter(process.stderr),
  hungUp: () => onTerminal && !hasTerminal(),
  outView: { terminal: process.stdout.isTTY === true, colours: coloured(process.stdout) },
  errView: { terminal: process.stderr.isTTY === true, colours: coloured(process.stderr) },
  events: process,
  exit: (code) => process.exit(code),
  keepRunning: () => {
    readerNeeded = false;
  },
};

// The reader of a pipe may close it, as in `tiled admin audit | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (readerNeeded) process.exit(error.code === "EPIPE" ? 0 : 1);
});
process.stderr.on("error", () => undefined);

// Never continue in an unknown state. Unhandled rejections arrive here too.
process.on("uncaughtException", (error) => process.exit(unexpected(error, terminal)));

const code = await main(process.argv.slice(2), terminal);
// Flush the output before exiting.
process.stdout.write("", () => process.exit(code));

/** Node.js honours NO_COLOR, FORCE_COLOR and TERM, but not FORCE_COLOR for a pipe. */
function coloured(stream: WriteStream): boolean {
  if (stream.isTTY) return stream.hasColors();
  const forced = process.env["FORCE_COLOR"];
  return forced !== undefined && forced !== "0" && forced !== "false";
}

/** A closed terminal can no longer be opened. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDWR | constants.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}
