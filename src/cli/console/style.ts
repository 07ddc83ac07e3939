/**
 * Colours of what a command prints. A terminal's views say already whether colours are wanted (`NO_COLOR`, `FORCE_COLOR`,
 * `TERM`, `--color`), so a verb calls `styleOf(terminal.outView)` for stdout and `styleOf(terminal.errView)` for stderr.
 */
import { type Paints, paints } from "../../lib/paints.ts";
import type { View } from "./terminal.ts";

export const COLOUR_CHOICES = ["auto", "always", "never"] as const;
/** Values of `--color`. */
export type ColourChoice = (typeof COLOUR_CHOICES)[number];

export function styleOf(view: View, choice: ColourChoice = "auto"): Paints {
  return paints(viewOf(view, choice).colours);
}

/** The view under `--color`. */
export function viewOf(view: View, choice: ColourChoice): View {
  return choice === "auto" ? view : { ...view, colours: choice === "always" };
}
