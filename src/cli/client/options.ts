/**
 * Options that the verbs of users share: which server, and results as JSON.
 */
import { type Command, Option } from "commander";

export interface ServerOptions {
  readonly profile?: string;
  readonly url?: string;
}

export interface JsonOption {
  readonly json?: boolean;
}

/** Adds `--profile` and `--url`, which exclude each other. */
export function onServer(command: Command): Command {
  return command
    .addOption(
      new Option("--profile <name>", "use the server of this profile (default: the default profile)"),
    )
    .addOption(new Option("--url <url>", "use the server at this address").conflicts("profile"));
}

export function withJson(command: Command): Command {
  return command.option("--json", "print the result as JSON");
}
