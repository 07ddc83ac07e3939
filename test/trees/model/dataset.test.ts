import assert from "node:assert/strict";
import { test } from "node:test";
import { constantArray, container, valuesArray } from "../../../src/trees/memory/memory.ts";
import { float64, int64 } from "../../../src/trees/model/columns.ts";
import { datasetFrame } from "../../../src/trees/model/dataset.ts";

const along = (dim: string) => ({ dims: [dim] });
const x = ["x", valuesArray(float64(Float64Array.of(0.5, 1.5)), [2], along("x"))] as const;
const y = ["y", valuesArray(int64(BigInt64Array.of(7n, 8n)), [2], along("x"))] as const;

test("the dimension's coordinate is the index, or the rows are counted", async () => {
  const frame = await datasetFrame([y, x], null);
  assert.deepEqual(
    frame?.columns.map(({ name }) => name),
    ["y"],
  );
  assert.deepEqual(frame.index, { name: "x", values: float64(Float64Array.of(0.5, 1.5)) });
  assert.equal((await datasetFrame([y], null))?.index, null);
  assert.deepEqual((await datasetFrame([x, y], ["x"]))?.columns, []);
});

test("times are times", async () => {
  const days = BigInt64Array.of(1n, 2n);
  const frame = await datasetFrame(
    [["x", valuesArray({ type: "datetime64", unit: "ns", data: days }, [2], along("x"))], y],
    null,
  );
  assert.deepEqual(frame?.index?.values, { type: "datetime64", unit: "ns", data: days });
});

test("containers that are not frames", async () => {
  const z = ["z", valuesArray(float64(Float64Array.of(1, 2)), [2], along("z"))] as const;
  const longer = ["w", valuesArray(float64(Float64Array.of(1, 2, 3)), [3], along("x"))] as const;
  for (const [name, entries] of [
    ["two dimensions", [x, z]],
    ["another length", [x, longer]],
    ["no dimension", [["a", valuesArray(float64(Float64Array.of(1)), [1])] as const]],
    ["a plane", [["a", constantArray(1, [2, 2], { dims: ["x", "y"] })] as const]],
    ["a plane along one dimension", [["a", constantArray(1, [2, 2], along("x"))] as const]],
    ["a container", [["a", container([])] as const]],
    ["nothing", []],
  ] as const) {
    assert.equal(await datasetFrame(entries, null), undefined, name);
  }
});
