import assert from "node:assert/strict";
import { test } from "node:test";
import { asArray, float64, int64 } from "../../src/trees/columns.ts";
import { arrayCsv, arrayJson, elementTexts, frameCsv, frameJson } from "../../src/trees/text.ts";

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

test("shapes become nested lists", () => {
  const texts = ["1", "2", "3", "4", "5", "6"];
  assert.equal(arrayJson(texts, [2, 3]), "[[1,2,3],[4,5,6]]");
  assert.equal(arrayJson(texts, [3, 1, 2]), "[[[1,2]],[[3,4]],[[5,6]]]");
  assert.equal(arrayJson(["1"], []), "1");
  assert.equal(arrayJson([], [0]), "[]");
  assert.equal(arrayJson([], [2, 0]), "[[],[]]");
  assert.equal(arrayJson([], [0, 2]), "[]");
  assert.equal(arrayCsv(texts, [2, 3]), "1,2,3\n4,5,6\n");
  assert.equal(arrayCsv(texts, [6]), "1\n2\n3\n4\n5\n6\n");
  assert.equal(arrayCsv([], [2, 0]), "");
});

test("a frame's names are escaped", () => {
  const frame = {
    length: 2,
    index: null,
    columns: [
      { name: 'say "x", y', values: float64(Float64Array.of(1, 2.5)) },
      { name: "n", values: int64(BigInt64Array.of(1n, 2n)) },
    ],
  };
  assert.equal(frameCsv(frame, true), '"say ""x"", y",n\n1.0,1\n2.5,2\n');
  assert.equal(frameCsv(frame, false), "1.0,1\n2.5,2\n");
  assert.equal(frameJson(frame), '{"say \\"x\\", y":[1.0,2.5],"n":[1,2]}');
});
