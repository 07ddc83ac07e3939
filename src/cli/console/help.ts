/**
 * The form of a verb's `--help`: after its description and options two examples and the exit codes, which are the same for all
 * verbs unless a line says otherwise.
 */
import type { Command } from "commander";

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

/** Adds examples and exit codes to a verb's help, below what `addHelpText("after", …)` added before. */
export function describe(command: Command, { examples, exitCodes = [] }: Help): Command {
  const lines = ["", "Examples:", ...examples.map((example) => `  ${example}`)];
  return command.addHelpText("after", [...lines, "", "Exit codes:", ...codes(exitCodes)].join("\n"));
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
