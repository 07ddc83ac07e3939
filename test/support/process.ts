/**
 * Child processes of tests, ended when the test is over, also when it fails. `reference.ts` and `ours.ts` start the two
 * servers with it. Tests that need no other program do without it: `folders.ts`, `eventually.ts`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { Cleanup } from "./folders.ts";

/** Milliseconds; the real Tiled needs a minute on a very busy machine. */
const START_LIMIT = 180_000;

export interface Server {
  /** Without a slash at its end. */
  readonly url: string;
  readonly pid: number;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Sends the signal and waits for the end; the exit code, null where a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Options {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** Starts a server and waits until it has said where it listens (`ready`'s first group) and answers there. */
export async function startServer(
  cleanup: Cleanup,
  command: readonly string[],
  ready: RegExp,
  options: Options = {},
): Promise<Server> {
  const child = launch(command, options);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  }
  const ended = once(child, "exit");
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  cleanup(() => stop("SIGKILL"));
  const deadline = Date.now() + START_LIMIT;
  for (;;) {
    const url = ready.exec(stripVTControlCharacters(text))?.[1];
    if (url !== undefined && (await answers(url)))
      return { url, pid: child.pid ?? 0, output: () => stripVTControlCharacters(text), stop };
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      throw new Error(`${command.join(" ")} does not answer:\n${text}`);
    }
    await delay(20);
  }
}

/** Runs a command to its end. */
export async function run(
  command: readonly string[],
  options: Options & { input?: string } = {},
): Promise<Finished> {
  const child = launch(command, options);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (part: string) => {
      output[name] += part;
    });
  }
  child.stdin?.on("error", () => undefined).end(options.input);
  await once(child, "close");
  return { code: child.exitCode, ...output };
}

function launch([program, ...args]: readonly string[], { env, cwd }: Options): ChildProcess {
  if (program === undefined) throw new Error("no command");
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env } });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return child;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}
