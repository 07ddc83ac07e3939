/**
 * Aligned columns of text, for people. Programs use `--json`.
 */
import { printable } from "../../lib/printable.ts";

/**
 * Prints a table page by page, with the heads above the first page. A later page has the widths of those before, or wider
 * columns if it needs them.
 */
export function table(heads: readonly string[]): (rows: readonly (readonly string[])[]) => string {
  const widths = heads.map(width);
  let started = false;
  return (rows) => {
    const lines = (started ? rows : [heads, ...rows]).map((row) => row.map(printable));
    started = true;
    for (const line of lines) {
      for (const [column, cell] of line.entries())
        widths[column] = Math.max(widths[column] ?? 0, width(cell));
    }
    return lines
      .map((line) =>
        line
          .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
          .join("  ")
          .trimEnd(),
      )
      .join("\n");
  };
}

function width(text: string): number {
  return [...text].length;
}
