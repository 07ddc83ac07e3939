/**
 * Scans a CSV file once from beginning to end, and keeps only the names and types of its columns and the start of each
 * partition.
 */

import { CsvParser, CsvProblem, type Row } from "./csv-parser.ts";
import { ColumnSeen, type ColumnType } from "./csv-types.ts";
import type { OpenedFile } from "./inside.ts";
import { readAt } from "./reading.ts";

export interface CsvColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Characters of the longest text in the column. */
  readonly width: number;
}

/** A contiguous range of rows. */
export interface Partition {
  /** Offset in bytes. */
  readonly start: number;
  readonly end: number;
  /** Number of rows before it. */
  readonly firstRow: number;
  readonly rows: number;
}

/** The layout of one version of a CSV file. */
export interface CsvScan {
  readonly columns: readonly CsvColumn[];
  /** At least one. */
  readonly partitions: readonly Partition[];
  readonly rows: number;
  /** The Arrow schema, if it has been made already. */
  readonly schema?: Uint8Array;
}

const PIECE = 256 * 1024;

/** A partition ends at the first row that begins after this many bytes. */
const PARTITION_BYTES = 16 * 1024 * 1024;

/**
 * Scans a file.
 *
 * @throws {CsvProblem} The file is not a table.
 */
export async function scanCsv(file: OpenedFile, partitionBytes = PARTITION_BYTES): Promise<CsvScan> {
  let header: readonly string[] | undefined;
  let seen: readonly ColumnSeen[] = [];
  let rows = 0;
  const starts: { readonly start: number; readonly firstRow: number }[] = [];
  for await (const some of rowsOf(file, await skipMark(file), file.size)) {
    for (const { start, fields } of some) {
      if (header === undefined) {
        header = namesOf(fields);
        seen = header.map(() => new ColumnSeen());
        continue;
      }
      if (fields.length > header.length) {
        throw new CsvProblem(`row ${rows + 1} has more fields than there are columns in its first line`);
      }
      if (start >= (starts.at(-1)?.start ?? Number.NEGATIVE_INFINITY) + partitionBytes)
        starts.push({ start, firstRow: rows });
      for (let index = 0; index < seen.length; index += 1) seen[index]?.add(fields[index] ?? "");
      rows += 1;
    }
  }
  if (header === undefined) throw new CsvProblem("it is empty");
  return {
    columns: header.map((name, index) => columnOf(name, seen[index], rows)),
    partitions: partitionsOf(
      starts.length === 0 ? [{ start: file.size, firstRow: 0 }] : starts,
      rows,
      file.size,
    ),
    rows,
  };
}

/**
 * Reads the rows between two offsets in batches. `start` must be the beginning of a row; consume each batch before the next.
 */
export async function* rowsOf(file: OpenedFile, start: number, end: number): AsyncGenerator<Iterable<Row>> {
  const parser = new CsvParser(start);
  for (let at = start; at < end; at += PIECE) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, end - at));
    await readAt(file, at, piece);
    yield parser.rows(piece);
  }
  yield parser.end();
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

async function skipMark(file: OpenedFile): Promise<number> {
  const first = Buffer.alloc(Math.min(BYTE_ORDER_MARK.length, file.size));
  await readAt(file, 0, first);
  return first.equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
}

/** A column without rows is a text column. */
function columnOf(name: string, seen: ColumnSeen | undefined, rows: number): CsvColumn {
  if (seen === undefined || rows === 0) return { name, type: "text", width: 0 };
  return { name, type: seen.type, width: seen.width };
}

/** Makes names unique and not empty, the way pandas does. */
function namesOf(fields: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return fields.map((field, index) => {
    const name = field === "" ? `Unnamed: ${index}` : field;
    let free = name;
    for (let count = 1; taken.has(free); count += 1) free = `${name}.${count}`;
    taken.add(free);
    return free;
  });
}

function partitionsOf(
  starts: readonly { readonly start: number; readonly firstRow: number }[],
  rows: number,
  size: number,
): readonly Partition[] {
  return starts.map(({ start, firstRow }, index) => {
    const next = starts[index + 1];
    return { start, end: next?.start ?? size, firstRow, rows: (next?.firstRow ?? rows) - firstRow };
  });
}
