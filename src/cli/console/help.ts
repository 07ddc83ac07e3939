/**
 * The form of a verb's `--help`: after its description and options two examples and the exit codes, which are the same for all
 * verbs unless a line says otherwise.
 */
import type { Argument, Command, HelpConfiguration } from "commander";
import { styleOf } from "./style.ts";
import type { Terminal } from "./terminal.ts";

interface Help {
  /** Two whole command lines, beginning with `tiled`. */
  readonly examples: readonly string[];
  /**
   * Lines that differ from the usual ones or are added to them, e.g. `"3 the server cannot start"`. A number alone: the verb
   * never ends with this code.
   */
  readonly exitCodes?: readonly string[];
}

const USUAL: readonly string[] = ["0 done", "1 refused, or failed", "2 wrong usage", "130 interrupted"];

/** Adds examples and exit codes to a verb's help, below texts of `addHelpText("after", …)`. */
export function describe(command: Command, { examples, exitCodes = [] }: Help): Command {
  return command.addHelpText("afterAll", (context) => {
    // A group's text is offered to its verbs, too.
    if (context.command !== command) return "";
    const { styleTitle } = command.createHelp();
    return [
      "",
      styleTitle("Examples:"),
      ...examples.map((example) => `  ${example}`),
      "",
      styleTitle("Exit codes:"),
      ...codes(exitCodes),
    ].join("\n");
  });
}

/** For all verbs: titles are bold on a terminal, and a verb's second spelling is not shown. */
export function helpForm(terminal: Terminal): HelpConfiguration {
  return {
    // commander's own 40 leaves descriptions unwrapped beside long options on a narrow terminal.
    minWidthToWrap: 20,
    styleTitle: (title) => styleOf(terminal.outView).bold(title),
    commandUsage: (verb) => `${pathOf(verb).join(" ")} ${verb.usage()}`,
    subcommandTerm: (verb) => [verb.name(), ...verb.registeredArguments.map(termOf)].join(" "),
  };
}

/** From the command's own name to the verb's. */
function pathOf(verb: Command): readonly string[] {
  return verb.parent === null ? [verb.name()] : [...pathOf(verb.parent), verb.name()];
}

function termOf(argument: Argument): string {
  const { required, variadic } = argument;
  const text = `${argument.name()}${variadic ? "..." : ""}`;
  return required ? `<${text}>` : `[${text}]`;
}

function codes(differing: readonly string[]): readonly string[] {
  const texts = new Map<number, string>();
  for (const line of [...USUAL, ...differing]) {
    const [, code = "", text = ""] = /^(\d+)\s*(.*)$/.exec(line) ?? [];
    texts.set(Number(code), text);
  }
  return [...texts]
    .filter(([, text]) => text !== "")
    .sort(([left], [right]) => left - right)
    .map(([code, text]) => `  ${String(code).padEnd(3)}  ${text}`);
}
