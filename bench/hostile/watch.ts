/**
 * Watches a server during an attack: its memory, whether it still runs, and how long other users wait (`probe.ts`).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Server } from "../servers.ts";
import type { Latencies } from "./probe.ts";
import type { Count } from "./scenario.ts";

interface Times {
  readonly p99: number;
  readonly max: number;
}

export interface Observed {
  /** Megabytes. */
  readonly idle: number;
  readonly peak: number;
  readonly healthz: Times;
  readonly logins: Times;
  readonly failed: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Why the server ended; null: it runs. */
  readonly ended: string | null;
}

const PROBE = fileURLToPath(new URL("probe.ts", import.meta.url));

/** Runs an attack; kills the server above `most` megabytes. */
export async function observe(
  server: Server,
  most: number,
  attack: (count: Count) => Promise<void>,
): Promise<Observed> {
  const idle = server.memory();
  let peak = idle;
  let ended: string | null = null;
  const look = () => {
    peak = Math.max(peak, server.memory() || 0);
    ended ??= server.ended();
    if (ended !== null || peak <= most) return;
    ended = `more than ${most} MB`;
    server.kill();
  };
  const watch = setInterval(look, 25);
  const probe = spawn(process.execPath, [PROBE, String(server.port)], { stdio: ["pipe", "pipe", "inherit"] });
  const output = text(probe.stdout);
  // The probe starts before the attack.
  await delay(500);
  const outcomes: Record<string, number> = {};
  await attack((outcome, times = 1) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + times;
  });
  look();
  probe.stdin.end("\n");
  if (probe.exitCode === null) await once(probe, "exit");
  clearInterval(watch);
  const { healthz, logins, failed } = JSON.parse(await output) as Latencies;
  return { idle, peak, ended, failed, outcomes, healthz: timesOf(healthz), logins: timesOf(logins) };
}

function timesOf(latencies: readonly number[]): Times {
  const sorted = Float64Array.from(latencies).sort();
  return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}
