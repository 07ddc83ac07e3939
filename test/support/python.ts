/**
 * The real Tiled from PyPI, in a virtual environment: `TILED_AUTH_TEST_VENV`, else `.venv` in the repository's root,
 * which `.ci/run` makes. Where it is missing the tests that need it are skipped and say so; in CI they fail.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Finished, run } from "./process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const REAL = fileURLToPath(new URL("../real", import.meta.url));

/** What a suite passes as `skip`: false where the real Tiled is installed, else the reason. */
export function withoutTiled(): string | false {
  if (existsSync(program("tiled"))) return false;
  const reason = `the real Tiled is not installed: python3 -m venv .venv && .venv/bin/pip install 'tiled[all]==0.2.20'`;
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

/** A program of the virtual environment. */
export function program(name: string): string {
  return `${process.env["TILED_AUTH_TEST_VENV"] ?? `${ROOT}.venv`}/bin/${name}`;
}

/** What a person types when a prompt appears. */
export type Dialogue = readonly (readonly [prompt: string, answer: string])[];

/** Runs a command at a terminal (`terminal.py`), answering its prompts in their order. */
export async function atTerminal(
  command: readonly string[],
  dialogue: Dialogue,
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return run([program("python"), `${REAL}/terminal.py`, JSON.stringify(dialogue), ...command], {
    env: isolated(env),
  });
}

/** Runs `client.py`, the script of the real client, at a terminal; what it reports. */
export async function client(
  scenario: string,
  args: readonly string[],
  dialogue: Dialogue,
  env: Readonly<Record<string, string>>,
): Promise<unknown> {
  const script = [program("python"), `${REAL}/client.py`, scenario, ...args];
  const { code, stdout, stderr } = await atTerminal(script, dialogue, env);
  const report = /^REPORT (.*)$/m.exec(stdout)?.[1];
  if (code !== 0 || report === undefined)
    throw new Error(`client.py ${scenario} ended with ${code}:\n${stdout}${stderr}`);
  return JSON.parse(report);
}

/** Nothing of the developer's own profiles, keys or tokens, and no long retries where a server fails. */
function isolated(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return {
    TILED_API_KEY: undefined,
    TILED_RETRY_ATTEMPTS: "2",
    TILED_RETRY_TIMEOUT: "5",
    PYTHONWARNINGS: "ignore",
    COLUMNS: "200",
    NO_COLOR: "1",
    ...env,
  };
}
