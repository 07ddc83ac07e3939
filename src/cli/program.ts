/**
 * The command `tiled`: its groups of verbs, one file each, and the exit code of an error. A verb's modules are loaded when it
 * runs, so that `--version` and `--help` answer at once.
 *
 * Exit codes: 0 done, 1 refused (configuration, database, unknown principal, …), 2 wrong usage, 3 the server cannot start,
 * 4 a login is needed and no person can be asked, 130 Ctrl-C.
 */
import { Command, CommanderError, Option } from "commander";
import { Failure, OperatorError } from "../errors.ts";
import { VERSION } from "../lib/version.ts";
import { adminVerbs } from "./admin/admin.ts";
import { accountVerbs } from "./client/account-verbs.ts";
import { Interrupted } from "./client/interrupts.ts";
import { keyVerbs, remoteAdminVerbs } from "./client/key-verbs.ts";
import { profileVerbs } from "./client/profile-verbs.ts";
import { treeVerb } from "./client/tree-verbs.ts";
import { completionVerbs } from "./completion/completion.ts";
import { configVerbs } from "./config/config.ts";
import { commandName, inOwnName } from "./console/command-name.ts";
import { printError, usageProblem } from "./console/errors.ts";
import { describe, helpForm } from "./console/help.ts";
import { acceptBothSpellings } from "./console/spellings.ts";
import { COLOUR_CHOICES, colourChoice, withColours } from "./console/style.ts";
import type { Terminal } from "./console/terminal.ts";
import { initVerb } from "./init/init.ts";
import { healthVerb } from "./serve/healthcheck.ts";
import { serveVerbs } from "./serve/serve.ts";

/** Runs a command line, without the program's name. Returns the exit code. */
export async function main(argv: readonly string[], outside: Terminal): Promise<number> {
  const terminal = withColours(outside, colourChoice(argv));
  try {
    await program(terminal).parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    return await failed(error, terminal);
  }
}

export function program(terminal: Terminal): Command {
  const print = (text: string) => terminal.out(inOwnName(text.trimEnd(), terminal));
  const tiled = new Command(commandName(terminal))
    .description("Authentication server and client for Tiled and other data services.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "show this help")
    .addOption(
      new Option(
        "--color <when>",
        "colour the output; before or after the command (default: auto, on a terminal)",
      ).choices(COLOUR_CHOICES),
    )
    .helpCommand(false)
    .exitOverride()
    .configureHelp(helpForm(terminal))
    .configureOutput({
      writeOut: print,
      // Help after wrong usage. Errors go through `outputError`.
      writeErr: print,
      outputError: (text) => {
        const { message, hint } = usageProblem(text.trimEnd());
        printError(terminal, message, hint);
      },
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
      getOutHasColors: () => terminal.outView.colours,
      getErrHasColors: () => terminal.outView.colours,
    });
  describe(tiled, {
    examples: ["tiled login https://tiled.example.org", "tiled serve demo"],
    exitCodes: ["3 the server cannot start", "4 a login is needed, and there is no terminal to ask on"],
  });

  tiled.commandsGroup("Use a server:");
  accountVerbs(tiled, terminal);
  treeVerb(tiled, terminal);
  keyVerbs(tiled, terminal);
  profileVerbs(tiled, terminal);

  tiled.commandsGroup("Run a server:");
  initVerb(tiled, terminal);
  serveVerbs(tiled, terminal);
  configVerbs(tiled, terminal);
  healthVerb(tiled, terminal);
  remoteAdminVerbs(adminVerbs(tiled, terminal), terminal);

  tiled.commandsGroup("Shells:");
  completionVerbs(tiled, terminal);

  acceptBothSpellings(tiled);
  return tiled;
}

async function failed(thrown: unknown, terminal: Terminal): Promise<number> {
  // Help on request and the version succeed; help for lack of a command does not.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  if (thrown instanceof Interrupted) return thrown.exitCode;
  const error = (await import("./client/problems.ts")).asOperatorError(thrown);
  if (error instanceof OperatorError) {
    printError(terminal, error.message, error.hint);
    return error.exitCode;
  }
  if (error instanceof Failure) {
    printError(terminal, error.message);
    return 1;
  }
  return unexpected(error, terminal);
}

/** One line and how to report it. TILED_DEBUG=1 adds the stack. */
export function unexpected(error: unknown, terminal: Terminal): number {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const line = `unexpected error: ${text.replaceAll(/\s*\n\s*/g, " ")}`;
  if (terminal.env["TILED_DEBUG"] && error instanceof Error) {
    printError(terminal, line);
    terminal.err(error.stack ?? "");
  } else
    printError(
      terminal,
      line,
      "This is a defect of tiled-auth. Please report it with the output under TILED_DEBUG=1.",
    );
  return 1;
}
