/**
 * Aligned columns of text, for people. Programs use `--json`.
 */
import { printable } from "../../lib/printable.ts";

/**
 * Prints a table page by page, with the heads above the first page. A later page has the widths of those before, or wider
 * columns if it needs them.
 */
export function table(heads: readonly string[]): (rows: readonly (readonly string[])[]) => string {
  const widths = heads.map(displayWidth);
  let started = false;
  return (rows) => {
    const lines = (started ? rows : [heads, ...rows]).map((row) => row.map(printable));
    started = true;
    for (const line of lines) {
      for (const [column, cell] of line.entries())
        widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    }
    return lines
      .map((line) =>
        line
          .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell)))
          .join("  ")
          .trimEnd(),
      )
      .join("\n");
  };
}

/** Columns that the text takes on a terminal: two for characters of East Asia and emoji, none for accents that combine. */
export function displayWidth(text: string): number {
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : COMBINING.test(character) ? 0 : 1;
  return columns;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
const COMBINING = /[\p{Mn}\p{Me}]/u;
