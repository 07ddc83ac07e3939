/**
 * A configuration from a text: `load` for what it says, `wrong` for what is wrong with it, as `line path: message`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Overrides } from "../../src/config/context.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/model.ts";
import { ConfigError, type ConfigProblem } from "../../src/yaml/problems.ts";

export const TREES = 'trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]\n';

type Environment = Readonly<Record<string, string | undefined>>;

type Files = string | Uint8Array | Readonly<Record<string, string | Uint8Array>>;

/** A file `config.yml`, or with names a folder of files; `remove` it afterwards. */
export function makeFiles(files: Files): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "tiled-config-"));
  const remove = () => rmSync(folder, { recursive: true });
  if (typeof files === "string" || files instanceof Uint8Array) {
    const path = join(folder, "config.yml");
    writeFileSync(path, files);
    return { path, remove };
  }
  const path = join(folder, "config.d");
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return { path, remove };
}

/** Files for as long as `use` runs. */
export function withFiles<Result>(files: Files, use: (path: string) => Result): Result {
  const { path, remove } = makeFiles(files);
  try {
    return use(path);
  } finally {
    remove();
  }
}

let scratch: string | undefined;

/** One file, until the next is written: making and deleting a folder for each costs more than most of these tests. */
export function scratchFile(text: string | Uint8Array): string {
  if (scratch === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "tiled-config-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    scratch = join(folder, "config.yml");
  }
  writeFileSync(scratch, text);
  return scratch;
}

export function load(files: Files, env: Environment = {}, overrides: Overrides = {}): Config {
  if (typeof files === "string" || files instanceof Uint8Array)
    return loadConfig(scratchFile(files), env, overrides);
  return withFiles(files, (path) => loadConfig(path, env, overrides));
}

export function problems(
  files: Files,
  env: Environment = {},
  overrides: Overrides = {},
): readonly ConfigProblem[] {
  try {
    load(files, env, overrides);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** e.g. `3 server.port: 'x' is not allowed here. …`; without a line for what is in no file. */
export function wrong(...args: Parameters<typeof problems>): readonly string[] {
  return problems(...args).map(({ line, path, message }) => {
    const place = [line > 0 ? String(line) : "", path].filter((part) => part !== "").join(" ");
    return place === "" ? message : `${place}: ${message}`;
  });
}
