/**
 * Reads the file of `tiled admin import-cave` and refuses it with the places of its errors. `domain/cave/export-file.ts` knows
 * its form.
 */
import { readFile, stat } from "node:fs/promises";
import { type ExportProblem, readExport } from "../../domain/cave/export-file.ts";
import type { CaveExport } from "../../domain/model/cave-import.ts";
import { OperatorError } from "../../errors.ts";
import { unwritable } from "./cave-section.ts";

const MAX_BYTES = 100 * 1024 * 1024;
/** Lines of one kind; the rest is counted. */
const MAX_LINES = 20;

export async function readJson(path: string): Promise<unknown> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) throw new OperatorError(`There is no file ${path}.`);
  if (found.size > MAX_BYTES) {
    throw new OperatorError(
      `${path} has ${found.size} bytes, and at most ${MAX_BYTES} are read. Is it the export?`,
    );
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path)));
  } catch (error) {
    // The engine's own message quotes the file, which may hold a secret.
    const [, place] = /\((line \d+ column \d+)\)/.exec(String(error)) ?? [];
    throw new OperatorError(`${path} is not JSON${place === undefined ? "" : ` (${place})`}.`);
  }
}

/** Throws an `OperatorError` with the problems. */
export function checkedExport(json: unknown, caseSensitive: boolean, path: string): CaveExport {
  const reading = readExport(json, { caseSensitive });
  if (reading.kind === "invalid") throw new OperatorError(refusal(path, reading.problems));
  const replaced = unwritable(reading.file);
  if (replaced.length > 0) {
    const message = "has a '$' before a name, which the configuration would replace by a variable";
    throw new OperatorError(
      refusal(
        path,
        replaced.map((place) => ({ place, message })),
      ),
    );
  }
  return reading.file;
}

function refusal(path: string, problems: readonly ExportProblem[]): string {
  const lines = problems.map(({ place, message }) => `${place || "the file"}: ${message}`);
  return `${path} cannot be imported, and nothing was changed.\n${limited(lines)}`;
}

/** Indented lines, at most twenty. */
export function limited(lines: readonly string[]): string {
  const more = lines.length - MAX_LINES;
  return [...lines.slice(0, MAX_LINES), ...(more > 0 ? [`and ${more} more`] : [])]
    .map((line) => `  ${line}`)
    .join("\n");
}
