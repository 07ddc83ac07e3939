/** The files that a configuration is read from, as a reload has to know them. The reload itself is in `start/cave-reload.ts`. */
import { createHash } from "node:crypto";
import { type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import { sourceFiles } from "../yaml/files.ts";
import { type Located, plain } from "../yaml/located.ts";
import { Problems } from "../yaml/problems.ts";

/** The file; or the folder, which changes when a file comes or goes, and its files. */
export function filesOf(path: string): readonly string[] {
  const found = sourceFiles(path, new Problems());
  return [path, ...(found?.files ?? [])].map((file) => resolve(file)).filter(isFirst);
}

function isFirst(file: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(file) === index;
}

export function isPipe(path: string): boolean {
  return statsOf(path)?.isFIFO() ?? false;
}

/** A folder, a pipe or a device. False if it is not there or cannot be looked at: reading it says why. */
export function isNoFile(path: string): boolean {
  return statsOf(path)?.isFile() === false;
}

export function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** By top-level key. */
export function digestsOf(root: Located): ReadonlyMap<string, string> {
  const entries = root.kind === "mapping" ? [...root.entries] : [];
  return new Map(
    entries.map(([key, { value }]) => [
      key,
      createHash("sha256")
        .update(JSON.stringify(plain(value)))
        .digest("hex"),
    ]),
  );
}
