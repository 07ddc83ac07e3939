/**
 * Nodes that are held in memory: containers, arrays and tables made from plain values. The trees that are built from
 * them are files of their own.
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

export interface Description {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly specs?: readonly Spec[];
  readonly accessTags?: readonly string[];
}

function described({ metadata = {}, specs = [], accessTags }: Description) {
  return { metadata, specs, accessTags: accessTags ?? null };
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
  /** One chunk where there are none. */
  readonly chunks?: readonly (readonly number[])[];
}

export function array(
  dataType: ElementType,
  shape: readonly number[],
  description: ArrayDescription,
  read: (selection: Selection) => Promise<Uint8Array>,
): ArrayNode {
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

/** One number everywhere, so that no memory is held for it. */
export function constantArray(
  value: number,
  shape: readonly number[],
  description: ArrayDescription = {},
): ArrayNode {
  const { dataType } = asArray(float64(Float64Array.of(value)));
  return array(
    dataType,
    shape,
    description,
    async (selection) => asArray(float64(new Float64Array(countOf(selection)).fill(value))).bytes,
  );
}

/** `values` in C order. */
export function valuesArray(
  values: Values,
  shape: readonly number[],
  description: ArrayDescription = {},
): ArrayNode {
  const { dataType, bytes } = asArray(values);
  return bytesArray(bytes, dataType, shape, description);
}

/** Elements of any type, in C order. */
export function bytesArray(
  bytes: Uint8Array,
  dataType: ElementType,
  shape: readonly number[],
  description: ArrayDescription = {},
): ArrayNode {
  return array(dataType, shape, description, async (selection) =>
    gather(bytes, shape, selection, dataType.itemsize),
  );
}

/** Of a frame. */
const ROWS_AT_ONCE = 5000;

/** Numbers as text. */
const NUMBER_BYTES = 25;

function textCost(values: Values): number {
  if (values.type !== "text") return values.data.length * NUMBER_BYTES;
  return values.data.reduce((sum, text) => sum + 3 + 3 * (text?.length ?? 0), 0);
}

/** A table's rows, which are counted from 0, cut into partitions of nearly the same length, the longer ones first. */
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
