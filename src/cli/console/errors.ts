/**
 * The form of a command's errors on stderr: `error: …`, and `hint: …` for what to do. commander's messages about wrong usage
 * get the same form.
 */
import { printable } from "../../lib/printable.ts";
import { inOwnName } from "./command-name.ts";
import { styleOf } from "./style.ts";
import type { Terminal } from "./terminal.ts";

/** Lines after the first are kept as they are, e.g. one problem of a configuration each. */
export function printError(
  terminal: Pick<Terminal, "err" | "errView" | "command">,
  message: string,
  hint: string | null = null,
): void {
  const { red, cyan } = styleOf(terminal.errView);
  const named = (text: string) => inOwnName(text, terminal).split("\n").map(printable).join("\n");
  terminal.err(`${red("error:")} ${named(message)}`);
  if (hint !== null) terminal.err(`${cyan("hint:")} ${named(hint)}`);
}

const SUGGESTION = /\n\(Did you mean (?:one of )?(.*)\?\)$/;

/** `text`: as commander has it, with its `error: ` and with suggestions on a line of their own. */
export function usageProblem(text: string): { readonly message: string; readonly hint: string } {
  const [suggestion, names = ""] = SUGGESTION.exec(text) ?? [];
  const message = text.slice(0, suggestion === undefined ? undefined : -suggestion.length);
  // A verb has a second spelling, see `spellings.ts`.
  const distinct = new Map(names.split(", ").map((name) => [name.replaceAll("_", "-"), name]));
  const meant = suggestion === undefined ? "" : `Did you mean ${[...distinct.values()].join(" or ")}? `;
  return {
    message: message.replace(/^error: /, ""),
    hint: `${meant}Add --help for the allowed options.`,
  };
}
