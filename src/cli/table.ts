/**
 * Columns of text, aligned, for people; programs take `--json`.
 */
import { printable } from "../lib/printable.ts";

/**
 * What is printed of a table that comes page by page: the heads with the first one. A later page is as wide as those before
 * it, or wider where it has to be.
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
