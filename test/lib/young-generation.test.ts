/**
 * The young generation of V8, in a process of its own: what a start leaves it at, what load lets it become, and that an operator's
 * own limit holds.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../support/process.ts";

/** Prints megabytes of both halves after survivors of a start, and after those of a load that waits between its turns. */
const PROGRAM = `
import v8 from "node:v8";
import { setImmediate as turn } from "node:timers/promises";
import { keepYoungGenerationSmall, letYoungGenerationGrow } from "${new URL("../../src/lib/young-generation.ts", import.meta.url)}";
const size = () => v8.getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size / 2 ** 20;
let kept = [];
const survive = () => {
  for (let n = 0; n < 2_000; n++) kept.push({ n, text: "text " + n });
  if (kept.length > 100_000) kept = kept.slice(50_000);
};
keepYoungGenerationSmall();
for (let time = 0; time < 500; time++) survive();
console.log(size());
letYoungGenerationGrow();
for (let time = 0; time < 2_000; time++) {
  survive();
  await turn();
}
console.log(size());
`;

async function sizes(...options: string[]): Promise<readonly number[]> {
  const { code, stdout, stderr } = await run(
    [process.execPath, ...options, "--input-type=module", "--eval", PROGRAM],
    { env: { NODE_OPTIONS: undefined } },
  );
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
