/**
 * `node bench/compare.ts BEFORE [AFTER]`: compares two built checkouts in the same run; AFTER is this one by default. Rounds alternate;
 * the ratio of the processor time per answer counts. Options: `--seconds`, `--rounds`, `--only NAME`; `--people N` measures each
 * with the credentials of N people as well; `--cave` if both have CAVE; `--postgresql` for databases in a PostgreSQL of its own, and
 * `--exclusive-writer` for AFTER with that key.
 */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Api, bearer } from "../test/support/api.ts";
import { type Cleanup, configurationFile } from "../test/support/folders.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { toy } from "../test/support/toy.ts";
import type { Job } from "./load.ts";
import { type Server, start } from "./servers.ts";
import { median, number, table } from "./table.ts";
import { CAVE_ONLY, cave, deployment, get, jobs, measure, type Plan, repeat, type Sample } from "./work.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "2" },
    rounds: { type: "string", default: "11" },
    only: { type: "string" },
    people: { type: "string" },
    cave: { type: "boolean", default: false },
    postgresql: { type: "boolean", default: false },
    "exclusive-writer": { type: "boolean", default: false },
  },
});
const PLAN: Plan = { connections: 32, seconds: Number(options.seconds) };

interface Measurement {
  readonly server: Server;
  readonly job: () => Promise<Job>;
}
const SECTIONS = options.cave ? { cave: cave(1000) } : {};

type Side = Readonly<Record<string, Measurement>>;

const last: (() => unknown)[] = [];
const cleanup: Cleanup = (work) => void last.push(work);

function command(checkout: string, config: string): string[] {
  const built = resolve(checkout, "dist/src/bin.js");
  if (!existsSync(built)) throw new Error(`${built} is missing: run "npm ci && npm run build" there.`);
  return [process.execPath, built, "serve", "config", config, "--port"];
}

async function side(checkout: string, upstream: string, keys: object = {}): Promise<Side> {
  const uri = await postgres?.createDatabase();
  const database = uri === undefined ? {} : { database: { uri, init_if_not_exists: true, ...keys } };
  const server = await start(command(checkout, await deployment(cleanup, { ...SECTIONS, ...database })));
  cleanup(() => server.stop());
  const behind = await configurationFile(
    cleanup,
    toy({ trees: [{ path: "/", upstream }], database: undefined }),
  );
  const gateway = await start(command(checkout, behind));
  cleanup(() => gateway.stop());
  const token = bearer(await new Api(gateway.url).login("alice"));
  const through = async () => repeat(gateway.port, get("/api/v1/metadata/A", token), PLAN);
  const direct = async (plan: Plan, suffix: string) =>
    Object.entries(await jobs(server, plan))
      .filter(([name]) => options.cave || !CAVE_ONLY.has(name))
      .map(([name, job]) => [name + suffix, { server, job }] as const);
  const { people } = options;
  const many =
    people === undefined ? [] : await direct({ ...PLAN, people: Number(people) }, `, ${people} people`);
  return {
    ...Object.fromEntries([...(await direct(PLAN, "")), ...many]),
    gateway: { server: gateway, job: through },
  };
}

/** A data service that answers at once, as a Tiled would: its speed must not be what is measured. */
async function upstreamUrl(): Promise<string> {
  const about = JSON.stringify({ api_version: 0, library_version: "0.2.20", formats: {} });
  const body = JSON.stringify({ data: "x".repeat(1_000) });
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(request.url === "/api/v1/" ? about : body);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  cleanup(async () => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function missing(name: string): never {
  throw new Error(`Nothing is measured as ${name}.`);
}

const here = fileURLToPath(new URL("..", import.meta.url));
const [other, mine = here] = positionals;
if (other === undefined) throw new Error("Name the folder of the other checkout.");
// A commit waits for its disk, as in production.
const postgres = options.postgresql ? await startPostgres({ fsync: "on" }) : undefined;
if (options.postgresql && postgres === undefined) throw new Error("No PostgreSQL on this machine.");
if (postgres !== undefined) cleanup(() => postgres.remove());
const samples = new Map<string, { readonly before: Sample[]; readonly after: Sample[] }>();
try {
  const upstream = await upstreamUrl();
  const keys = options["exclusive-writer"] ? { exclusive_writer: true } : {};
  const sides = { before: await side(other, upstream), after: await side(mine, upstream, keys) };
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const name of Object.keys(sides.after)) {
      if (options.only !== undefined && !name.startsWith(options.only)) continue;
      const found = samples.get(name) ?? { before: [], after: [] };
      samples.set(name, found);
      // Each goes first in every other round.
      const order = round % 2 === 0 ? (["before", "after"] as const) : (["after", "before"] as const);
      for (const which of order) {
        const { server, job } = sides[which][name] ?? missing(name);
        const sample = await measure(server, await job());
        if (round > 0) found[which].push(sample);
      }
    }
    console.error(`round ${round} of ${options.rounds}`);
  }
} finally {
  for (const work of last.reverse()) await work();
}

const rows = [...samples].map(([name, { before, after }]) => {
  const ratios = after.map(({ cpu }, round) => cpu / (before[round]?.cpu ?? Number.NaN));
  const cpus = [before, after].map((found) => `${number(Math.min(...found.map(({ cpu }) => cpu)))} µs`);
  const rates = [before, after].map((found) => `${number(median(found.map(({ rate }) => rate)))}/s`);
  return [name, ...rates, ...cpus, median(ratios).toFixed(3)];
});
console.log(
  table([
    ["", "rate before", "after", "least CPU per answer before", "after", "median ratio of CPU"],
    ...rows,
  ]),
);
