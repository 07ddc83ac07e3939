/**
 * CAVE's real programs, which `test/real/cave-requirements.txt` lists, in the folder `cave` of the tests' virtual environment:
 * caveclient and CloudVolume as a process that makes one call after the other. Where they are not installed the tests that need
 * them are skipped and say so; in CI they fail. `cave-deployment.ts` has the servers.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Cleanup, temporaryFolder } from "./folders.ts";
import { type Finished, run } from "./process.ts";
import { type Dialogue, program } from "./python.ts";
import { AUTHORITY_CERT } from "./tls.ts";

const REAL = fileURLToPath(new URL("../real", import.meta.url));

/** A program of their environment. */
export const caveProgram = (name: string) => program(`../cave/bin/${name}`);

/** What a suite passes as `skip`: false where CAVE's programs are installed, else the reason. */
export function withoutCave(): string | false {
  if (existsSync(caveProgram("caveclient")) && existsSync(caveProgram("waitress-serve"))) return false;
  return missing(
    "CAVE's clients are not installed: python3 -m venv .venv/cave && .venv/cave/bin/pip install -r test/real/cave-requirements.txt",
  );
}

/** The same for an older version: `caveclient-5.31.0`. */
export function withoutOlderCave(name: string): string | false {
  if (existsSync(olderCave(name).PYTHONPATH)) return false;
  const [, what, version] = /^(.*)-(.*)$/.exec(name) ?? [];
  return missing(
    `${name} is not installed: .venv/cave/bin/pip install --no-deps --target .venv/cave/clients/${name} ${what}==${version}`,
  );
}

function missing(reason: string): string {
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

/** An older version of one of them, e.g. `caveclient-5.31.0`, for `PYTHONPATH`. */
export function olderCave(name: string): { readonly PYTHONPATH: string } {
  return { PYTHONPATH: program(`../cave/clients/${name}`) };
}

/** The outcome of one call. */
export interface Called {
  readonly result?: unknown;
  readonly printed?: string;
  readonly error?: string;
  readonly status?: number | null;
  readonly text?: string;
}

/** A person's computer: a home folder of its own, a browser that notes what it is told to open, and the real clients. */
export class Computer {
  readonly home: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #cleanup: Cleanup;
  #child: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;
  #errors = "";

  private constructor(home: string, env: NodeJS.ProcessEnv, cleanup: Cleanup) {
    this.home = home;
    this.#env = env;
    this.#cleanup = cleanup;
  }

  static async create(cleanup: Cleanup, env: Readonly<Record<string, string>> = {}): Promise<Computer> {
    const home = await temporaryFolder(cleanup);
    await writeFile(`${home}/ca.pem`, AUTHORITY_CERT);
    await writeFile(`${home}/browser`, `#!/bin/sh\necho "$1" >> "$HOME/opened"\n`);
    await chmod(`${home}/browser`, 0o755);
    const all = {
      ...process.env,
      HOME: home,
      REQUESTS_CA_BUNDLE: `${home}/ca.pem`,
      BROWSER: `${home}/browser %s`,
      PYTHONWARNINGS: "ignore",
      ...env,
    };
    return new Computer(home, all, cleanup);
  }

  /** The result of a call to `cave_client.py`; fails with what the client raised. */
  async call(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const { error, text, result } = await this.attempt(name, args);
    if (error !== undefined) throw new Error(`${name} raised ${error}: ${text}`);
    return result;
  }

  /** The outcome of a call to `cave_client.py`, errors included. */
  async attempt(
    name: string,
    args: readonly unknown[] = [],
    named: Readonly<Record<string, unknown>> = {},
  ): Promise<Called> {
    const child = this.#started();
    child.stdin?.write(`${JSON.stringify([name, args, named])}\n`);
    const { value, done } = (await this.#lines?.next()) ?? { value: undefined, done: true };
    if (done === true || value === undefined) throw new Error(`cave_client.py has ended:\n${this.#errors}`);
    return JSON.parse(value);
  }

  /** What the browser was told to open so far. */
  async opened(): Promise<readonly string[]> {
    const text = await readFile(`${this.home}/opened`, "utf8").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  /** A file of the folder of tokens. */
  async secret(file: string): Promise<unknown> {
    return JSON.parse(await readFile(`${this.home}/.cloudvolume/secrets/${file}`, "utf8"));
  }

  async writeSecret(file: string, content: object): Promise<void> {
    await mkdir(`${this.home}/.cloudvolume/secrets`, { recursive: true });
    await writeFile(`${this.home}/.cloudvolume/secrets/${file}`, JSON.stringify(content));
  }

  /** Runs a command at a terminal and answers its prompts. */
  async atTerminal(command: readonly string[], dialogue: Dialogue): Promise<Finished> {
    const script = [caveProgram("python"), `${REAL}/terminal.py`, JSON.stringify(dialogue), ...command];
    return run(script, { env: this.#env });
  }

  async python(code: string): Promise<Finished> {
    return run([caveProgram("python"), "-c", code], { env: this.#env });
  }

  #started(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    const child = spawn(caveProgram("python"), [`${REAL}/cave_client.py`], { env: this.#env });
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      this.#errors += part;
    });
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    this.#child = child;
    const ended = once(child, "exit");
    this.#cleanup(async () => {
      child.kill("SIGKILL");
      await ended;
    });
    return child;
  }
}
