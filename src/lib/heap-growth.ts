/**
 * Keeps V8's heap small. A process that needs 50 MB otherwise takes twice as much, and gives little of it back.
 *
 * V8 doubles the young generation whenever many objects survive, as in each start, up to 128 MB on a large machine. Its garbage dies
 * at once and is collected as cheaply in a small one. It lets the old generation grow to a multiple of what was in use before it
 * collects again, up to 4 GB. Both rates are flags that V8 reads each time. Its limits can be set only before a process starts,
 * which the operator may do: `NODE_OPTIONS="--max-semi-space-size=16 --max-old-space-size=128"`.
 */
import { PerformanceObserver } from "node:perf_hooks";
import v8 from "node:v8";

/** Per cent by which the old generation may grow between two collections. */
const OLD_GROWTH = 30;

/** Bytes of each half. V8 begins with 1 MB. */
const ENOUGH = 4 * 1024 * 1024;

const SEMI_SPACE = /semi[-_]space/;

/** Call it first of all. */
export function keepHeapSmall(): void {
  if (!isChosen(/heap[-_]growing/)) v8.setFlagsFromString(`--heap-growing-percent=${OLD_GROWTH}`);
  if (isChosen(SEMI_SPACE)) return;
  v8.setFlagsFromString("--semi-space-growth-factor=1");
}

/** After the start: lets it grow under load, to `ENOUGH`. */
export function letYoungGenerationGrow(): void {
  if (isChosen(SEMI_SPACE)) return;
  v8.setFlagsFromString("--semi-space-growth-factor=2");
  const observer = new PerformanceObserver(() => {
    if (sizeOfHalf() < ENOUGH) return;
    v8.setFlagsFromString("--semi-space-growth-factor=1");
    observer.disconnect();
  });
  observer.observe({ type: "gc" });
}

function isChosen(flag: RegExp): boolean {
  return [process.env["NODE_OPTIONS"] ?? "", ...process.execArgv].some((option) => flag.test(option));
}

function sizeOfHalf(): number {
  const young = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (young?.space_size ?? 0) / 2;
}
