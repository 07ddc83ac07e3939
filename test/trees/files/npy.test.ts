import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { Failure } from "../../../src/errors.ts";
import { chunksOf } from "../../../src/trees/files/chunks.ts";
import { parseHeader } from "../../../src/trees/files/npy-header.ts";
import { parseLiteral } from "../../../src/trees/files/python-literal.ts";
import type { ArrayData } from "../../../src/trees/model/contract.ts";
import { gather } from "../../../src/trees/model/gather.ts";
import { parseSlices, select, selectAll } from "../../../src/trees/model/selection.ts";
import { Folder, keys, npy, open } from "./support.ts";

interface NumpyFile {
  readonly name: string;
  /** All three in base64; `bytes`: the elements in C order. */
  readonly file: string;
  readonly bytes: string;
  readonly shape: readonly number[];
  readonly type: string;
}

const FILES = JSON.parse(readFileSync(new URL("numpy-files.json", import.meta.url), "utf8")) as {
  readonly arrays: readonly NumpyFile[];
  readonly refused: readonly Pick<NumpyFile, "name" | "file">[];
};

async function opened(t: TestContext, file: Uint8Array): Promise<{ data: ArrayData; folder: Folder }> {
  const folder = new Folder(t.after.bind(t), { "a.npy": file });
  const node = await (await open(folder)).root.child("a");
  assert.ok(node?.family === "array");
  return { data: (await node.open()) ?? assert.fail("unreadable"), folder };
}

describe("arrays that NumPy has written", () => {
  for (const { name, file, bytes, shape, type } of FILES.arrays) {
    test(name, async (t) => {
      const { data } = await opened(t, Buffer.from(file, "base64"));
      assert.deepEqual(data.shape, shape);
      assert.deepEqual(Buffer.from(await data.read(selectAll(shape))), Buffer.from(bytes, "base64"));
      const { dataType } = data;
      if (!("kind" in dataType)) return;
      const order = { little: "<", big: ">", not_applicable: "|" }[dataType.endianness];
      const size = dataType.kind === "U" ? dataType.itemsize / 4 : dataType.itemsize;
      const units = dataType.dt_units === "[generic]" ? "" : (dataType.dt_units ?? "");
      assert.equal(`${order}${dataType.kind}${size}${units}`, type);
    });
  }

  test("a struct's fields, one after the other", async (t) => {
    const file = FILES.arrays.find(({ name }) => name === "struct") ?? assert.fail();
    const { data } = await opened(t, Buffer.from(file.file, "base64"));
    assert.ok("fields" in data.dataType);
    assert.equal(data.dataType.itemsize, 50);
    assert.deepEqual(
      data.dataType.fields.map(({ name, dtype, shape }) => [name, dtype.itemsize, shape]),
      [
        ["name", 40, null],
        ["age", 4, null],
        ["weight", 4, null],
        ["pair", 1, [2]],
      ],
    );
  });
});

describe("unreadable files", () => {
  const good = npy([1, 2, 3]);
  const header = (text: string) => {
    const file = Buffer.alloc(10 + text.length);
    file.write("\x93NUMPY\x01\x00", "latin1");
    file.writeUInt16LE(text.length, 8);
    file.write(text, 10, "latin1");
    return file;
  };
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ...FILES.refused.map(({ name, file }) => [name, Buffer.from(file, "base64"), /pickle/] as const),
    ["nothing", Buffer.alloc(0), /not an \.npy file/],
    ["something else", Buffer.from("PK\x03\x04 and so on"), /not an \.npy file/],
    ["a newer format", Buffer.from("\x93NUMPY\x09\x00v\x00{", "latin1"), /version 9 is not supported/],
    ["half a header", good.subarray(0, 40), /incomplete/],
    ["a header that promises much", Buffer.from("\x93NUMPY\x02\x00\xff\xff\xff\xff{", "latin1"), /too long/],
    ["fewer elements than promised", good.subarray(0, good.length - 1), /shorter than its header says/],
    ["no header at all", header("import os"), /cannot be read/],
    ["code", header("{'descr': __import__('os'), 'fortran_order': False, 'shape': ()}"), /cannot be read/],
    [
      "a negative length",
      header("{'descr': '<i4', 'fortran_order': False, 'shape': (-1,)}"),
      /cannot be read/,
    ],
    [
      "a shape of texts",
      header("{'descr': '<i4', 'fortran_order': False, 'shape': ('1',)}"),
      /cannot be read/,
    ],
    [
      "more than a file can have",
      header("{'descr': '<i4', 'fortran_order': False, 'shape': (9000000000000, 9000000000000)}"),
      /impossible size/,
    ],
    ["an unknown type", header("{'descr': '<q4', 'fortran_order': False, 'shape': ()}"), /not supported/],
    [
      "elements of nothing",
      header("{'descr': '|S0', 'fortran_order': False, 'shape': (3,)}"),
      /not supported/,
    ],
    ["a type within a type", header(`{'descr': ${"[('a',".repeat(100)}, 'shape': ()}`), /cannot be read/],
  ];
  for (const [name, bytes, why] of cases) {
    test(name, async (t) => {
      const folder = new Folder(t.after.bind(t), { "a.npy": bytes, "b.npy": good });
      const { root, warnings } = await open(folder);
      const node = await root.child("a");
      assert.ok(node?.family === "array");
      assert.equal(await node.open(), undefined);
      assert.match(warnings.join("\n"), why);
      assert.deepEqual(await keys(root), ["b"]);
      assert.equal(await root.child("a"), undefined);
    });
  }
});

