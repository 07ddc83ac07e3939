/**
 * The command `tiled`: its groups of verbs, one file each, and the exit code of an error. A verb's modules are loaded when it
 * runs, so that `--version` and `--help` answer at once.
 *
 * Exit codes: 0 done, 1 refused (configuration, database, unknown principal, …), 2 wrong usage, 3 the server cannot start,
 * 4 a login is needed and no person can be asked, 130 Ctrl-C.
 */
import { Command, CommanderError } from "commander";
import { Failure, OperatorError } from "../errors.ts";
import { VERSION } from "../lib/version.ts";
import { adminVerbs } from "./admin/admin.ts";
import { accountVerbs } from "./client/account-verbs.ts";
import { Interrupted } from "./client/interrupts.ts";
import { profileVerbs } from "./client/profile-verbs.ts";
import { configVerbs } from "./config/config.ts";
import type { Terminal } from "./console/terminal.ts";
import { healthVerb } from "./serve/healthcheck.ts";
import { serveVerbs } from "./serve/serve.ts";

/** Runs a command line, without the program's name. Returns the exit code. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await program(terminal).parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    return await failed(error, terminal);
  }
}

export function program(terminal: Terminal): Command {
  const tiled = new Command("tiled")
    .description("Authentication server for Tiled and other data services.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      // Help after wrong usage. Errors go through `outputError`.
      writeErr: (text) => terminal.out(text.trimEnd()),
      outputError: (text) => terminal.err(`${text.trimEnd()}\nAdd --help for the allowed options.`),
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    });
  serveVerbs(tiled, terminal);
  configVerbs(tiled, terminal);
  adminVerbs(tiled, terminal);
  healthVerb(tiled, terminal);
  accountVerbs(tiled, terminal);
  profileVerbs(tiled, terminal);
  return tiled;
}

async function failed(thrown: unknown, terminal: Terminal): Promise<number> {
  // Help on request and the version succeed; help for lack of a command does not.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  if (thrown instanceof Interrupted) return thrown.exitCode;
  const error = (await import("./client/problems.ts")).asOperatorError(thrown);
  if (error instanceof OperatorError) {
    terminal.err(error.message);
    if (error.hint !== null) terminal.err(`hint: ${error.hint}`);
    return error.exitCode;
  }
  if (error instanceof Failure) {
    terminal.err(error.message);
    return 1;
  }
  return unexpected(error, terminal);
}

/** One line and how to report it. TILED_DEBUG=1 adds the stack. */
export function unexpected(error: unknown, terminal: Terminal): number {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  terminal.err(`tiled: unexpected error: ${text.replaceAll(/\s*\n\s*/g, " ")}`);
  if (terminal.env["TILED_DEBUG"] && error instanceof Error) terminal.err(error.stack ?? "");
  else terminal.err("This is a defect of tiled-auth. Please report it with the output under TILED_DEBUG=1.");
  return 1;
}
