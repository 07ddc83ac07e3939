/**
 * `env_file`: a file of lines `NAME=value`, as systemd, Docker and shells read them. It supplies the variables that `$NAME` in the
 * configuration stands for and that the environment does not set. It has no effect on anything else that reads the environment.
 */
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { readText } from "../yaml/files.ts";
import { type Environment, namesVariable } from "../yaml/interpolate.ts";
import { at, type Located, spotOf } from "../yaml/located.ts";
import { Problems } from "../yaml/problems.ts";
import { shownValue } from "../yaml/shown.ts";
import { isNoFile, statsOf } from "./source.ts";

interface EnvFile {
  /** The environment, and below it the file. */
  readonly env: Environment;
  /** The file, or none. */
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

const PATH = ["env_file"];

/** `directory`: the configuration's folder. */
export function withEnvFile(
  root: Located,
  env: Environment,
  { directory, problems }: { readonly directory: string; readonly problems: Problems },
): EnvFile {
  const variable = "TILED_ENV_FILE";
  if (env[variable] !== undefined)
    problems.add(
      { file: `environment variable ${variable}`, line: 0 },
      PATH,
      "it has no effect; write env_file into the configuration",
    );
  const node = at(root, PATH);
  // The check reports values of other types.
  if (node?.kind !== "scalar" || typeof node.value !== "string" || node.value === "")
    return { env, files: [], warnings: [] };
  const spot = spotOf(root, PATH);
  if (namesVariable(node.value)) {
    problems.add(spot, PATH, "write the name of the file; a variable cannot be used here");
    return { env, files: [], warnings: [] };
  }
  const file = resolve(directory, node.value);
  // What is written there by mistake may be a secret.
  const shown = shownValue({ type: "string" }, node) === undefined ? undefined : file;
  const text = textOf(file, (message) => problems.add(spot, PATH, `${shown ?? "the file"}: ${message}`));
  return {
    env: text === undefined ? env : { ...parseEnv(text), ...env },
    files: [file],
    warnings: othersMayRead(file)
      ? [
          `${spot.file}:${spot.line}: env_file: other users of this machine can read it; run: chmod 600 ${shown ?? "FILE"}`,
        ]
      : [],
  };
}

function textOf(file: string, problem: (message: string) => void): string | undefined {
  if (isNoFile(file)) {
    problem("this is not a file");
    return undefined;
  }
  const found = new Problems();
  const text = readText(file, found);
  for (const { message } of found.all) problem(message);
  return text;
}

function othersMayRead(file: string): boolean {
  const mode = statsOf(file)?.mode ?? 0;
  return process.platform !== "win32" && (mode & 0o004) !== 0;
}
