/**
 * Colours of what a command prints. A terminal's views say already whether colours are wanted (`NO_COLOR`, `FORCE_COLOR`,
 * `TERM`, `--color`), so a verb calls `styleOf(terminal.outView)` for stdout and `styleOf(terminal.errView)` for stderr.
 */
import { type Paints, paints } from "../../lib/paints.ts";
import type { Terminal, View } from "./terminal.ts";

export const COLOUR_CHOICES = ["auto", "always", "never"] as const;
/** Values of `--color`. */
type ColourChoice = (typeof COLOUR_CHOICES)[number];

export function styleOf(view: View, choice: ColourChoice = "auto"): Paints {
  return paints(viewOf(view, choice).colours);
}

/** The view under `--color`. */
function viewOf(view: View, choice: ColourChoice): View {
  return choice === "auto" ? view : { ...view, colours: choice === "always" };
}

/** `--color` of a command line, before and after the verb. The last one counts, and only commander refuses other values. */
export function colourChoice(argv: readonly string[]): ColourChoice {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  let choice: ColourChoice = "auto";
  for (const [index, word] of words.entries()) {
    const value = word === "--color" ? words[index + 1] : /^--color=(.*)$/.exec(word)?.[1];
    choice = COLOUR_CHOICES.find((known) => known === value) ?? choice;
  }
  return choice;
}

/** The same terminal with the choice's views. */
export function withColours(terminal: Terminal, choice: ColourChoice): Terminal {
  const views = { outView: viewOf(terminal.outView, choice), errView: viewOf(terminal.errView, choice) };
  return new Proxy(terminal, {
    get: (target, key) => {
      if (key === "outView" || key === "errView") return views[key];
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
