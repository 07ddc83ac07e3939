/**
 * Nodes in memory: containers, arrays and tables from plain values. The example trees built from them have their own files.
 */
import { frameSchema } from "../encoding/arrow.ts";
import { asArray, type Column, counted, float64, part, type Values } from "../model/columns.ts";
import type {
  ArrayData,
  ArrayNode,
  ContainerNode,
  Entry,
  Frame,
  Spec,
  TableData,
  TableNode,
} from "../model/contract.ts";
import type { ElementType } from "../model/data-type.ts";
import { gather } from "../model/gather.ts";
import { countOf, type Selection } from "../model/selection.ts";
import { TagIndex } from "../model/tag-index.ts";

/** What every node may have; absent parts are empty. */
export interface Description {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly specs?: readonly Spec[];
  readonly accessTags?: readonly string[];
}

function described({ metadata = {}, specs = [], accessTags }: Description) {
  return { metadata, specs, accessTags: accessTags ?? null };
}

/** A spec without a version. */
export function spec(name: string): Spec {
  return { name, version: null };
}

/** A container of these children, in this order. */
export function container(
  children: Iterable<Entry>,
  description: Description & { readonly inlined?: boolean } = {},
): ContainerNode {
  const entries = [...children];
  const byKey = new Map(entries);
  let index: TagIndex | undefined;
  return {
    ...described(description),
    family: "container",
    inlined: description.inlined ?? false,
    count: async () => entries.length,
    child: async (key) => byKey.get(key),
    entries: async ({ offset, limit }) => entries.slice(offset, offset + limit),
    bearing: async (tags) => {
      index ??= new TagIndex(entries.map(([, node]) => node.accessTags));
      return index.listing(tags, async (positions) => positions.flatMap((at) => entries.slice(at, at + 1)));
    },
  };
}

export interface ArrayDescription extends Description {
  readonly dims?: readonly string[];
  /** Default: one chunk. */
  readonly chunks?: readonly (readonly number[])[];
}

/** The elements of an array. */
export interface Elements {
  readonly dataType: ElementType;
  readonly shape: readonly number[];
  /** Reads a selection in C order. */
  read(selection: Selection): Promise<Uint8Array>;
}

/** An array whose elements are computed or read on demand. */
export function array({ dataType, shape, read }: Elements, description: ArrayDescription = {}): ArrayNode {
  const data: ArrayData = {
    dataType,
    shape,
    chunks: description.chunks ?? shape.map((length) => [length]),
    dims: description.dims ?? null,
    source: null,
    read,
  };
  return { ...described(description), family: "array", open: async () => data };
}

/** An array with the same number everywhere, which takes no memory. */
export function constantArray(
  value: number,
  shape: readonly number[],
  description: ArrayDescription = {},
): ArrayNode {
  const { dataType } = asArray(float64(Float64Array.of(value)));
  const read = async (selection: Selection) =>
    asArray(float64(new Float64Array(countOf(selection)).fill(value))).bytes;
  return array({ dataType, shape, read }, description);
}

/** An array of these values in C order. */
export function valuesArray(
  values: Values,
  shape: readonly number[],
  description: ArrayDescription = {},
): ArrayNode {
  const { dataType, bytes } = asArray(values);
  return bytesArray({ bytes, dataType, shape }, description);
}

/** An array of elements of any type, from bytes in C order. */
export function bytesArray(
  { bytes, dataType, shape }: Omit<Elements, "read"> & { readonly bytes: Uint8Array },
  description: ArrayDescription = {},
): ArrayNode {
  const read = async (selection: Selection) => gather(bytes, shape, selection, dataType.itemsize);
  return array({ dataType, shape, read }, description);
}

/** Rows of one frame. */
const ROWS_AT_ONCE = 5000;

/** Upper bound in bytes for a number as text. */
const NUMBER_BYTES = 25;

function textCost(values: Values): number {
  if (values.type !== "text") return values.data.length * NUMBER_BYTES;
  return values.data.reduce((sum, text) => sum + 3 + 3 * (text?.length ?? 0), 0);
}

/** A table with row labels counted from 0, in partitions of nearly equal length, the longer ones first. */
export function table(
  columns: readonly Column[],
  partitions: number,
  description: Description & { readonly indexName?: string } = {},
): TableNode {
  const length = columns[0]?.values.data.length ?? 0;
  const named = new Map(columns.map((column) => [column.name, column]));
  const { indexName = null } = description;
  const rows = (start: number, stop: number, names: readonly string[] | null): Frame => ({
    length: stop - start,
    columns: (names ?? [...named.keys()]).flatMap((name) => {
      const column = named.get(name);
      return column === undefined ? [] : [{ name, values: part(column.values, start, stop) }];
    }),
    index: { name: indexName, values: counted(start, stop) },
  });
  const first = (index: number): number =>
    index * Math.floor(length / partitions) + Math.min(index, length % partitions);
  const bounds = (partition: number | null): readonly [start: number, stop: number] =>
    partition === null ? [0, length] : [first(partition), first(partition + 1)];
  const data: TableData = {
    columns: [...named.keys()],
    partitions,
    arrowSchema: () =>
      frameSchema({
        length: 0,
        columns,
        index: indexName === null ? null : { name: indexName, values: counted(0, 0) },
      }),
    source: null,
    cost: (partition, names) => {
      const [start, stop] = bounds(partition);
      const text = rows(start, stop, names).columns.reduce((sum, { values }) => sum + textCost(values), 0);
      return { text, columns: text };
    },
    frames: async function* (partition, names) {
      const [start, stop] = bounds(partition);
      for (let at = start; at < stop || at === start; at += ROWS_AT_ONCE) {
        yield rows(at, Math.min(stop, at + ROWS_AT_ONCE), names);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    column: (name) => {
      const column = named.get(name);
      return column && valuesArray(column.values, [column.values.data.length]);
    },
  };
  return { ...described(description), family: "table", open: async () => data };
}
