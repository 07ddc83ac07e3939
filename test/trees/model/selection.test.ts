import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gather } from "../../../src/trees/model/gather.ts";
import {
  countOf,
  parseSlices,
  select,
  selectBlock,
  shapeOf,
  within,
} from "../../../src/trees/model/selection.ts";

/** Shape, slice, and what NumPy makes of it: the result's shape and its elements of `arange`; null where it refuses. */
type Case = readonly [number[], string, number[] | null, number[] | null];

const CASES = JSON.parse(
  readFileSync(new URL("numpy-slices.json", import.meta.url), "utf8"),
) as readonly Case[];

test("slices match NumPy's", async () => {
  for (const [shape, text, resultShape, elements] of CASES) {
    const selection = select(shape, parseSlices(text) ?? assert.fail(text));
    if (resultShape === null || elements === null) {
      assert.equal(selection, undefined, `${text} of ${shape}`);
      continue;
    }
    assert.ok(selection, `${text} of ${shape}`);
    assert.deepEqual(shapeOf(selection), resultShape, `${text} of ${shape}`);
    assert.equal(countOf(selection), elements.length);
    const size = shape.reduce((product, length) => product * length, 1);
    const stored = new Uint8Array(Float64Array.from({ length: size }, (_, index) => index).buffer);
    const bytes = gather(stored, shape, selection, 8);
    assert.deepEqual([...new Float64Array(bytes.buffer)], elements, `${text} of ${shape}`);
  }
});

test("an empty slice is the whole array; huge bounds are clamped", () => {
  assert.deepEqual(parseSlices(""), []);
  assert.deepEqual(shapeOf(select([3, 4], []) ?? []), [3, 4]);
  const huge = "9".repeat(400);
  for (const [text, length] of [
    [`:${huge}`, 5],
    [`-${huge}:`, 5],
    [`${huge}:`, 0],
    [`::${huge}`, 1],
    [`::-${huge}`, 1],
  ] as const) {
    const [axis] = select([5], parseSlices(text) ?? []) ?? [];
    assert.equal(axis?.length, length, text.slice(0, 6));
    assert.ok(Number.isSafeInteger(axis.start) && Number.isSafeInteger(axis.step));
  }
  assert.equal(select([5], parseSlices(huge) ?? []), undefined);
  assert.deepEqual(select([0], parseSlices("::-1") ?? []), [
    { start: -1, step: -1, length: 0, dropped: false },
  ]);
});

test("texts outside NumPy's grammar are refused", () => {
  for (const text of [
    "::x",
    "0,",
    ",0",
    ",,",
    ":::",
    "1.5",
    "+1",
    " 1",
    "...",
    "None",
    "0x1",
    "--1",
    "1:2:3:4",
  ]) {
    assert.equal(parseSlices(text), undefined, text);
  }
  assert.equal(parseSlices(Array(100).fill("0").join(",")), undefined);
  assert.equal(select([5], parseSlices("::0") ?? assert.fail()), undefined);
  assert.equal(select([5], parseSlices("0,0") ?? assert.fail()), undefined);
});

test("blocks are the chunks at their places, slices go within them", () => {
  const chunks = [
    [34, 33, 33],
    [10, 5],
  ];
  const block = selectBlock(chunks, [1, 1]) ?? assert.fail();
  assert.deepEqual(
    block.map(({ start, length }) => [start, length]),
    [
      [34, 33],
      [10, 5],
    ],
  );
  const inner = select([33, 5], parseSlices("::-2,-1") ?? []) ?? assert.fail();
  assert.deepEqual(within(block, inner), [
    { start: 66, step: -2, length: 17, dropped: false },
    { start: 14, step: 1, length: 1, dropped: true },
  ]);
  for (const outside of [
    [3, 0],
    [0, 2],
    [-1, 0],
    [0.5, 0],
    [Number.NaN, 0],
    [1e23, 0],
  ]) {
    assert.equal(selectBlock(chunks, outside), undefined, String(outside));
  }
});
