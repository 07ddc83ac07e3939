/**
 * A column of a CSV file as a one-dimensional array. Its chunks are the partitions of the table, and only those that a
 * selection touches are read. Texts are padded to the longest of the column only in formats of fixed width.
 */
import { asArray, paddedTexts, picked, textType, type Values } from "../model/columns.ts";
import type { ArrayData, ArrayNode, DataSource } from "../model/contract.ts";
import type { DataType } from "../model/data-type.ts";
import { type Axis, countOf, type Selection } from "../model/selection.ts";
import type { CsvColumn, CsvScan, Partition } from "./csv-scan.ts";
import { valuesOf } from "./csv-types.ts";

/** Reads the values of a partition in batches. */
type ReadColumn = (partition: Partition) => AsyncGenerator<Values>;

/** Bytes of padded texts in one piece; a single longer text still makes one. */
const PIECE_BYTES = 512 * 1024;

interface ColumnInFile {
  readonly scan: CsvScan;
  readonly column: CsvColumn;
  readonly read: ReadColumn;
  readonly source: DataSource;
}

/** A column of a scanned CSV file as an array node. */
export function columnArray({ scan, column, read, source }: ColumnInFile): ArrayNode {
  const { partitions, rows } = scan;
  const { type, width } = column;
  const dataType = type === "text" ? textType(Math.max(1, width)) : numbersType(type);
  const valuesIn = (selection: Selection) => selected(partitions, selection, read);
  const pieces = (selection: Selection) => piecesOf(valuesIn(selection), dataType);
  const data: ArrayData = {
    dataType,
    shape: [rows],
    chunks: [partitions.map((partition) => partition.rows)],
    dims: null,
    source,
    pieces,
    read: async (selection) => {
      const whole = new Uint8Array(countOf(selection) * dataType.itemsize);
      let at = 0;
      for await (const piece of pieces(selection)) {
        whole.set(piece, at);
        at += piece.length;
      }
      return whole;
    },
    ...(type === "text" && {
      texts: {
        read: (selection) => textsOf(valuesIn(selection)),
        cost: (selection) => costOf(touched(partitions, selection)),
      },
    }),
  };
  return { family: "array", metadata: {}, specs: [], accessTags: null, open: async () => data };
}

function numbersType(type: CsvColumn["type"]): DataType {
  return asArray(valuesOf([], type)).dataType as DataType;
}

/** Bytes to read. One partition is the smallest unit and counts as 0, however large its rows are. */
function costOf(wanted: readonly Partition[]): number {
  return wanted.length <= 1 ? 0 : wanted.reduce((sum, { start, end }) => sum + end - start, 0);
}

function touched(partitions: readonly Partition[], [axis]: Selection): readonly Partition[] {
  if (axis === undefined) return [];
  const wanted = partitions.filter((partition) => {
    const [first, last] = picksIn(partition.firstRow, partition.rows, axis);
    return first <= last;
  });
  return axis.step > 0 ? wanted : wanted.toReversed();
}

async function* selected(
  partitions: readonly Partition[],
  selection: Selection,
  read: ReadColumn,
): AsyncGenerator<Values> {
  const [axis] = selection;
  if (axis === undefined) return;
  for (const partition of touched(partitions, selection)) {
    const backwards: Values[] = [];
    let row = partition.firstRow;
    for await (const values of read(partition)) {
      const { length } = values.data;
      const [first, last] = picksIn(row, length, axis);
      if (first <= last) {
        const found = picked(values, axis.start + first * axis.step - row, axis.step, last - first + 1);
        if (axis.step > 0) yield found;
        else backwards.push(found);
      }
      row += length;
    }
    yield* backwards.reverse();
  }
}

/** First and last index of an axis's picks within these rows; the last is below the first if no pick is within them. */
function picksIn(
  firstRow: number,
  rows: number,
  { start, step, length }: Axis,
): readonly [first: number, last: number] {
  const ends = [(firstRow - start) / step, (firstRow + rows - 1 - start) / step];
  return [Math.max(0, Math.ceil(Math.min(...ends))), Math.min(length - 1, Math.floor(Math.max(...ends)))];
}

async function* piecesOf(values: AsyncGenerator<Values>, type: DataType): AsyncGenerator<Uint8Array> {
  const rows = Math.max(1, Math.floor(PIECE_BYTES / type.itemsize));
  for await (const some of values) {
    if (some.type !== "text") yield asArray(some).bytes;
    else {
      for (let at = 0; at < some.data.length; at += rows) {
        yield paddedTexts(some.data.slice(at, at + rows), type);
        // Padding long texts takes a while and never waits for input, so let other requests run.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

async function* textsOf(values: AsyncGenerator<Values>): AsyncGenerator<readonly string[]> {
  for await (const some of values) if (some.type === "text") yield some.data.map((text) => text ?? "");
}
