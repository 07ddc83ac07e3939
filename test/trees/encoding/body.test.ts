/** Bodies in chunks: the same bytes, however the data come, and never much at a time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tableFromIPC } from "apache-arrow";
import { arrayBody, type Body, CHUNK_BYTES, frameBody } from "../../../src/trees/encoding/body.ts";
import { constantArray, table, valuesArray } from "../../../src/trees/memory/memory.ts";
import { float64, int64, type Values } from "../../../src/trees/model/columns.ts";
import type { ArrayData, Frame } from "../../../src/trees/model/contract.ts";
import {
  countOf,
  parseSlices,
  partsOf,
  select,
  selectAll,
  shapeOf,
  spanOf,
} from "../../../src/trees/model/selection.ts";

async function whole(body: Body): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    assert.ok(chunk.length > 0 && chunk.length <= CHUNK_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* framesOf(...frames: Frame[]): AsyncGenerator<Frame> {
  yield* frames;
}

const counting = (length: number) => BigInt64Array.from({ length }, (_, index) => BigInt(index));

test("parts of a selection follow each other in C order and are small", async () => {
  const shape = [5, 6, 7];
  const array = (await valuesArray(int64(counting(210)), shape).open()) as ArrayData;
  for (const slices of ["", "::-1,2", "1:4,::2,::-3", "0,0,0", "5:,:"]) {
    const selection = select(shape, parseSlices(slices) ?? []) ?? assert.fail();
    const expected = Buffer.from(await array.read(selection));
    for (const most of [1, 3, 8, 50, 1000]) {
      const parts = [...partsOf(selection, most)];
      assert.ok(parts.every((part) => countOf(part) <= most));
      assert.ok(parts.every((part) => shapeOf(part).length === shapeOf(selection).length));
      const bytes = await Promise.all(parts.map((part) => array.read(part)));
      assert.deepEqual(Buffer.concat(bytes), expected, `${slices} by ${most}`);
    }
  }
});

test("bytes between the selected elements are counted", () => {
  const span = (slices: string) =>
    spanOf(select([10, 10], parseSlices(slices) ?? []) ?? assert.fail(), [10, 10]);
  assert.equal(span(""), 100);
  assert.equal(span("3"), 10);
  assert.equal(span("::9,0"), 91);
  assert.equal(span("::-9,::-9"), 100);
  assert.equal(span("2,3"), 1);
});

test("a large array is read and written a little at a time", async () => {
  const length = 300_000;
  const data = (await valuesArray(int64(counting(length)), [3, length / 3]).open()) as ArrayData;
  let most = 0;
  const watched: ArrayData = {
    ...data,
    read: async (selection) => {
      const bytes = await data.read(selection);
      most = Math.max(most, bytes.length);
      return bytes;
    },
  };
  const all = selectAll(data.shape);
  assert.deepEqual(await whole(arrayBody(watched, all, "bytes")), Buffer.from(await data.read(all)));
  assert.ok(most <= 512 * 1024);
  const rows = [0, 1, 2].map((row) => Array.from({ length: length / 3 }, (_, at) => row * (length / 3) + at));
  assert.equal((await whole(arrayBody(watched, all, "json"))).toString(), JSON.stringify(rows));
  const lines = rows.map((row) => `${row.join(",")}\n`).join("");
  assert.equal((await whole(arrayBody(watched, all, "csv"))).toString(), lines);
});

test("arrays without elements, or without dimensions", async () => {
  for (const [shape, json, csv] of [
    [[], "1.0", "1.0\n"],
    [[2, 0], "[[],[]]", ""],
    [[0], "[]", ""],
  ] as const) {
    const data = (await constantArray(1, shape).open()) as ArrayData;
    assert.equal((await whole(arrayBody(data, selectAll(shape), "json"))).toString(), json);
    assert.equal((await whole(arrayBody(data, selectAll(shape), "csv"))).toString(), csv);
  }
});

test("a frame's names are escaped, and its rows may come in any portions", async () => {
  const part = (from: number, to: number): Frame => ({
    length: to - from,
    index: null,
    columns: [
      { name: 'say "x", y', values: float64(Float64Array.of(1, 2.5, 3).slice(from, to)) },
      { name: "n", values: int64(BigInt64Array.of(1n, 2n, 3n).slice(from, to)) },
      { name: "t", values: { type: "text", data: ["a,b", null, "é"].slice(from, to) } },
    ],
  });
  for (const frames of [[part(0, 3)], [part(0, 1), part(1, 3)], [part(0, 0), part(0, 2), part(2, 3)]]) {
    const text = async (format: Parameters<typeof frameBody>[1]) =>
      (await whole(frameBody(framesOf(...frames), format))).toString();
    assert.equal(
      await text({ kind: "csv", header: true }),
      '"say ""x"", y",n,t\n1.0,1,"a,b"\n2.5,2,\n3.0,3,é\n',
    );
    assert.equal(await text({ kind: "csv", header: false }), '1.0,1,"a,b"\n2.5,2,\n3.0,3,é\n');
    assert.equal(
      await text({ kind: "json" }),
      '{"say \\"x\\", y":[1.0,2.5,3.0],"n":[1,2,3],"t":["a,b",null,"é"]}',
    );
  }
});

test("Arrow has one batch, the same for any portions", async () => {
  const columns: readonly Values[] = [
    float64(Float64Array.of(0.5, Number.NaN, 2)),
    int64(BigInt64Array.of(1n, -2n, 3n)),
    { type: "uint8", data: Uint8Array.of(1, 2, 3) },
    { type: "bool", data: Uint8Array.of(1, 0, 1) },
    { type: "datetime64", unit: "ms", data: BigInt64Array.of(1n, 2n, 3n) },
    { type: "text", data: ["a", null, "日本"] },
  ];
  const node = table(
    columns.map((values, index) => ({ name: `c${index}`, values })),
    3,
  );
  const data = (await node.open()) ?? assert.fail();
  const at_once = await whole(frameBody(data.frames(null, null), { kind: "arrow" }));
  const portions: Frame[] = [];
  for (const partition of [0, 1, 2])
    for await (const frame of data.frames(partition, null)) portions.push(frame);
  assert.deepEqual(await whole(frameBody(framesOf(...portions), { kind: "arrow" })), at_once);
  const read = tableFromIPC(at_once);
  assert.equal(read.batches.length, 1);
  assert.deepEqual(
    read.toArray().map((row) => Object.values((row as { toJSON(): object }).toJSON()).slice(0, 6)),
    [
      [0.5, 1n, 1, true, 1, "a"],
      [Number.NaN, -2n, 2, false, 2, null],
      [2, 3n, 3, true, 3, "日本"],
    ],
  );
});
