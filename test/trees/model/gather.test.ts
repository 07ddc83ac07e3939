import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { copyRun, runsOf } from "../../../src/trees/model/gather.ts";
import { countOf, parseSlices, select, selectAll } from "../../../src/trees/model/selection.ts";

type Case = readonly [
  shape: number[],
  slices: string,
  resultShape: number[] | null,
  elements: number[] | null,
];

const CASES = JSON.parse(
  readFileSync(new URL("numpy-slices.json", import.meta.url), "utf8"),
) as readonly Case[];

/** The elements 0, 1, … (counted in C order) as Fortran stores them: the first index runs fastest. */
function fortran(shape: readonly number[]): Uint8Array {
  const size = shape.reduce((product, length) => product * length, 1);
  const stored = new Int32Array(size);
  for (let element = 0; element < size; element += 1) {
    let rest = element;
    let place = 0;
    for (let dimension = shape.length - 1; dimension >= 0; dimension -= 1) {
      const length = shape[dimension] ?? 1;
      const before = shape.slice(0, dimension).reduce((product, other) => product * other, 1);
      place += (rest % length) * before;
      rest = Math.floor(rest / length);
    }
    stored[place] = element;
  }
  return new Uint8Array(stored.buffer);
}

test("Fortran order is converted to C order, read from front to back", () => {
  for (const [shape, text, , elements] of CASES) {
    const selection = select(shape, parseSlices(text) ?? assert.fail(text));
    if (selection === undefined || elements === null) continue;
    const stored = fortran(shape);
    const target = new Uint8Array(countOf(selection) * 4);
    let last = -1;
    for (const run of runsOf(shape, selection, "F")) {
      assert.ok(run.from > last && run.step > 0, `${text} of ${shape} goes back`);
      last = run.from;
      copyRun(stored, 0, run, 4, target);
    }
    assert.deepEqual([...new Int32Array(target.buffer)], elements, `${text} of ${shape}`);
  }
});

test("a whole array, and whole rows of it, are one run", () => {
  assert.deepEqual(
    [...runsOf([3, 4, 5], selectAll([3, 4, 5]), "C")],
    [{ from: 0, step: 1, count: 60, to: 0, toStep: 1 }],
  );
  const rows = select([3, 4, 5], parseSlices("1,1:3") ?? []) ?? assert.fail();
  assert.deepEqual([...runsOf([3, 4, 5], rows, "C")], [{ from: 25, step: 1, count: 10, to: 0, toStep: 1 }]);
  assert.deepEqual([...runsOf([], [], "C")], [{ from: 0, step: 1, count: 1, to: 0, toStep: 1 }]);
  assert.deepEqual([...runsOf([3, 0], selectAll([3, 0]), "C")], []);
  const column = select([1000, 3], parseSlices(":,1") ?? []) ?? assert.fail();
  assert.deepEqual(
    [...runsOf([1000, 3], column, "C")],
    [{ from: 1, step: 3, count: 1000, to: 0, toStep: 1 }],
  );
});
