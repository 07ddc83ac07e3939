/**
 * Starts the servers under test and the load generator as child processes. Their logs are discarded, as fast as a file would
 * take them.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../test/support/free-port.ts";
import type { Job, Measured } from "./load.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The built program if there is one, since that is what is installed. */
export const OURS: readonly string[] = [
  process.execPath,
  existsSync(at("../dist/src/bin.js")) ? at("../dist/src/bin.js") : at("../src/bin.ts"),
];

export interface Server {
  readonly port: number;
  readonly url: string;
  /** Milliseconds from the start of the process to the first answer of /healthz. */
  readonly startedIn: number;
  /** CPU time so far in seconds, all threads. */
  cpu(): number;
  /** Resident memory in megabytes. */
  memory(): number;
  /** How the process ended on its own; null: it is running. */
  ended(): string | null;
  /** Kills the process. */
  kill(): void;
  stop(): Promise<void>;
}

/** Starts a server; `command` gets the port as its last argument. */
export async function start(command: readonly string[]): Promise<Server> {
  const port = await freePort();
  const [program = "", ...args] = command;
  const began = performance.now();
  const child = spawn(program, [...args, String(port)], { stdio: "ignore" });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error(`${command.join(" ")} ended with ${child.exitCode}.`);
    await delay(2);
  }
  const startedIn = performance.now() - began;
  const stop = async () => {
    process.off("exit", kill);
    await end(child);
  };
  return {
    port,
    url,
    startedIn,
    cpu: () => cpu(child),
    memory: () => memory(child),
    ended: () => child.signalCode ?? (child.exitCode === null ? null : `exit ${child.exitCode}`),
    kill,
    stop,
  };
}

export const startBare = () => start([process.execPath, at("bare.ts")]);
export const startOurs = (config: string) => start([...OURS, "serve", "config", config, "--port"]);
export const startReference = (tiled: string, config: string) =>
  start([tiled, "serve", "config", config, "--port"]);

/** Runs the load generator. */
export async function load(job: Job): Promise<Measured> {
  const { stdout } = await promisify(execFile)(process.execPath, [at("load.ts"), JSON.stringify(job)], {
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(stdout);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  if (child.kill("SIGTERM")) await ended;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}

/** Linux only; NaN elsewhere. */
function cpu({ pid }: ChildProcess): number {
  const TICKS_PER_SECOND = 100;
  const fields = proc(pid, "stat").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function memory({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(proc(pid, "status"))?.[1]) / 1024;
}

function proc(pid: number | undefined, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
