/**
 * `npm run bench`: compares this server with bare Fastify in the same run, first with one core for the server and another for the
 * generator, then with both cores for both. Rounds alternate, medians count. `goals.ts` has the goals.
 *
 * Options: `--seconds`, `--rounds`; `--people N` for the credentials of many people; `--peers` adds the real Tiled and npm's
 * `oidc-provider`; `--save` writes the result to `bench/results/`; `--markdown` prints only the tables.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Cleanup, temporaryFolder } from "../test/support/folders.ts";
import { LIMITS, SHARES, SPREAD } from "./goals.ts";
import { peers } from "./peers.ts";
import { type Bar, plot } from "./plot.ts";
import { at, type Cores, PINS, type Server, start, startOurs } from "./servers.ts";
import { median, number, table } from "./table.ts";
import {
  cave,
  deployment,
  get,
  jobs,
  measure,
  type Plan,
  refreshing,
  repeat,
  type Sample,
  WORKS,
  type Work,
} from "./work.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    rounds: { type: "string", default: "7" },
    people: { type: "string", default: "1000" },
    peers: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
  },
});
const PLAN: Plan = { connections: 32, seconds: Number(options.seconds) };
const ROUNDS = Number(options.rounds);
const PEOPLE = Number(options.people);

/** Which cores the server and the generator have. */
interface Machine {
  readonly name: "one" | "two";
  readonly title: string;
  readonly server: Cores;
  readonly generator: Cores;
}
const MACHINES: readonly Machine[] = [
  { name: "one", title: "One core for the server, another for the generator", server: "0", generator: "1" },
  { name: "two", title: "Two cores for the server and the generator", server: null, generator: null },
];

const last: (() => Promise<unknown>)[] = [];
const cleanup: Cleanup = (work) => void last.push(work);
const say = (text: string) => (options.markdown ? undefined : console.error(text));

interface Results {
  readonly bare: Sample[];
  readonly bareRefresh: Sample[];
  readonly few: Record<Work, Sample[]>;
  readonly many: Record<Work, Sample[]>;
}

/** Bare Fastify, answering with as many bytes as `whoami`. */
async function startBare(ours: Server, machine: Machine): Promise<Server> {
  const [work] = [await jobs(ours, { connections: 1, seconds: 1 })];
  const { requests } = await work["JWT whoami"]();
  const headers = requests[0]?.headers ?? {};
  const whoami = await (await fetch(`${ours.url}/api/v1/auth/whoami`, { headers })).json();
  const folder = await temporaryFolder(cleanup);
  const file = join(folder, "body.json");
  writeFileSync(file, JSON.stringify(whoami));
  return start([process.execPath, at("bare.ts"), file, folder], machine.server);
}

async function rounds(bare: Server, ours: Server, { generator, title }: Machine): Promise<Results> {
  const none = () => Object.fromEntries(WORKS.map((work) => [work, []])) as unknown as Record<Work, Sample[]>;
  const results: Results = { bare: [], bareRefresh: [], few: none(), many: none() };
  const few = await jobs(ours, PLAN);
  const many = await jobs(ours, { ...PLAN, people: PEOPLE });
  const token = (await (await fetch(`${bare.url}/token`)).json()) as { refresh_token: string };
  const refresh = {
    ...repeat(bare.port, refreshing({ access_token: "", ...token }, "/refresh"), PLAN),
    follow: "refresh",
  } as const;
  for (let round = 0; round <= ROUNDS; round++) {
    const keep = <T>(list: T[], sample: T) => (round > 0 ? void list.push(sample) : undefined);
    keep(results.bare, await measure(bare, repeat(bare.port, get("/"), PLAN), generator));
    keep(results.bareRefresh, await measure(bare, refresh, generator));
    for (const work of WORKS) {
      keep(results.few[work], await measure(ours, await few[work](), generator));
      if (work in SPREAD) keep(results.many[work], await measure(ours, await many[work](), generator));
    }
    say(`${title}: round ${round} of ${ROUNDS}`);
  }
  return results;
}

/** The slowest percent of reads, in milliseconds, while every connection writes. */
async function readsWhileWriting(server: Server, { generator }: Machine): Promise<number> {
  const work = await jobs(server, PLAN);
  const [writing, reading] = [await work.refresh(), await work["JWT whoami"]()];
  const oneReader = { ...reading, connections: 1, pause: 1, awake: false, seconds: PLAN.seconds - 0.6 };
  const [, read] = await Promise.all([
    measure(server, { ...writing, awake: false }, generator),
    delay(300).then(() => measure(server, oneReader, generator)),
  ]);
  return read.p99;
}

async function atRest(config: string, machine: Machine): Promise<{ startedIn: number; memory: number }> {
  const runs: { startedIn: number; memory: number }[] = [];
  for (let run = 0; run < 5; run++) {
    const server = await startOurs(config, machine.server);
    await delay(1500);
    runs.push({ startedIn: server.startedIn, memory: server.memory() });
    await server.stop();
  }
  const middle = (name: "startedIn" | "memory") => median(runs.map((run) => run[name]));
  return { startedIn: middle("startedIn"), memory: middle("memory") };
}

