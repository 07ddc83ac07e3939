/**
 * A CSV file as a table. Each version of the file is scanned once. Rows are read by their offsets in batches, so a large file
 * is never in memory as a whole. `csv-column.ts` serves its columns as arrays.
 */
import { Failure } from "../../errors.ts";
import { frameSchema } from "../encoding/arrow.ts";
import { type Column, counted, type Values, valueBytes } from "../model/columns.ts";
import type { Frame, TableCost, TableData } from "../model/contract.ts";
import { columnArray } from "./csv-column.ts";
import type { CsvColumn, CsvScan, Partition } from "./csv-scan.ts";
import { rowsOf } from "./csv-scan.ts";
import { valuesOf } from "./csv-types.ts";
import type { OpenedFile } from "./inside.ts";
import { type FileVersion, readingParts } from "./reading.ts";

/** Larger files are only served partition by partition. */
const LARGEST_AT_ONCE = 64 * 1024 * 1024;

/** The schema of a wide table is expensive to write, and every listing that contains the table asks for it. */
const schemas = new WeakMap<CsvScan, Promise<Uint8Array>>();

/** The table of a scanned version of a CSV file. Reading fails with `changed` once the file is another version. */
export function csvTable(version: FileVersion, scan: CsvScan): TableData {
  const { columns, partitions } = scan;
  const named = new Map(columns.map((column, index) => [column.name, { column, index }]));
  const pick = (names: readonly string[] | null): readonly Picked[] =>
    (names ?? [...named.keys()]).flatMap((name) => named.get(name) ?? []);
  const chosen = (partition: number | null) =>
    partition === null ? partitions : partitions.slice(partition, partition + 1);
  const source = { kind: "csv", root: version.inside.root, path: version.path, mark: version.mark } as const;
  return {
    columns: [...named.keys()],
    partitions: partitions.length,
    source,
    arrowSchema: () => {
      if (scan.schema !== undefined) return Promise.resolve(scan.schema);
      const known = schemas.get(scan) ?? csvSchema(columns);
      schemas.set(scan, known);
      return known;
    },
    cost: (partition, names) => costOf(chosen(partition), pick(names)),
    frames: (partition, names) =>
      readingParts(version, (file) => framesOf(file, chosen(partition), pick(names))),
    column: (name) => {
      const picked = named.get(name);
      if (picked === undefined) return undefined;
      const read = (partition: Partition) =>
        readingParts(version, (file) => columnOf(file, partition, picked));
      return columnArray({ scan, column: picked.column, read, source: { ...source, column: name } });
    },
  };
}

/** A column and its position in a row. */
interface Picked {
  readonly column: CsvColumn;
  readonly index: number;
}

/** The Arrow schema of these columns in IPC form. */
export function csvSchema(columns: readonly CsvColumn[]): Promise<Uint8Array> {
  const empty = columns.map(({ name, type }) => ({ name, values: valuesOf([], type) }));
  return frameSchema({ length: 0, columns: empty, index: null });
}

function costOf(wanted: readonly Partition[], picked: readonly Picked[]): TableCost {
  const text = (wanted.at(-1)?.end ?? 0) - (wanted[0]?.start ?? 0);
  if (wanted.length > 1 && text > LARGEST_AT_ONCE) {
    throw new Failure("bad_request", {
      detail: "The response would be too large. Read the table partition by partition.",
    });
  }
  const rows = wanted.reduce((sum, partition) => sum + partition.rows, 0);
  const numbers = picked.reduce((sum, { column }) => sum + valueBytes(column.type), valueBytes("int64"));
  const texts = picked.some(({ column }) => column.type === "text") ? text : 0;
  return { text, columns: rows * numbers + texts };
}

async function* framesOf(
  file: OpenedFile,
  wanted: readonly Partition[],
  picked: readonly Picked[],
): AsyncGenerator<Frame> {
  const start = wanted[0]?.start ?? 0;
  let firstRow = wanted[0]?.firstRow ?? 0;
  let any = false;
  for await (const rows of rowsOf(file, start, wanted.at(-1)?.end ?? start)) {
    const texts = picked.map((): string[] => []);
    let length = 0;
    for (const { fields } of rows) {
      length += 1;
      for (const [position, { index }] of picked.entries()) texts[position]?.push(fields[index] ?? "");
    }
    if (length === 0) continue;
    any = true;
    yield frameOf(picked, texts, firstRow, length);
    firstRow += length;
  }
  if (!any) yield frameOf(picked, [], firstRow, 0);
}

function frameOf(
  picked: readonly Picked[],
  texts: readonly (readonly string[])[],
  firstRow: number,
  length: number,
): Frame {
  const columns = picked.map(
    ({ column: { name, type } }, position): Column => ({
      name,
      values: valuesOf(texts[position] ?? [], type),
    }),
  );
  return { length, columns, index: { name: null, values: counted(firstRow, firstRow + length) } };
}

async function* columnOf(file: OpenedFile, partition: Partition, picked: Picked): AsyncGenerator<Values> {
  for await (const rows of rowsOf(file, partition.start, partition.end)) {
    const texts: string[] = [];
    for (const { fields } of rows) texts.push(fields[picked.index] ?? "");
    if (texts.length > 0) yield valuesOf(texts, picked.column.type);
  }
}
