/**
 * Reads a configuration from a file, or from a folder whose `*.yml` and `*.yaml` are merged: the lists that several files
 * may add to are joined, and any other key in two files is an error.
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { emptyMapping, type LocatedEntry, type LocatedMapping, quoted } from "./located.ts";
import type { Problems } from "./problems.ts";
import type { Shape } from "./words.ts";
import { parseYaml } from "./yaml.ts";

const LARGEST = 1024 * 1024;
/** Lists that several files of a folder may add to. */
export const JOINED: ReadonlySet<string> = new Set(["allow_origins", "specs", "trees"]);

export interface Source {
  readonly root: LocatedMapping;
  /** Whether `path` is a folder. */
  readonly folder: boolean;
}

interface ReadOptions {
  /** Whether a pipe is read. It has to be waited for, and holds nothing a second time. */
  readonly pipes: boolean;
}

/** Undefined, with problems added, if nothing can be read. `shape`: the file's schema. */
export function readSource(
  path: string,
  problems: Problems,
  shape: Shape,
  options: ReadOptions = { pipes: true },
): Source | undefined {
  const found = sourceFiles(path, problems, options);
  if (found === undefined) return undefined;
  const { files, folder } = found;
  if (!folder) {
    const root = readYamlFile(path, problems, shape);
    return root && { root, folder };
  }
  if (files.length === 0 && problems.all.length === 0)
    problems.add({ file: path, line: 0 }, [], "there is no *.yml or *.yaml in this folder");
  const roots = files.map((file) => readYamlFile(file, problems, shape)).filter((root) => root !== undefined);
  return roots.length === 0 ? undefined : { root: merge(roots, path, problems), folder };
}

/** The file itself, or those of the folder. */
export function sourceFiles(
  path: string,
  problems: Problems,
  options: ReadOptions = { pipes: true },
): { readonly files: readonly string[]; readonly folder: boolean } | undefined {
  const folder = isFolder(path, problems, options);
  if (folder === undefined) return undefined;
  if (!folder) return { files: [path], folder };
  const names = attempt(path, problems, () =>
    readdirSync(path)
      .filter((name) => /.\.ya?ml$/.test(name))
      .sort(),
  );
  if (names === undefined) return undefined;
  return {
    files: names
      .map((name) => join(path, name))
      .filter((file) => isFolder(file, problems, options) === false),
    folder,
  };
}

function isFolder(path: string, problems: Problems, { pipes }: ReadOptions): boolean | undefined {
  return attempt(path, problems, () => {
    const found = statSync(path);
    if (found.isDirectory()) return true;
    // A pipe, too: `<(…)` of a shell.
    if (found.isFile() || (pipes && found.isFIFO())) return false;
    const what = found.isFIFO()
      ? "this is a pipe, which is read at a start only"
      : "this is neither a file nor a folder";
    problems.add({ file: path, line: 0 }, [], what);
    return undefined;
  });
}

/** Undefined, with problems added, if the file is not a mapping in YAML. `shape`: the file's schema, if it has one. */
export function readYamlFile(path: string, problems: Problems, shape?: Shape): LocatedMapping | undefined {
  const text = readText(path, problems);
  return text === undefined ? undefined : parseYaml(text, path, problems, shape);
}

/** Undefined, with problems added, if the file is not text. */
export function readText(path: string, problems: Problems): string | undefined {
  const bytes = attempt(path, problems, () => {
    const read = readAtMost(path, LARGEST + 1);
    if (read.length <= LARGEST) return read;
    problems.add({ file: path, line: 0 }, [], `the file is larger than ${LARGEST} bytes`);
    return undefined;
  });
  if (bytes === undefined) return undefined;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const good = new TextDecoder().decode(bytes).split("\uFFFD", 1)[0] ?? "";
    problems.add(
      { file: path, line: good.split("\n").length },
      [],
      "the file is not UTF-8; save it as UTF-8",
    );
    return undefined;
  }
  if (text.includes("\0")) {
    problems.add(
      { file: path, line: (text.split("\0", 1)[0] ?? "").split("\n").length },
      [],
      "there is a NUL character in the file; save it as UTF-8",
    );
    return undefined;
  }
  return text;
}

/** A pipe may have no end and no size. */
function readAtMost(path: string, limit: number): Uint8Array {
  const file = openSync(path, "r");
  try {
    const buffer = new Uint8Array(limit);
    let length = 0;
    for (let got = -1; got !== 0; length += got) got = readSync(file, buffer, length, limit - length, null);
    return buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "there is no such file or folder",
  EACCES: "it cannot be read: permission denied",
  EPERM: "it cannot be read: permission denied",
  ELOOP: "it cannot be read: its symbolic links form a loop",
  ENAMETOOLONG: "the name is too long",
};

function attempt<Result>(path: string, problems: Problems, action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    problems.add({ file: path, line: 0 }, [], REASONS[code] ?? `it cannot be read (${code})`);
    return undefined;
  }
}

function merge(roots: readonly LocatedMapping[], path: string, problems: Problems): LocatedMapping {
  const entries = new Map<string, LocatedEntry>();
  for (const root of roots) {
    for (const [key, entry] of root.entries) {
      const old = entries.get(key);
      if (old === undefined) entries.set(key, entry);
      else if (JOINED.has(key) && old.value.kind === "list" && entry.value.kind === "list") {
        entries.set(key, {
          ...old,
          value: { ...old.value, items: [...old.value.items, ...entry.value.items] },
        });
      } else {
        const first = `${old.keySpot.file}:${old.keySpot.line}`;
        problems.add(
          entry.keySpot,
          [key],
          `the key ${quoted(key)} is in two files of the folder, first in ${first}`,
        );
      }
    }
  }
  return { ...emptyMapping({ file: path, line: 0 }), entries };
}
