/**
 * `node bench/soak.ts`: an hour of mixed load on a server with the memory of a small container. Prints its resident memory once a
 * minute, and fails if it goes over the limit, ends, or answers with an error. In a container the kernel would end it there.
 *
 * Options: `--minutes`, `--limit` in megabytes, `--people`; `--node=FLAG` for the server's `node`, repeatable.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Cleanup } from "../test/support/folders.ts";
import { nonReaders, readers } from "./hostile/clients.ts";
import { load, OURS, type Server, start } from "./servers.ts";
import { number, table } from "./table.ts";
import { cave, deployment, jobs, WORKS } from "./work.ts";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    limit: { type: "string", default: "256" },
    people: { type: "string", default: "1000" },
    node: { type: "string", multiple: true, default: [] },
  },
});
const LIMIT = Number(options.limit);
const SECONDS = 5;
const LOOK_MS = 50;

interface Load {
  readonly name: string;
  /** Resolves with the outcomes that are no success. */
  run(): Promise<readonly string[]>;
}

const last: (() => Promise<unknown>)[] = [];
const cleanup: Cleanup = (work) => void last.push(work);

/** What people and their programs ask, first in few sessions and then in those of many people. */
async function honest(server: Server): Promise<Load[]> {
  const few = await jobs(server, { connections: 32, seconds: SECONDS });
  const many = await jobs(server, { connections: 64, seconds: SECONDS, people: Number(options.people) });
  return [few, many].flatMap((made, index) =>
    WORKS.map((work) => ({
      name: index === 0 ? work : `${work}, many people`,
      run: async () => {
        const { statuses } = await load({ ...(await made[work]()), awake: false });
        return Object.keys(statuses).filter((status) => !ANSWERED.has(status));
      },
    })),
  );
}

/** 429: an account may not log in as often as a generator can. */
const ANSWERED = new Set(["200", "204", "429"]);

/** What strangers send: refusals are the right answers. */
function hostile(server: Server): Load[] {
  const attack = (name: string, run: () => Promise<void>): Load => ({
    name,
    run: async () => {
      await run();
      return [];
    },
  });
  const plan = { connections: 200, seconds: SECONDS };
  const headers = `authorization: Bearer ${"x".repeat(8000)}\r\n`;
  return [
    attack("wrong tokens", () =>
      readers(server, "/api/v1/auth/whoami", { ...plan, headers, requests: 20 }, ignore),
    ),
    attack("unknown paths", () => readers(server, `/${"x".repeat(4000)}`, { ...plan, requests: 50 }, ignore)),
    attack("answers that are not read", () =>
      nonReaders(server, "/openapi.json", { connections: 50, requests: 200, seconds: SECONDS }, ignore),
    ),
    attack("silent connections", () =>
      readers(server, "/", { ...plan, connections: 1000, requests: 0 }, ignore),
    ),
  ];
}

const ignore = () => undefined;

interface Peak {
  readonly name: string;
  readonly memory: number;
}

async function soak(server: Server): Promise<readonly Peak[]> {
  const peaks = new Map<string, number>();
  let doing = "start";
  const look = () => {
    const memory = server.memory();
    if (!Number.isNaN(memory)) peaks.set(doing, Math.max(peaks.get(doing) ?? 0, memory));
  };
  const watch = setInterval(look, LOOK_MS);
  const loads = [...(await honest(server)), ...hostile(server)];
  const end = performance.now() + Number(options.minutes) * 60_000;
  let told = 0;
  for (let turn = 0; performance.now() < end && server.ended() === null; turn++) {
    const one = loads[turn % loads.length] as Load;
    doing = one.name;
    const wrong = await one.run();
    if (wrong.length > 0) fail(`${one.name}: ${wrong.join(", ")}`);
    if (performance.now() - told < 60_000) continue;
    told = performance.now();
    console.error(`${new Date().toISOString()} ${number(server.memory())} MB after ${one.name}`);
  }
  doing = "at rest again";
  await delay(5_000);
  clearInterval(watch);
  const ended = server.ended();
  if (ended !== null) fail(`The server ended: ${ended}`);
  return [...peaks].map(([name, memory]) => ({ name, memory }));
}

function fail(text: string): void {
  console.error(text);
  process.exitCode = 1;
}

try {
  const config = await deployment(cleanup, { cave: cave(1000) });
  const [node = "", ...program] = OURS;
  const server = await start([node, ...options.node, ...program, "serve", "config", config, "--port"]);
  cleanup(() => server.stop());
  const peaks = await soak(server);
  const most = Math.max(...peaks.map(({ memory }) => memory));
  console.log(table([["during", "peak, MB"], ...peaks.map(({ name, memory }) => [name, number(memory)])]));
  console.log(`\nMost: ${number(most)} MB of ${LIMIT} in ${options.minutes} minutes.`);
  if (most > LIMIT) fail(`More than ${LIMIT} MB.`);
} finally {
  for (const work of last.reverse()) await work();
}
process.exit();
