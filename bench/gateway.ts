/**
 * `node bench/gateway.ts`: compares the gateway with a proxy of Fastify and @fastify/reply-from without authentication, in
 * front of the same upstream, in the same run; and a file of a gigabyte from Tiled's web server, if installed, directly and
 * through the gateway. Rounds alternate, medians count. Options: `--seconds`, `--rounds`.
 */
import { existsSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Api, apikey, bearer } from "../test/support/api.ts";
import { type Cleanup, configurationFile, temporaryFolder } from "../test/support/folders.ts";
import { program } from "../test/support/python.ts";
import { toy } from "../test/support/toy.ts";
import { type Server, start, startOurs } from "./servers.ts";
import { median, number, table } from "./table.ts";
import { get, measure, type Plan, repeat, type Sample } from "./work.ts";

const { values: options } = parseArgs({
  options: { seconds: { type: "string", default: "3" }, rounds: { type: "string", default: "5" } },
});
const PLAN: Plan = { connections: 32, seconds: Number(options.seconds) };
const ROUNDS = Number(options.rounds);
const PATH = "/api/v1/metadata/A";
const GOAL = { requests: 0.6, download: 0.8, growth: 30 };

const last: (() => Promise<unknown>)[] = [];
const cleanup: Cleanup = (work) => void last.push(work);
const at = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const say = (text: string) => console.error(text);

async function started(server: Promise<Server>): Promise<Server> {
  const there = await server;
  cleanup(() => there.stop());
  return there;
}

async function gateway(upstream: string): Promise<Server> {
  const config = await configurationFile(
    cleanup,
    toy({
      database: { uri: `sqlite:///${await temporaryFolder(cleanup)}/bench.db`, init_if_not_exists: true },
      trees: [{ path: "/", upstream }],
    }),
  );
  return started(startOurs(config));
}

/** Tiled's own web server and framework, sending a file as Tiled sends assets. */
const FILES = `from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route

async def big(request):
    return FileResponse("big")

async def about(request):
    return JSONResponse({"api_version": 0})

app = Starlette(routes=[Route("/big", big), Route("/api/v1/", about), Route("/healthz", about)])
`;

/** Null: the real Tiled is not installed. */
async function fileServer(): Promise<Server | null> {
  const python = program("python");
  if (!existsSync(python)) return null;
  const folder = await temporaryFolder(cleanup);
  await writeFile(`${folder}/files.py`, FILES);
  const file = await open(`${folder}/big`, "w");
  for (let part = 0; part < 1024; part++) await file.write(Buffer.alloc(2 ** 20, part));
  await file.close();
  const options = ["--app-dir", folder, "--log-level", "critical"];
  const cwd = process.cwd();
  process.chdir(folder);
  try {
    return await started(start([python, "-m", "uvicorn", "files:app", ...options, "--port"]));
  } finally {
    process.chdir(cwd);
  }
}

/** Bytes a second, from the request to the last byte. */
async function download({ port }: Server, authorization: string): Promise<number> {
  const began = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const socket = connect({
    port,
    host: "127.0.0.1",
    // One buffer for everything: the bytes are only counted.
    onread: {
      buffer: Buffer.alloc(262_144),
      callback: (count) => {
        received += count;
        return true;
      },
    },
  });
  let received = 0;
  socket.write(`GET /big HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${authorization}\r\n\r\n`);
  const limit = setInterval(() => {
    if (received < 2 ** 30) return;
    socket.destroy();
    resolve((received / (performance.now() - began)) * 1000);
  }, 1);
  socket.on("error", reject);
  try {
    return await promise;
  } finally {
    clearInterval(limit);
  }
}

interface Results {
  readonly bare: Sample[];
  readonly jwt: Sample[];
  readonly key: Sample[];
  readonly direct: number[];
  readonly through: number[];
  /** Highest growth of memory, in megabytes. */
  growth: number;
}

