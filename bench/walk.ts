/**
 * Lists the source files that a request passes through, sorted by path: `node bench/walk.ts`. It uses V8's coverage of the
 * functions that ran between the arrival of one request and its answer, after the same request has been made a few times.
 */
import { Session } from "node:inspector/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { testApp } from "../test/support/app.ts";
import { startBoth } from "../test/support/upstream.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });

/** Files below `src` with the number of functions that ran. */
async function walk(request: () => Promise<unknown>): Promise<Map<string, number>> {
  for (let round = 0; round < 3; round++) await request();
  await session.post("Profiler.takePreciseCoverage");
  await request();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const files = new Map<string, number>();
  for (const { url, functions } of result) {
    if (!url.startsWith("file:")) continue;
    const path = relative(ROOT, fileURLToPath(url));
    const ran = functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0).length;
    if (path.startsWith("src/") && ran > 0) files.set(path, ran);
  }
  return files;
}

function print(title: string, files: ReadonlyMap<string, number>): void {
  const functions = [...files.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${title}: ${files.size} files, ${functions} functions`);
  for (const [path, count] of [...files].sort()) console.log(`  ${path} ${count}`);
}

{
  await using t = await testApp();
  let { refresh_token } = await t.login("bob");
  const refresh = async () => {
    ({ refresh_token } = (await t.refresh(refresh_token)).json());
  };
  print("Refresh", await walk(refresh));
}
{
  const cleanups: (() => unknown)[] = [];
  const { t, url } = await startBoth((last) => cleanups.push(last));
  const { access_token } = await t.login("bob");
  const headers = { authorization: `Bearer ${access_token}` };
  const read = async () => (await fetch(`${url}/api/v1/metadata/A`, { headers })).text();
  print("Gateway", await walk(read));
  for (const cleanup of cleanups.reverse()) await cleanup();
}
session.disconnect();
