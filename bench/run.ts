/**
 * `npm run bench`: compares this server with a bare Fastify route and, if installed, the real Tiled, in the same run. Rounds
 * alternate, medians count. Options: `--seconds`, `--rounds`; `--markdown` prints only the table for the README.
 */
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { program } from "../test/support/python.ts";
import { type Server, startBare, startOurs, startReference } from "./servers.ts";
import { median, number, table } from "./table.ts";
import {
  CAVE_ONLY,
  cave,
  deployment,
  get,
  jobs,
  measure,
  type Plan,
  repeat,
  type Sample,
  WORKS,
  type Work,
} from "./work.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "3" },
    rounds: { type: "string", default: "9" },
    markdown: { type: "boolean", default: false },
  },
});
const PLAN: Plan = { connections: 32, seconds: Number(options.seconds) };
const ROUNDS = Number(options.rounds);

/** Minimum share of the bare route's rate. */
const GOALS: Readonly<Partial<Record<Work, number>>> = {
  "JWT whoami": 0.6,
  "API-key whoami": 0.5,
  "CAVE's user/cache": 0.5,
  refresh: 0.3,
};

const last: (() => Promise<unknown>)[] = [];
const cleanup = (work: () => Promise<unknown>) => void last.push(work);
const say = (text: string) => (options.markdown ? undefined : console.error(text));

interface Results {
  readonly bare: Sample[];
  readonly ours: Record<Work, Sample[]>;
  readonly reference: Record<Work, Sample[]>;
}

async function rounds(bare: Server, ours: Server, reference: Server | null): Promise<Results> {
  const none = () => Object.fromEntries(WORKS.map((work) => [work, []])) as unknown as Record<Work, Sample[]>;
  const results: Results = { bare: [], ours: none(), reference: none() };
  const [our, their] = [await jobs(ours, PLAN), reference && (await jobs(reference, PLAN))];
  for (let round = 0; round <= ROUNDS; round++) {
    const keep = round > 0; // the first round only warms up
    const yardstick = await measure(bare, repeat(bare.port, get("/"), PLAN));
    if (keep) results.bare.push(yardstick);
    for (const work of WORKS) {
      const sample = await measure(ours, await our[work]());
      if (keep) results.ours[work].push(sample);
      say(`round ${round}: ${work} ${number(sample.rate)}/s, bare ${number(yardstick.rate)}/s`);
      if (their && reference && !CAVE_ONLY.has(work) && (round === 1 || round === ROUNDS)) {
        results.reference[work].push(await measure(reference, await their[work]()));
      }
    }
  }
  return results;
}

/** The slowest percent of reads, in milliseconds, while every connection writes. */
async function readsWhileWriting(server: Server): Promise<number> {
  const work = await jobs(server, PLAN);
  const [writing, reading] = [await work.refresh(), await work["JWT whoami"]()];
  const oneReader = {
    ...reading,
    requests: reading.requests.slice(0, 1),
    pause: 1,
    seconds: PLAN.seconds - 0.6,
  };
  const [, read] = await Promise.all([
    measure(server, writing),
    delay(300).then(() => measure(server, oneReader)),
  ]);
  return read.p99;
}

async function atRest(config: string): Promise<{ startedIn: number; memory: number }> {
  const runs: { startedIn: number; memory: number }[] = [];
  for (let run = 0; run < 5; run++) {
    const server = await startOurs(config);
    await delay(1500);
    runs.push({ startedIn: server.startedIn, memory: server.memory() });
    await server.stop();
  }
  const middle = (name: "startedIn" | "memory") => median(runs.map((run) => run[name]));
  return { startedIn: middle("startedIn"), memory: middle("memory") };
}

async function main(): Promise<string> {
  const config = await deployment(cleanup, { cave: cave(1000) });
  const { startedIn, memory } = await atRest(config);
  const bare = await startBare();
  const ours = await startOurs(config);
  const tiled = program("tiled");
  const reference = existsSync(tiled) ? await startReference(tiled, await deployment(cleanup)) : null;
  for (const server of [bare, ours, reference]) if (server) cleanup(() => server.stop());

  const results = await rounds(bare, ours, reference);
  const busy = median(results.bare.map((sample) => sample.busy));
  if (busy < 0.9) {
    say(
      `The bare route's process was busy for ${Math.round(busy * 100)} % of the time only: the machine has other work, or the generator is too slow.`,
    );
  }
  const p99 = median([
    await readsWhileWriting(ours),
    await readsWhileWriting(ours),
    await readsWhileWriting(ours),
  ]);
  return report(results, [
    ["reads while 32 clients write, p99", `${number(p99)} ms`, "< 20 ms", p99 < 20],
    ["start to /healthz", `${number(startedIn)} ms`, "< 500 ms", startedIn < 500],
    ["idle memory", `${number(memory)} MB`, "< 120 MB", memory < 120],
  ]);
}

type Limit = readonly [name: string, value: string, goal: string, met: boolean];

function report({ bare, ours, reference }: Results, limits: readonly Limit[]): string {
  const verdict = (met: boolean) => {
    if (!met) process.exitCode = 1;
    return met ? "yes" : "no";
  };
  const rate = (samples: readonly Sample[]) => `${number(median(samples.map((sample) => sample.rate)))}/s`;
  const cpu = (samples: readonly Sample[]) => `${number(median(samples.map((sample) => sample.cpu)))} µs`;
  const rows = WORKS.map((work) => {
    const ratio = median(ours[work].map((sample, round) => sample.rate / (bare[round]?.rate ?? Number.NaN)));
    const goal = GOALS[work];
    const judged = goal === undefined ? ["", ""] : [`≥ ${goal}`, verdict(ratio >= goal)];
    return [work, rate(ours[work]), cpu(ours[work]), number(ratio), ...judged, rate(reference[work])];
  });
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`;
  return `${table([
    [
      `${PLAN.connections} connections`,
      "tiled-auth",
      "CPU",
      "of the bare route",
      "goal",
      "met",
      "Tiled 0.2.20",
    ],
    ["bare Fastify route", rate(bare), cpu(bare), "1"],
    ...rows,
    ...limits.map(([name, value, goal, met]) => [name, value, "", "", goal, verdict(met)]),
  ])}\n\n${machine}, ${new Date().toISOString().slice(0, 10)}`;
}

try {
  console.log(await main());
} finally {
  for (const work of last.reverse()) await work();
}
