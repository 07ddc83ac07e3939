/**
 * A CSV file as a table. It is scanned once for each version of it; partitions are read from their places in the file, so
 * that a large file never stands in memory as a whole.
 */
import { Failure } from "../../errors.ts";
import { frameSchema } from "../arrow.ts";
import { asArray, type Column, counted, textType, type Values } from "../columns.ts";
import type { ArrayNode, DataType, Frame, TableData } from "../contract.ts";
import { array } from "../memory.ts";
import { countOf, type Selection } from "../selection.ts";
import type { CsvColumn, CsvScan, Partition } from "./csv-scan.ts";
import { rowsOf } from "./csv-scan.ts";
import { valuesOf } from "./csv-types.ts";
import type { Inside, Mark, OpenedFile, Place } from "./inside.ts";
import { reading } from "./reading.ts";

/** All rows in one answer only where the file is smaller. */
const LARGEST_AT_ONCE = 256 * 1024 * 1024;

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
      return (
        picked &&
        columnArray(scan, picked, (wanted) =>
          reading(
            inside,
            place,
            mark,
            async (file) => (await readFrame(file, wanted, [picked])).columns[0]?.values,
          ),
        )
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
  for await (const { fields } of rowsOf(file, start, wanted.at(-1)?.end ?? start)) {
    for (const [place, { index }] of picked.entries()) texts[place]?.push(fields[index] ?? "");
  }
  const columns = picked.map(
    ({ column: { name, type } }, place): Column => ({ name, values: valuesOf(texts[place] ?? [], type) }),
  );
  const firstRow = wanted[0]?.firstRow ?? 0;
  const length = wanted.reduce((rows, partition) => rows + partition.rows, 0);
  return { length, columns, index: { name: null, values: counted(firstRow, firstRow + length) } };
}

type ReadColumn = (wanted: readonly Partition[]) => Promise<Values | undefined>;

/** Its chunks are the table's partitions; of a selection only those are read in which something of it stands. */
function columnArray({ partitions, rows }: CsvScan, { column }: Picked, read: ReadColumn): ArrayNode {
  const dataType =
    column.type === "text"
      ? textType(Math.max(1, column.width))
      : asArray(valuesOf([], column.type)).dataType;
  const chunks = [partitions.map((partition) => partition.rows)];
  return array(dataType, [rows], { chunks }, async (selection) => {
    const [first, last] = bounds(selection);
    const wanted = partitions.filter(({ firstRow, rows }) => firstRow <= last && firstRow + rows > first);
    const values = wanted.length === 0 ? undefined : await read(wanted);
    return pickBytes(values, wanted[0]?.firstRow ?? 0, selection, dataType);
  });
}

/** The first and the last row that a selection picks. */
function bounds([axis]: Selection): readonly [number, number] {
  if (axis === undefined || axis.length === 0) return [0, -1];
  const end = axis.start + (axis.length - 1) * axis.step;
  return [Math.min(axis.start, end), Math.max(axis.start, end)];
}

function pickBytes(
  values: Values | undefined,
  firstRow: number,
  selection: Selection,
  { itemsize }: DataType,
): Uint8Array {
  const target = new Uint8Array(countOf(selection) * itemsize);
  const [axis] = selection;
  if (values === undefined || axis === undefined) return target;
  const { bytes, dataType } = asArray(values);
  for (let index = 0; index < axis.length; index += 1) {
    const at = (axis.start + index * axis.step - firstRow) * dataType.itemsize;
    // Texts that were read may be narrower than the widest of the column.
    target.set(bytes.subarray(at, at + dataType.itemsize), index * itemsize);
  }
  return target;
}
