/**
 * V8's heap in a process of its own: what a start leaves the young generation at, what load lets both generations become, and that
 * an operator's own limit holds.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../support/process.ts";

/** Prints megabytes of both halves after survivors of a start, and after those of a load that waits between its turns. */
const PROGRAM = `
import v8 from "node:v8";
import { setImmediate as turn } from "node:timers/promises";
import { keepHeapSmall, letYoungGenerationGrow } from "${new URL("../../src/lib/heap-growth.ts", import.meta.url)}";
const size = () => v8.getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size / 2 ** 20;
let kept = [];
const survive = () => {
  for (let n = 0; n < 2_000; n++) kept.push({ n, text: "text " + n });
  if (kept.length > 100_000) kept = kept.slice(50_000);
};
keepHeapSmall();
for (let time = 0; time < 500; time++) survive();
console.log(size());
letYoungGenerationGrow();
for (let time = 0; time < 2_000; time++) {
  survive();
  await turn();
}
console.log(size());
`;

/** Prints the most megabytes of the heap while 40 MB are in use, and others come and go. */
const COMING_AND_GOING = `
import { setImmediate as turn } from "node:timers/promises";
import { keepHeapSmall } from "${new URL("../../src/lib/heap-growth.ts", import.meta.url)}";
if (process.argv.includes("small")) keepHeapSmall();
const made = (count) => Array.from({ length: count }, (_, n) => ({ n, text: "text " + n }));
const kept = made(400_000);
let most = 0;
let passing = [];
for (let time = 0; time < 600; time++) {
  passing.push(made(2_000));
  if (passing.length > 50) passing = passing.slice(25);
  most = Math.max(most, process.memoryUsage().heapTotal / 2 ** 20);
  await turn();
}
console.log(kept.length > 0 && most);
`;

async function sizes(...options: string[]): Promise<readonly number[]> {
  return numbers([...options, "--input-type=module", "--eval", PROGRAM]);
}

async function numbers(args: readonly string[]): Promise<readonly number[]> {
  const { code, stdout, stderr } = await run([process.execPath, ...args], {
    env: { NODE_OPTIONS: undefined },
  });
  assert.equal(code, 0, stderr);
  return stdout.trim().split("\n").map(Number);
}

test("the young generation stays small after the survivors of a start, and under load", async () => {
  const [started = 0, loaded = 0] = await sizes();
  assert.ok(started <= 4, `${started} MB`);
  assert.ok(loaded <= 16, `${loaded} MB`);
});

test("a limit of the operator is left alone", async () => {
  const [started = 0] = await sizes("--max-semi-space-size=16");
  assert.ok(started > 16, `${started} MB`);
});

test("the old generation is collected before it has doubled", async () => {
  const args = ["--input-type=module", "--eval", COMING_AND_GOING];
  const [most = 0] = await numbers([...args, "small"]);
  const [usual = 0] = await numbers(args);
  assert.ok(most < usual * 0.9, `${most} MB, and ${usual} MB without`);
});