async function run(): Promise<Results> {
  const behind = await started(start([process.execPath, at("behind.ts")]));
  const proxy = await started(start([process.execPath, at("proxy.ts"), behind.url]));
  const ours = await gateway(behind.url);
  const api = new Api(ours.url);
  const jwt = bearer(await api.login("alice"));
  const key = apikey(await api.makeKey(bearer(await api.login("bob"))));
  const results: Results = { bare: [], jwt: [], key: [], direct: [], through: [], growth: 0 };
  for (let round = 0; round <= ROUNDS; round++) {
    const bare = await measure(proxy, repeat(proxy.port, get(PATH), PLAN));
    const withToken = await measure(ours, repeat(ours.port, get(PATH, jwt), PLAN));
    const withKey = await measure(ours, repeat(ours.port, get(PATH, key), PLAN));
    say(
      `round ${round}: proxy ${number(bare.rate)}/s, JWT ${number(withToken.rate)}/s, key ${number(withKey.rate)}/s`,
    );
    if (round === 0) continue; // warm-up only
    results.bare.push(bare);
    results.jwt.push(withToken);
    results.key.push(withKey);
  }
  await ours.stop();
  await proxy.stop();
  await downloads(results, (await fileServer()) ?? behind);
  return results;
}

async function downloads(results: Results, files: Server): Promise<void> {
  const ours = await gateway(files.url);
  const jwt = bearer(await new Api(ours.url).login("alice"));
  for (let round = 0; round <= ROUNDS; round++) {
    const direct = await download(files, jwt);
    const before = ours.memory();
    let highest = 0;
    const watch = setInterval(() => {
      highest = Math.max(highest, ours.memory());
    }, 20);
    const through = await download(ours, jwt);
    clearInterval(watch);
    say(
      `round ${round}: ${number(direct / 1e6)} MB/s, through the gateway ${number(through / 1e6)} MB/s, ${number(highest - before)} MB more`,
    );
    if (round === 0) continue;
    results.direct.push(direct);
    results.through.push(through);
    results.growth = Math.max(results.growth, highest - before);
  }
}

function report({ bare, jwt, key, direct, through, growth }: Results): string {
  const verdict = (met: boolean) => {
    if (!met) process.exitCode = 1;
    return met ? "yes" : "no";
  };
  const middle = (samples: readonly Sample[], name: "rate" | "cpu" | "p99") =>
    number(median(samples.map((sample) => sample[name])));
  const row = (name: string, samples: readonly Sample[]) => {
    const ratio = median(samples.map((sample, round) => sample.rate / (bare[round]?.rate ?? Number.NaN)));
    const figures = [
      `${middle(samples, "rate")}/s`,
      `${middle(samples, "cpu")} µs`,
      `${middle(samples, "p99")} ms`,
    ];
    return [name, ...figures, number(ratio), `≥ ${GOAL.requests}`, verdict(ratio >= GOAL.requests)];
  };
  const share = median(through.map((rate, round) => rate / (direct[round] ?? Number.NaN)));
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`;
  return `${table([
    [`${PLAN.connections} connections`, "answers", "CPU", "p99", "of the proxy", "goal", "met"],
    [
      "@fastify/reply-from",
      `${middle(bare, "rate")}/s`,
      `${middle(bare, "cpu")} µs`,
      `${middle(bare, "p99")} ms`,
      "1",
    ],
    row("gateway, JWT", jwt),
    row("gateway, API key", key),
  ])}\n\n${table([
    [
      `1 GB from ${existsSync(program("python")) ? "uvicorn" : "a minimal server"}`,
      "direct",
      "gateway",
      "of the direct one",
      "goal",
      "met",
    ],
    [
      "speed",
      `${number(median(direct) / 1e6)} MB/s`,
      `${number(median(through) / 1e6)} MB/s`,
      number(share),
      `≥ ${GOAL.download}`,
      verdict(share >= GOAL.download),
    ],
    ["memory", "", `${number(growth)} MB more`, "", `< ${GOAL.growth} MB`, verdict(growth < GOAL.growth)],
  ])}\n\n${machine}, ${new Date().toISOString().slice(0, 10)}`;
}

try {
  console.log(report(await run()));
} finally {
  for (const work of last.reverse()) await work();
}
