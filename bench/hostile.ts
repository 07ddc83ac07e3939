/**
 * `npm run bench:hostile`: measures what attacks cost other users. Each scenario of `hostile/scenarios/` gets its own server;
 * its memory is watched, and `/healthz` and logins are timed during the attack. `--server DIR` runs the server of another
 * checkout, for comparison; arguments choose scenarios by name. All traffic stays on 127.0.0.1.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { configurationFile } from "../test/support/folders.ts";
import { placeOf, type Scenario } from "./hostile/scenario.ts";
import { type Observed, observe } from "./hostile/watch.ts";
import { OURS, start } from "./servers.ts";
import { number, table } from "./table.ts";

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    /** Another checkout, built or not; it needs its node_modules. */
    server: { type: "string" },
    /** Memory in megabytes at which a server is killed, to protect the machine. */
    most: { type: "string", default: "9000" },
    list: { type: "boolean", default: false },
  },
});

const FOLDER = fileURLToPath(new URL("hostile/scenarios", import.meta.url));

async function allScenarios(): Promise<readonly Scenario[]> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith(".ts")).sort();
  const modules = await Promise.all(
    files.map((name): Promise<{ scenarios: readonly Scenario[] }> => import(join(FOLDER, name))),
  );
  return modules.flatMap(({ scenarios }) => scenarios);
}

/** The program that serves a configuration; `node` and its options come before it. */
function program(directory: string | undefined): string {
  if (directory === undefined) return OURS[1] ?? "";
  const built = resolve(directory, "dist/src/bin.js");
  return existsSync(built) ? built : resolve(directory, "src/bin.ts");
}

/** Sets the limit in a shell, which is then replaced by the server. */
function limited(descriptors: number | undefined, command: readonly string[]): readonly string[] {
  return descriptors === undefined
    ? command
    : ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh", ...command];
}

async function run(scenario: Scenario): Promise<Observed> {
  const last: (() => Promise<unknown>)[] = [];
  const cleanup = (work: () => Promise<unknown>) => void last.push(work);
  try {
    const { config, run } = await scenario.prepare(placeOf(cleanup));
    const file = await configurationFile(cleanup, config);
    const command = [
      process.execPath,
      ...(scenario.node ?? []),
      program(options.server),
      "serve",
      "config",
      file,
      "--port",
    ];
    const server = await start(limited(scenario.descriptors, command));
    cleanup(() => server.stop());
    // Let the start settle, so that it does not count for the attack.
    await delay(500);
    return await observe(server, Number(options.most), (count) => run(server, count));
  } finally {
    for (const work of last.reverse()) await work();
  }
}

function row({ name, attack }: Scenario, observed: Observed): readonly string[] {
  const { peak, idle, healthz, logins, failed, outcomes, ended } = observed;
  const times = ({ p99, max }: Observed["healthz"]) => `${number(p99)} / ${number(max)} ms`;
  const counted = Object.entries(outcomes).map(([outcome, count]) => `${count} × ${outcome}`);
  if (failed > 0) counted.push(`${failed} honest requests failed`);
  if (ended !== null) counted.push(`**server ended: ${ended}**`);
  const memory = `${number(idle)} → ${number(peak)} MB`;
  return [name, attack, memory, times(healthz), times(logins), counted.join(", ")];
}

const known = await allScenarios();
const chosen =
  wanted.length === 0 ? known : known.filter(({ name }) => wanted.some((part) => name.startsWith(part)));
if (options.list || chosen.length === 0) {
  console.log(known.map(({ name, attack }) => `${name}: ${attack}`).join("\n"));
} else {
  const rows: (readonly string[])[] = [
    ["scenario", "attack", "memory, idle → peak", "/healthz p99 / max", "login p99 / max", "outcomes"],
  ];
  for (const scenario of chosen) {
    console.error(`${scenario.name} …`);
    rows.push(row(scenario, await run(scenario)));
  }
  console.log(table(rows));
  console.log(
    `\n${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}`,
  );
}
process.exit();
