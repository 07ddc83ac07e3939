/**
 * Runs the tests: `npm test` all, `npm run test:unit` the unit tests, `npm test -- test/store` those of a folder. Unit tests
 * (see `test-files.ts`) share a few processes, which saves most of their time; every other file has its own process, and one
 * PostgreSQL serves all that do not restart it. Prints the slowest files at the end.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { share, startPostgres } from "../test/support/postgres.ts";
import { slowest } from "./slowest.ts";
import { testFiles } from "./test-files.ts";

const ROOT = resolve(import.meta.dirname, "..");
/** At once: two more than there are processors, since many tests wait for a program, a socket or a clock. */
const AT_ONCE = Math.min(availableParallelism(), 4) + 2;
/** Among which the unit tests are divided. By themselves they all run at once. */
const UNIT_PROCESSES = 4;

const { values, positionals } = parseArgs({ options: { unit: { type: "boolean" } }, allowPositionals: true });
const { unit, alone, others } = testFiles(ROOT, positionals);
const services = values.unit ? [] : others;

const folder = mkdtempSync(join(tmpdir(), "tiled-auth-tests-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

process.env["NODE_COMPILE_CACHE"] ??= join(ROOT, "node_modules/.cache/tiled-auth-tests");
process.env["TILED_AUTH_TEST_PROGRAM"] = join(ROOT, "dist/src/bin.js");
// Its databases are many and short-lived: not worth a visit.
const postgres = services.length === 0 ? undefined : await startPostgres({ autovacuum: "off" });
if (postgres !== undefined) share(postgres);

/** Generated files, each importing a share of the unit tests. */
const parts = Array.from({ length: Math.min(UNIT_PROCESSES, unit.length) }, (_, number) => {
  const part = join(folder, `unit-${number + 1}.mjs`);
  const urls = unit
    .filter((_file, index) => index % UNIT_PROCESSES === number)
    .map((file) => pathToFileURL(join(ROOT, file)));
  writeFileSync(part, urls.map((url) => `import ${JSON.stringify(url)};\n`).join(""));
  return part;
});

// The slowest start first, so that no process is left running alone at the end.
const first = services.filter((file) => file.startsWith("test/real/"));
const files = [...new Set([...first, ...services, ...alone])].map((file) => join(ROOT, file));
const events = run({ files: [...files, ...parts], concurrency: values.unit ? UNIT_PROCESSES : AT_ONCE });
events.on("test:fail", ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
const slowestFiles = slowest(events, ROOT);
const output = events.compose(spec);
output.pipe(process.stdout, { end: false });
await finished(output);
console.log(slowestFiles());
await postgres?.remove();