describe("parts of an array", () => {
  const shape = [40, 30, 50];
  const values = Array.from({ length: 60_000 }, (_, index) => index);
  const SLICES = ["", "1", "::7,3:20,-1", ":,:,::-1", "5:6,::-3,10:40:7", ":,0,0", "39,29,39", "::-1"];

  for (const fortran of [false, true]) {
    test(fortran ? "in Fortran's order" : "in C's order", async (t) => {
      // Element (i, j, k) of the Fortran file is the number at (k, j, i) of the C one.
      const { data } = await opened(t, npy(values, fortran ? shape.toReversed() : shape, fortran));
      const stored = new Uint8Array(Int32Array.from(values).buffer);
      for (const text of SLICES) {
        const selection = select(data.shape, parseSlices(text) ?? []) ?? assert.fail();
        const got = new Int32Array((await data.read(selection)).slice().buffer);
        const expected = fortran ? transposed(selection, stored) : gather(stored, shape, selection, 4);
        assert.deepEqual(got, new Int32Array(expected.slice().buffer), text);
      }
    });
  }

  function transposed(selection: ReturnType<typeof selectAll>, stored: Uint8Array): Uint8Array {
    const [first, second, third] = selection.map(({ start, step, length }) =>
      Array.from({ length }, (_, index) => start + index * step),
    );
    const numbers = new Int32Array(stored.buffer);
    const picked = (first ?? []).flatMap((i) =>
      (second ?? []).flatMap((j) => (third ?? []).map((k) => numbers[(k * 30 + j) * 50 + i] ?? -1)),
    );
    return new Uint8Array(Int32Array.from(picked).buffer);
  }

  test("a file truncated or replaced while being read is detected", async (t) => {
    const { data, folder } = await opened(t, npy([1, 2, 3]));
    await truncate(folder.at("a.npy"), 130);
    const changed = (error: unknown) => error instanceof Failure && error.code === "changed";
    await assert.rejects(data.read(selectAll([3])), changed);
    await writeFile(folder.at("a.npy"), npy([4, 5, 6]));
    await assert.rejects(data.read(selectAll([3])), changed);
  });
});

test("large arrays are cut along the dimensions with the longest strides", () => {
  assert.deepEqual(chunksOf([100, 100], 8, "C"), [[100], [100]]);
  assert.deepEqual(chunksOf([], 8, "C"), []);
  assert.deepEqual(chunksOf([0, 5], 8, "C"), [[0], [5]]);
  const [rows, columns] = chunksOf([10_000, 10_000], 8, "C");
  assert.deepEqual(columns, [10_000]);
  assert.ok((rows?.length ?? 0) >= 24 && rows?.reduce((sum, length) => sum + length, 0) === 10_000);
  assert.deepEqual(chunksOf([10_000, 10_000], 8, "F")[0], [10_000]);
  for (const [first = [], second = []] of [chunksOf([3, 50_000_000], 8, "C")]) {
    assert.deepEqual(first, [1, 1, 1]);
    assert.ok(second.every((length) => length * 8 <= 32 * 1024 * 1024));
  }
});

test("Python's literals, and nothing else", () => {
  assert.deepEqual(
    parseLiteral("{'a': (1,), \"b\": [True, False], }"),
    new Map<string, unknown>([
      ["a", [1]],
      ["b", [true, false]],
    ]),
  );
  assert.deepEqual(parseLiteral(" (1) "), 1);
  assert.deepEqual(parseLiteral("()"), []);
  assert.deepEqual(parseLiteral("(10L, 2)"), [10, 2]);
  assert.deepEqual(parseLiteral(String.raw`'it\'s \x41\u00e9\\'`), "it's Aé\\");
  for (const text of [
    "",
    "a",
    "{",
    "(1,",
    "1 2",
    "'a' 'b'",
    "{1: 2}",
    "None",
    "1e3",
    "-1",
    "'a\n'",
    `${"(".repeat(100)}`,
    "(1,,)",
    "99999999999999999999999",
  ])
    assert.equal(parseLiteral(text), undefined, text);
});

test("elements with thousands of fields are refused, however they are nested", () => {
  const fields = (count: number, type: string) =>
    `[${Array.from({ length: count }, (_, index) => `('f${index}', ${type})`).join(", ")}]`;
  const told = (descr: string) => {
    const header = `{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }\n`;
    const start = Buffer.alloc(12);
    start.write("\x93NUMPY\x02\x00", "latin1");
    start.writeUInt32LE(header.length, 8);
    return parseHeader(Buffer.concat([start, Buffer.from(header)]));
  };
  assert.equal(typeof told(fields(5000, "'<f8'")), "object");
  for (const many of [fields(5001, "'<f8'"), fields(100, fields(60, "'<f8'"))])
    assert.equal(told(many), "its elements have more than 5000 fields");
});

test("a header is found behind any padding", () => {
  const found = parseHeader(npy([1]));
  assert.ok(typeof found === "object");
  assert.equal(found.start, 128);
});
