/**
 * A CSV file as a table. It is scanned once for each version of it; partitions are read from their places in the file, so
 * that a large file never stands in memory as a whole.
 */
import { Failure } from "../../errors.ts";
import { frameSchema } from "../arrow.ts";
import { asArray, type Column, counted, textType, type Values } from "../columns.ts";
import type { ArrayNode, Frame, TableData } from "../contract.ts";
import { array } from "../memory.ts";
import { type Axis, countOf } from "../selection.ts";
import type { CsvColumn, CsvScan, Partition } from "./csv-scan.ts";
import { rowsOf } from "./csv-scan.ts";
import { valuesOf } from "./csv-types.ts";
import type { Inside, Mark, OpenedFile, Place } from "./inside.ts";
import { reading } from "./reading.ts";

/** All rows in one answer only where the file is smaller. */
const LARGEST_AT_ONCE = 64 * 1024 * 1024;

export function csvTable(inside: Inside, place: Place, mark: Mark, scan: CsvScan): TableData {
  const { columns, partitions } = scan;
  const named = new Map(columns.map((column, index) => [column.name, { column, index }]));
  const pick = (names: readonly string[] | null): readonly Picked[] =>
    (names ?? [...named.keys()]).flatMap((name) => named.get(name) ?? []);
  return {
    columns: [...named.keys()],
    partitions: partitions.length,
    arrowSchema: () => {
      const empty = columns.map(({ name, type }) => ({ name, values: valuesOf([], type) }));
      return frameSchema({ length: 0, columns: empty, index: null });
    },
    read: (partition, names) => {
      const wanted = partition === null ? partitions : partitions.slice(partition, partition + 1);
      checkSize(wanted);
      return reading(inside, place, mark, (file) => readFrame(file, wanted, pick(names)));
    },
    column: (name) => {
      const picked = named.get(name);
      if (picked === undefined) return undefined;
      return columnArray(scan, picked.column, (partition) =>
        reading(inside, place, mark, async (file) => {
          const [column] = (await readFrame(file, [partition], [picked])).columns;
          return column?.values ?? valuesOf([], picked.column.type);
        }),
      );
    },
  };
}

/** A column and its place in a row. */
interface Picked {
  readonly column: CsvColumn;
  readonly index: number;
}

function checkSize(wanted: readonly Partition[]): void {
  const bytes = (wanted.at(-1)?.end ?? 0) - (wanted[0]?.start ?? 0);
  if (wanted.length <= 1 || bytes <= LARGEST_AT_ONCE) return;
  throw new Failure("bad_request", {
    detail: "The response would be too large. Read the table partition by partition.",
  });
}

async function readFrame(
  file: OpenedFile,
  wanted: readonly Partition[],
  picked: readonly Picked[],
): Promise<Frame> {
  const texts = picked.map((): string[] => []);
  const start = wanted[0]?.start ?? 0;
  for await (const rows of rowsOf(file, start, wanted.at(-1)?.end ?? start)) {
    for (const { fields } of rows)
      for (const [place, { index }] of picked.entries()) texts[place]?.push(fields[index] ?? "");
  }
  const columns = picked.map(
    ({ column: { name, type } }, place): Column => ({ name, values: valuesOf(texts[place] ?? [], type) }),
  );
  const firstRow = wanted[0]?.firstRow ?? 0;
  const length = wanted.reduce((rows, partition) => rows + partition.rows, 0);
  return { length, columns, index: { name: null, values: counted(firstRow, firstRow + length) } };
}

type ReadColumn = (partition: Partition) => Promise<Values>;

/**
 * Its chunks are the table's partitions. They are read one after the other, and only those in which something of a
 * selection stands.
 */
function columnArray({ partitions, rows }: CsvScan, { type, width }: CsvColumn, read: ReadColumn): ArrayNode {
  const dataType = type === "text" ? textType(Math.max(1, width)) : asArray(valuesOf([], type)).dataType;
  const chunks = [partitions.map((partition) => partition.rows)];
  return array(dataType, [rows], { chunks }, async (selection) => {
    const target = new Uint8Array(countOf(selection) * dataType.itemsize);
    const [axis] = selection;
    if (axis === undefined) return target;
    for (const partition of partitions) {
      const [first, last] = picksIn(partition, axis);
      if (first > last) continue;
      const { bytes, dataType: narrow } = asArray(await read(partition));
      for (let pick = first; pick <= last; pick += 1) {
        const at = (axis.start + pick * axis.step - partition.firstRow) * narrow.itemsize;
        // Texts of a partition may be narrower than the widest of the column.
        target.set(bytes.subarray(at, at + narrow.itemsize), pick * dataType.itemsize);
      }
    }
    return target;
  });
}

/** The first and the last of an axis's picks that stand in a partition; the last is before the first where none does. */
function picksIn({ firstRow, rows }: Partition, { start, step, length }: Axis): readonly [number, number] {
  const ends = [(firstRow - start) / step, (firstRow + rows - 1 - start) / step];
  return [Math.max(0, Math.ceil(Math.min(...ends))), Math.min(length - 1, Math.floor(Math.max(...ends)))];
}
