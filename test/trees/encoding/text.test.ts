import assert from "node:assert/strict";
import { test } from "node:test";
import {
  csvLayout,
  elementTexts,
  emptyJson,
  jsonLayout,
  type Layout,
} from "../../../src/trees/encoding/text.ts";
import { asArray } from "../../../src/trees/model/columns.ts";

function type(kind: string, itemsize: number, endianness: "little" | "big" = "little") {
  return { kind, itemsize, endianness, dt_units: null };
}

function bytes(values: { buffer: ArrayBuffer }): Uint8Array {
  return new Uint8Array(values.buffer);
}

test("elements are written as Python writes them", () => {
  const floats = bytes(Float64Array.of(1, -0, 0.1, 1e16, 1e21, 1e-7, Number.NaN, Infinity, -Infinity));
  assert.deepEqual(elementTexts(floats, type("f", 8), "csv"), [
    "1.0",
    "-0.0",
    "0.1",
    "10000000000000000.0",
    "1e+21",
    "1e-7",
    "nan",
    "inf",
    "-inf",
  ]);
  assert.deepEqual(elementTexts(floats, type("f", 8), "json")?.slice(-3), ["null", "null", "null"]);
  assert.deepEqual(
    elementTexts(bytes(BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n)), type("i", 8), "json"),
    ["-9223372036854775808", "9007199254740993"],
  );
  assert.deepEqual(elementTexts(Uint8Array.of(0, 1), type("b", 1), "json"), ["false", "true"]);
  assert.deepEqual(elementTexts(Uint8Array.of(1, 0), type("u", 2, "big"), "json"), ["256"]);
  assert.deepEqual(elementTexts(Uint8Array.of(1, 0), type("u", 2), "json"), ["1"]);
  assert.equal(elementTexts(Uint8Array.of(1, 0), type("V", 2), "json"), undefined);
});

test("texts, times and structs are written as Python writes them", () => {
  const { dataType, bytes: utf32 } = asArray({ type: "text", data: ["a,b", 'é"😀', null] });
  assert.deepEqual(elementTexts(utf32, dataType, "json"), ['"a,b"', '"é\\"😀"', '""']);
  assert.deepEqual(elementTexts(utf32, dataType, "csv"), ['"a,b"', '"é""😀"', ""]);
  assert.deepEqual(elementTexts(Buffer.from("ab\0c\0\0"), type("S", 3), "csv"), ["ab", "c"]);
  assert.deepEqual(elementTexts(new Uint8Array([255, 255, 255, 255]), type("U", 4), "csv"), ["\ufffd"]);
  const time = (unit: string, value: bigint, format: "json" | "csv" = "csv") =>
    elementTexts(bytes(BigInt64Array.of(value)), { ...type("M", 8), dt_units: unit }, format)?.[0];
  assert.equal(time("[D]", 20089n), "2025-01-01T00:00:00");
  assert.equal(time("[s]", -1n), "1969-12-31T23:59:59");
  assert.equal(time("[ms]", 1500n), "1970-01-01T00:00:01.5");
  assert.equal(time("[ns]", -1n, "json"), '"1969-12-31T23:59:59.999999999"');
  assert.deepEqual([time("[ns]", -(2n ** 63n), "json"), time("[ns]", -(2n ** 63n))], ["null", ""]);
  assert.equal(time("[s]", 2n ** 62n, "json"), "null");
  assert.equal(time("[25s]", 1n), undefined);
  const struct = {
    itemsize: 5,
    fields: [
      { name: "a", dtype: type("i", 4), shape: null },
      { name: "b", dtype: type("b", 1), shape: null },
    ],
  };
  assert.deepEqual(elementTexts(Uint8Array.of(7, 0, 0, 0, 1), struct, "json"), ["[7,true]"]);
  assert.equal(elementTexts(Uint8Array.of(7, 0, 0, 0, 1), struct, "csv"), undefined);
  const withShape = { itemsize: 2, fields: [{ name: "a", dtype: type("i", 1), shape: [2] }] };
  assert.equal(elementTexts(Uint8Array.of(1, 2), withShape, "json"), undefined);
});

test("shapes become nested lists, however their elements come", () => {
  const texts = ["1", "2", "3", "4", "5", "6"];
  const json = (shape: readonly number[], by: number) => by_(jsonLayout(shape), by);
  const csv = (shape: readonly number[], by: number) => by_(csvLayout(shape), by);
  const by_ = (layout: Layout, by: number) => {
    let text = "";
    for (let at = 0; at < texts.length; at += by) text += layout.add(texts.slice(at, at + by));
    return text;
  };
  for (const by of [1, 2, 4, 6]) {
    assert.equal(json([2, 3], by), "[[1,2,3],[4,5,6]]");
    assert.equal(json([3, 1, 2], by), "[[[1,2]],[[3,4]],[[5,6]]]");
    assert.equal(csv([2, 3], by), "1,2,3\n4,5,6\n");
    assert.equal(csv([6], by), "1\n2\n3\n4\n5\n6\n");
  }
  assert.equal(jsonLayout([]).add(["1"]), "1");
  assert.equal(csvLayout([]).add(["1"]), "1\n");
});

test("a shape without elements becomes nested empty lists, unless there are too many", () => {
  assert.equal(emptyJson([0], 10), "[]");
  assert.equal(emptyJson([2, 0], 10), "[[],[]]");
  assert.equal(emptyJson([0, 2], 10), "[]");
  assert.equal(emptyJson([2, 2, 0], 4), "[[[],[]],[[],[]]]");
  assert.equal(emptyJson([1_000_000_000, 0], 10), undefined);
});
