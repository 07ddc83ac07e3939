import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { appendFile, rename, writeFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { Failure } from "../../../src/errors.ts";
import { csvTable } from "../../../src/trees/files/csv.ts";
import { CsvParser, CsvProblem } from "../../../src/trees/files/csv-parser.ts";
import { scanCsv } from "../../../src/trees/files/csv-scan.ts";
import { Inside } from "../../../src/trees/files/inside.ts";
import { stepsFrom } from "../../../src/trees/files/steps.ts";
import type { Values } from "../../../src/trees/model/columns.ts";
import type { Frame, TableData } from "../../../src/trees/model/contract.ts";
import { parseSlices, select } from "../../../src/trees/model/selection.ts";
import { Folder, keys, open } from "./support.ts";

interface PandasCase {
  readonly name: string;
  readonly text: string;
  readonly columns: readonly (readonly [name: string, type: string, values: unknown[]])[];
}

const CASES = JSON.parse(
  readFileSync(new URL("pandas-csv.json", import.meta.url), "utf8"),
) as readonly PandasCase[];

function plain({ type, data }: Values): readonly unknown[] {
  if (type === "text") return data;
  return Array.from(data as ArrayLike<number | bigint>, (value) => {
    if (type === "bool") return value !== 0;
    if (typeof value === "bigint") return String(value);
    if (Number.isNaN(value)) return null;
    return Number.isFinite(value) ? value : String(value).replace("Infinity", "inf");
  });
}

function columnsOf({ columns }: Frame) {
  return columns.map(({ name, values }) => [name, values.type, plain(values)]);
}

async function table(t: TestContext, text: string | Uint8Array, partitionBytes?: number) {
  const folder = new Folder(t.after.bind(t), { "t.csv": text });
  const inside = new Inside(folder.path, await stepsFrom(folder.path));
  const file = (await inside.file(["t.csv"])) ?? assert.fail();
  try {
    const scan = await scanCsv(file, partitionBytes);
    return { data: csvTable({ inside, path: ["t.csv"], mark: file.mark }, scan), folder };
  } finally {
    await file.handle.close();
  }
}

/** All its frames as one. */
async function read(
  data: TableData,
  partition: number | null,
  columns: readonly string[] | null,
): Promise<Frame> {
  const frames: Frame[] = [];
  for await (const frame of data.frames(partition, columns)) frames.push(frame);
  const join = (parts: readonly (Values | undefined)[]) =>
    ({ ...parts[0], data: parts.flatMap((part) => Array.from(part?.data as ArrayLike<unknown>)) }) as Values;
  const [first = assert.fail()] = frames;
  return {
    length: frames.reduce((sum, { length }) => sum + length, 0),
    columns: first.columns.map(({ name }, at) => ({
      name,
      values: join(frames.map((f) => f.columns[at]?.values)),
    })),
    index: { name: null, values: join(frames.map(({ index }) => index?.values)) },
  };
}

const all = (data: TableData) => read(data, null, null);

describe("columns", () => {
  for (const { name, text, columns } of CASES) {
    test(`match pandas: ${name}`, async (t) => {
      assert.deepEqual(columnsOf(await all((await table(t, text)).data)), columns);
    });
  }

  test("keep numbers that no number of 64 bits holds, as texts", async (t) => {
    const { data } = await table(t, "a,b\n9223372036854775808,123456789012345678901234567890\n1,2\n");
    assert.deepEqual(columnsOf(await all(data)), [
      ["a", "text", ["9223372036854775808", "1"]],
      ["b", "text", ["123456789012345678901234567890", "2"]],
    ]);
  });

  test("without rows are there", async (t) => {
    const { data } = await table(t, "a,b\n");
    assert.deepEqual(columnsOf(await all(data)), [
      ["a", "text", []],
      ["b", "text", []],
    ]);
    assert.equal(data.partitions, 1);
    const column = (await data.column("a")?.open()) ?? assert.fail();
    assert.deepEqual([column.shape, column.chunks], [[0], [[0]]]);
    assert.equal((await column.read(select([0], []) ?? assert.fail())).length, 0);
  });
});

describe("files that are not tables", () => {
  for (const [name, text, why] of [
    ["nothing", "", /it is empty/],
    ["only empty lines", "\n\r\n", /it is empty/],
    ["a quote without an end", 'a,b\n1,"x\n2,y\n', /a quote is not closed/],
    ["more fields than names", "a,b\n1,2\n1,2,3\n", /row 2 has more fields/],
    ["bytes that are not UTF-8", Buffer.from("a,b\n\xff,1\n", "latin1"), /not UTF-8/],
  ] as const) {
    test(name, async (t) => {
      await assert.rejects(table(t, text), (error) => error instanceof CsvProblem && why.test(error.message));
    });
  }

  test("rows without an end, and with too many fields", () => {
    const limits = { row: 1000, fields: 10 };
    const parse = (text: string, piece: number) => {
      const parser = new CsvParser(0, limits);
      for (let at = 0; at < text.length; at += piece)
        for (const _row of parser.rows(Buffer.from(text.slice(at, at + piece)))) assert.ok(_row);
    };
    assert.throws(
      () => parse(`a\n"${"x\n".repeat(2000)}`, 100),
      /more than 1000 bytes; is a quote not closed/,
    );
    assert.throws(() => parse(`${",".repeat(10)}\n`, 5), /more than 10 fields/);
    parse(`${"x".repeat(900)}\n`.repeat(5), 100);
  });
});

test("rows are the same, however the bytes come", () => {
  for (const { text } of CASES) {
    const bytes = Buffer.from(text.replace("\ufeff", ""));
    const whole = [...rows(bytes, bytes.length)];
    for (const piece of [1, 2, 3, 7]) assert.deepEqual([...rows(bytes, piece)], whole, `${text} by ${piece}`);
  }
});

function* rows(bytes: Buffer, piece: number) {
  const parser = new CsvParser();
  for (let at = 0; at < bytes.length; at += piece) yield* parser.rows(bytes.subarray(at, at + piece));
  yield* parser.end();
}

describe("a table in partitions", () => {
  const text = `n,word\n${Array.from({ length: 100 }, (_, row) => `${row},"w\n${"x".repeat(row % 7)}"\n`).join("")}`;

  test("has all rows once, labelled in order", async (t) => {
    const { data } = await table(t, text, 100);
    assert.ok(data.partitions > 5);
    const numbers: unknown[] = [];
    const labels: unknown[] = [];
    for (let partition = 0; partition < data.partitions; partition += 1) {
      const { columns, index } = await read(data, partition, ["n"]);
      numbers.push(...plain(columns[0]?.values ?? assert.fail()));
      labels.push(...plain(index?.values ?? assert.fail()));
    }
    const expected = Array.from({ length: 100 }, (_, row) => String(row));
    assert.deepEqual(numbers, expected);
    assert.deepEqual(labels, expected);
    const whole = await all(data);
    assert.equal(whole.length, 100);
    assert.deepEqual(plain(whole.columns[0]?.values ?? assert.fail()), expected);
  });

  test("columns are arrays in the same chunks, and only the requested parts are read", async (t) => {
    const { data } = await table(t, text, 100);
    const column = (await data.column("n")?.open()) ?? assert.fail();
    assert.equal(
      column.chunks[0]?.reduce((sum, rows) => sum + rows, 0),
      100,
    );
    for (const slice of ["", "50", "::-7", "3:60:11", "99", "10:10"]) {
      const selection = select([100], parseSlices(slice) ?? assert.fail()) ?? assert.fail();
      const bytes = await column.read(selection);
      const [axis] = selection;
      const expected = Array.from({ length: axis?.length ?? 0 }, (_, index) =>
        BigInt((axis?.start ?? 0) + index * (axis?.step ?? 1)),
      );
      assert.deepEqual([...new BigInt64Array(bytes.slice().buffer)], expected, slice);
    }
    const words = (await data.column("word")?.open()) ?? assert.fail();
    assert.deepEqual(words.dataType, { endianness: "little", kind: "U", itemsize: 32, dt_units: null });
    const one = await words.read(select([100], parseSlices("8") ?? []) ?? assert.fail());
    assert.equal(Buffer.from(one).swap32().toString("latin1").replaceAll("\0", ""), "w\nx");
    assert.equal(data.column("nope"), undefined);
  });
});

describe("a file that changes", () => {
  test("while it is served is another table", async (t) => {
    const folder = new Folder(t.after.bind(t), { "t.csv": "a\n1\n" });
    const { root } = await open(folder);
    const rows = async () => {
      const node = await root.child("t");
      assert.ok(node?.family === "table");
      const data = (await node.open()) ?? assert.fail();
      return columnsOf(await all(data));
    };
    assert.deepEqual(await rows(), [["a", "int64", ["1"]]]);
    await appendFile(folder.at("t.csv"), "2.5\n");
    assert.deepEqual(await rows(), [["a", "float64", [1, 2.5]]]);
    await writeFile(folder.at("new"), "b,c\nx,y\n");
    await rename(folder.at("new"), folder.at("t.csv"));
    assert.deepEqual(await rows(), [
      ["b", "text", ["x"]],
      ["c", "text", ["y"]],
    ]);
  });

  test("after it was opened is not read as if it were the same", async (t) => {
    const { data, folder } = await table(t, "a\n1\n2\n");
    await writeFile(folder.at("t.csv"), "a\n1\n2\n3\n");
    await assert.rejects(all(data), (error) => error instanceof Failure && error.code === "changed");
  });

  test("to something unreadable is left out until it changes again, and reported once", async (t) => {
    const folder = new Folder(t.after.bind(t), { "t.csv": 'a\n"1\n', "u.csv": "a\n1\n" });
    const { root, warnings } = await open(folder);
    assert.deepEqual(await keys(root), ["t", "u"]);
    for (let time = 0; time < 2; time += 1) {
      const node = await root.child("t");
      if (node?.family === "table") assert.equal(await node.open(), undefined);
      assert.deepEqual(await keys(root), ["u"]);
    }
    assert.equal(warnings.filter((line) => line.includes("t.csv")).length, 1);
    assert.match(warnings[0] ?? "", /'t\.csv': a quote is not closed\.$/);
    await writeFile(folder.at("t.csv"), "a\n1\n");
    assert.deepEqual(await keys(root), ["t", "u"]);
  });
});
