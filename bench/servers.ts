/**
 * Starts the servers under test and the load generator as child processes. Their logs are discarded, as fast as a file would
 * take them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../test/support/free-port.ts";
import type { Job, Measured } from "./load.ts";

/** A file of this folder. */
export const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

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

/** The cores that a process may use, as `taskset` takes them: `0`, `0,1`; null: any. */
export type Cores = string | null;

/** Whether processes can be bound to cores here. */
export const PINS = existsSync("/usr/bin/taskset") && availableParallelism() > 1;

function pinned(command: readonly string[], cores: Cores): readonly string[] {
  return cores === null || !PINS ? command : ["/usr/bin/taskset", "-c", cores, ...command];
}

/** Starts a server; `command` gets the port as its last argument. */
export async function start(command: readonly string[], cores: Cores = null): Promise<Server> {
  const port = await freePort();
  const [program = "", ...args] = pinned(command, cores);
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

export const startOurs = (config: string, cores: Cores = null) =>
  start([...OURS, "serve", "config", config, "--port"], cores);

/** Runs the load generator. */
export async function load(job: Job, cores: Cores = null): Promise<Measured> {
  const [program = "", ...args] = pinned([process.execPath, at("load.ts")], cores);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(job));
  return JSON.parse(await text(child.stdout));
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
