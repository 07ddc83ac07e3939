/**
 * Nodes that are held in memory: containers, arrays and tables made from plain values. The trees that are built from
 * them are files of their own.
 */
import { frameSchema } from "./arrow.ts";
import type {
  ArrayNode,
  Column,
  ColumnValues,
  ContainerNode,
  DataType,
  Entry,
  Frame,
  Spec,
  TableNode,
} from "./contract.ts";
import { countOf, type Selection } from "./selection.ts";

interface Description {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly specs?: readonly Spec[];
}

function described(description: Description) {
  return { metadata: description.metadata ?? {}, specs: description.specs ?? [], accessTags: null };
}

export function spec(name: string): Spec {
  return { name, version: null };
}

export function container(
  children: Iterable<Entry>,
  description: Description & { readonly inlined?: boolean } = {},
): ContainerNode {
  const entries = [...children];
  const byKey = new Map(entries);
  return {
    ...described(description),
    family: "container",
    inlined: description.inlined ?? false,
    count: async () => entries.length,
    child: async (key) => byKey.get(key),
    entries: async ({ offset, limit }) => entries.slice(offset, offset + limit),
  };
}

const FLOAT64: DataType = { endianness: "little", kind: "f", itemsize: 8, dt_units: null };
const INT64: DataType = { endianness: "little", kind: "i", itemsize: 8, dt_units: null };

function dataType(values: ColumnValues): DataType {
  return values instanceof Float64Array ? FLOAT64 : INT64;
}

interface ArrayDescription extends Description {
  readonly dims?: readonly string[];
}

/** An array in one chunk. */
function array(
  type: DataType,
  shape: readonly number[],
  description: ArrayDescription,
  read: (selection: Selection) => Uint8Array,
): ArrayNode {
  return {
    ...described(description),
    family: "array",
    dataType: type,
    shape,
    chunks: shape.map((length) => [length]),
    dims: description.dims ?? null,
    read: async (selection) => read(selection),
  };
}

/** One number everywhere, so that no memory is held for it. */
export function constantArray(
  value: number,
  shape: readonly number[],
  description: ArrayDescription = {},
): ArrayNode {
  return array(FLOAT64, shape, description, (selection) =>
    bytesOf(new Float64Array(countOf(selection)).fill(value)),
  );
}

/** `values` in C order. */
export function valuesArray(
  values: ColumnValues,
  shape: readonly number[],
  description: ArrayDescription = {},
): ArrayNode {
  return array(dataType(values), shape, description, (selection) => bytesOf(pick(values, shape, selection)));
}

function pick(values: ColumnValues, shape: readonly number[], selection: Selection): ColumnValues {
  const offsets = flatOffsets(shape, selection);
  return values instanceof Float64Array
    ? Float64Array.from(offsets, (offset) => values[offset] ?? Number.NaN)
    : BigInt64Array.from(offsets, (offset) => values[offset] ?? 0n);
}

function flatOffsets(shape: readonly number[], selection: Selection): readonly number[] {
  let offsets = [0];
  for (const [dimension, axis] of selection.entries()) {
    const stride = shape.slice(dimension + 1).reduce((product, length) => product * length, 1);
    const steps = Array.from(
      { length: axis.length },
      (_, index) => (axis.start + index * axis.step) * stride,
    );
    offsets = offsets.flatMap((offset) => steps.map((step) => offset + step));
  }
  return offsets;
}

function bytesOf(values: ColumnValues): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A table whose rows are counted from 0, cut into partitions of nearly the same length, the longer ones first. */
export function table(
  columns: readonly Column[],
  partitions: number,
  description: Description = {},
): TableNode {
  const length = columns[0]?.values.length ?? 0;
  const named = new Map(columns.map((column) => [column.name, column]));
  const rows = (start: number, stop: number, names: readonly string[] | null): Frame => ({
    length: stop - start,
    columns: (names ?? [...named.keys()]).flatMap((name) => {
      const column = named.get(name);
      return column === undefined ? [] : [{ name, values: column.values.subarray(start, stop) }];
    }),
    index: {
      name: null,
      values: BigInt64Array.from({ length: stop - start }, (_, row) => BigInt(start + row)),
    },
  });
  return {
    ...described(description),
    family: "table",
    columns: [...named.keys()],
    partitions,
    arrowSchema: () => frameSchema({ length: 0, columns, index: null }),
    read: async (partition, names) => {
      if (partition === null) return rows(0, length, names);
      const start = (index: number): number =>
        index * Math.floor(length / partitions) + Math.min(index, length % partitions);
      return rows(start(partition), start(partition + 1), names);
    },
    column: async (name) => {
      const column = named.get(name);
      return column && valuesArray(column.values, [column.values.length]);
    },
  };
}