interface Report {
  readonly text: string;
  readonly bars: readonly Bar[];
}

async function measureOn(machine: Machine): Promise<Report> {
  const { startedIn, memory } = await atRest(await deployment(cleanup), machine);
  const ours = await startOurs(await deployment(cleanup, { cave: cave(1000) }), machine.server);
  cleanup(() => ours.stop());
  const bare = await startBare(ours, machine);
  cleanup(() => bare.stop());
  const results = await rounds(bare, ours, machine);
  const reads = [1, 2, 3].map(() => () => readsWhileWriting(ours, machine));
  const p99s: number[] = [];
  for (const read of reads) p99s.push(await read());
  const afterLoad = ours.memory();
  await ours.stop();
  await bare.stop();
  return report(machine, results, { p99: median(p99s), startedIn, memory, afterLoad });
}

interface Figures {
  readonly p99: number;
  readonly startedIn: number;
  readonly memory: number;
  readonly afterLoad: number;
}

const rate = (samples: readonly Sample[]) => `${number(median(samples.map((sample) => sample.rate)))}/s`;
const cpu = (samples: readonly Sample[]) => `${number(median(samples.map((sample) => sample.cpu)))} µs`;
const ratioOf = (name: "rate" | "cpu", over: readonly Sample[], under: readonly Sample[]) =>
  median(over.map((sample, round) => sample[name] / (under[round]?.[name] ?? Number.NaN)));

/** The goals are those of one core; the second table shows what another core adds. */
function report(machine: Machine, { bare, bareRefresh, few, many }: Results, figures: Figures): Report {
  const judged = machine.name === "one";
  const verdict = (met: boolean) => {
    if (!met && judged) process.exitCode = 1;
    return met ? "yes" : "no";
  };
  const bars: Bar[] = [];
  const rows = WORKS.map((work) => {
    const yardstick = work === "refresh" ? bareRefresh : bare;
    // On one core the rate is the inverse of the CPU time, which other work of the machine disturbs less.
    const share = judged ? ratioOf("cpu", yardstick, few[work]) : ratioOf("rate", few[work], yardstick);
    const goal = SHARES[work];
    if (goal !== undefined) bars.push({ name: work, value: share, goal });
    const shareCells = [number(share), goal === undefined ? "" : `≥ ${goal}, ${verdict(share >= goal)}`];
    const most = SPREAD[work];
    if (most === undefined) return [work, rate(few[work]), cpu(few[work]), ...shareCells];
    const spread = ratioOf("cpu", many[work], few[work]);
    return [
      work,
      rate(few[work]),
      cpu(few[work]),
      ...shareCells,
      number(spread),
      `≤ ${most}, ${verdict(spread <= most)}`,
    ];
  });
  const heads = [
    `${PLAN.connections} connections`,
    "answers",
    "CPU",
    "share of the yardstick",
    "goal",
    `CPU, ${PEOPLE} people`,
    "goal",
  ];
  const limits: readonly (readonly [string, number, string, number])[] = [
    ["reads while 32 clients write, 99th percentile", figures.p99, "ms", LIMITS.readsWhileWriting],
    ["start to /healthz", figures.startedIn, "ms", LIMITS.start[machine.name]],
    ["memory at rest", figures.memory, "MB", LIMITS.idle],
    ["memory after these loads", figures.afterLoad, "MB", LIMITS.afterLoad],
  ];
  const text = [
    `## ${machine.title}`,
    "",
    table([
      heads,
      ["bare Fastify", rate(bare), cpu(bare), "1"],
      ["bare Fastify, refresh", rate(bareRefresh), cpu(bareRefresh), "1"],
      ...rows,
    ]),
    "",
    table([
      ["", "", "goal"],
      ...limits.map(([name, value, unit, most]) => [
        name,
        `${number(value)} ${unit}`,
        `≤ ${most}, ${verdict(value <= most)}`,
      ]),
    ]),
  ].join("\n");
  const busy = median(bare.map((sample) => sample.busy));
  if (judged && busy < 0.9)
    say(
      `Bare Fastify was busy for ${Math.round(busy * 100)} % of the time only: the machine has other work.`,
    );
  return { text, bars };
}

async function main(): Promise<string> {
  if (!PINS)
    say(
      "Processes cannot be bound to cores here (taskset of Linux, two cores), so both tables share all cores.",
    );
  const reports: Report[] = [];
  for (const machine of MACHINES) reports.push(await measureOn(machine));
  const others = options.peers ? await peers(PLAN.seconds, say) : "";
  const date = new Date().toISOString().slice(0, 10);
  const where = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}, ${date}.`;
  const text = [...reports.map((one) => one.text), others, where].filter((part) => part !== "").join("\n\n");
  if (options.save) {
    mkdirSync(at("results"), { recursive: true });
    writeFileSync(at(`results/${date}.md`), `# ${date}\n\n${text}\n`);
    writeFileSync(
      at(`results/${date}.svg`),
      plot("Share of the yardstick's rate on one core", reports[0]?.bars ?? []),
    );
  }
  return text;
}

try {
  console.log(await main());
} finally {
  for (const work of last.reverse()) await work();
}
