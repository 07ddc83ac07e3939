/**
 * Keeps V8's young generation small. V8 doubles it whenever many objects survive, as in each start, up to 128 MB on a large
 * machine, and gives nothing back while requests come. Their garbage dies at once and is collected as cheaply in a small one.
 * The growth is a flag that V8 reads each time. Its own limit can be set only before a process starts, which the operator may do:
 * `NODE_OPTIONS=--max-semi-space-size=16`.
 */
import { PerformanceObserver } from "node:perf_hooks";
import v8 from "node:v8";

/** Bytes of each half. V8 begins with 1 MB. */
const ENOUGH = 4 * 1024 * 1024;

/** Call it first of all. */
export function keepYoungGenerationSmall(): void {
  if (isChosen()) return;
  v8.setFlagsFromString("--semi-space-growth-factor=1");
}

/** After the start: lets it grow under load, to `ENOUGH`. */
export function letYoungGenerationGrow(): void {
  if (isChosen()) return;
  v8.setFlagsFromString("--semi-space-growth-factor=2");
  const observer = new PerformanceObserver(() => {
    if (sizeOfHalf() < ENOUGH) return;
    v8.setFlagsFromString("--semi-space-growth-factor=1");
    observer.disconnect();
  });
  observer.observe({ type: "gc" });
}

function isChosen(): boolean {
  return [process.env["NODE_OPTIONS"] ?? "", ...process.execArgv].some((option) =>
    /semi[-_]space/.test(option),
  );
}

function sizeOfHalf(): number {
  const young = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (young?.space_size ?? 0) / 2;
}
