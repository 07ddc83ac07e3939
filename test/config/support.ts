/**
 * A configuration from a text: `load` for what it says, `wrong` for what is wrong with it, as `line path: message`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Overrides } from "../../src/config/context.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/model.ts";
import { ConfigError, type Problem } from "../../src/config/problems.ts";

export const TREES = 'trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]\n';

type Environment = Readonly<Record<string, string | undefined>>;

/** A file `config.yml`, or with names a folder of files, for as long as `use` runs. */
export function withFiles<Result>(
  files: string | Uint8Array | Readonly<Record<string, string | Uint8Array>>,
  use: (path: string) => Result,
): Result {
  const folder = mkdtempSync(join(tmpdir(), "tiled-config-"));
  try {
    if (typeof files === "string" || files instanceof Uint8Array) {
      const path = join(folder, "config.yml");
      writeFileSync(path, files);
      return use(path);
    }
    mkdirSync(join(folder, "config.d"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "config.d", name), text);
    return use(join(folder, "config.d"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function load(
  files: Parameters<typeof withFiles>[0],
  env: Environment = {},
  overrides: Overrides = {},
): Config {
  return withFiles(files, (path) => loadConfig(path, env, overrides));
}

export function problems(
  files: Parameters<typeof withFiles>[0],
  env: Environment = {},
  overrides: Overrides = {},
): readonly Problem[] {
  try {
    load(files, env, overrides);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** e.g. `3 server.port: found a text, …`; without a line for what is in no file. */
export function wrong(...args: Parameters<typeof problems>): readonly string[] {
  return problems(...args).map(({ line, path, message }) => {
    const place = [line > 0 ? String(line) : "", path].filter((part) => part !== "").join(" ");
    return place === "" ? message : `${place}: ${message}`;
  });
}
