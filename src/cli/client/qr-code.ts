/**
 * A QR code for a phone's camera, in half blocks: black on white where the terminal has colours, else for its background.
 */
import { encode } from "uqr";
import type { Terminal } from "../console/terminal.ts";

/** Narrower terminals get none. */
const MINIMUM_COLUMNS = 60;
/** Modules of white around it. The standard's four take much room; cameras read it with two. */
const BORDER = 2;
const INDENT = "  ";
/** Bytes that fit the largest code. */
const LONGEST = 2953;

/** Null where it cannot be shown. */
export function qrCode(text: string, { errView, env, columns }: Terminal): string | null {
  if (!errView.terminal || columns < MINIMUM_COLUMNS || env["TERM"] === "dumb") return null;
  if (text.length > LONGEST) return null;
  const { data, size } = encode(text, { ecc: "L", border: BORDER });
  if (size + INDENT.length > columns) return null;
  // Without colours a block has the colour of the text: light on a dark background.
  const filled = errView.colours || hasLightBackground(env["COLORFGBG"]);
  const isInk = (row: number, column: number) => (data[row]?.[column] ?? false) === filled;
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    let line = "";
    for (let column = 0; column < size; column++)
      line += block(isInk(row, column), row + 1 < size ? isInk(row + 1, column) : !filled);
    lines.push(INDENT + (errView.colours ? `\u001b[38;5;16;48;5;231m${line}\u001b[39;49m` : line));
  }
  return lines.join("\n");
}

function block(upper: boolean, lower: boolean): string {
  if (upper) return lower ? "█" : "▀";
  return lower ? "▄" : " ";
}

/** `COLORFGBG` of rxvt, Konsole and others: text;background, 7 and 15 are white. */
function hasLightBackground(value: string | undefined): boolean {
  return /;(7|15)$/.test(value ?? "");
}
