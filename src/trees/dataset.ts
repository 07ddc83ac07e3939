/**
 * An xarray dataset (a container of arrays that share a dimension) as one frame, as xarray's `to_dataframe` makes it: the
 * coordinate of the dimension becomes the index, every other variable a column.
 */
import type { ArrayNode, ColumnValues, ContainerNode, Entry, Frame } from "./contract.ts";
import { selectAll } from "./selection.ts";

export const DATASET_SPEC = "xarray_dataset";

export function isDataset(node: ContainerNode): boolean {
  return node.specs.some(({ name }) => name === DATASET_SPEC);
}

/** Undefined: the variables do not share a single dimension, or hold what has no column here. */
export async function datasetFrame(
  variables: readonly Entry[],
  chosen: readonly string[] | null,
): Promise<Frame | undefined> {
  const arrays = new Map<string, ArrayNode>();
  for (const [name, node] of variables) {
    if (node.family !== "array") return undefined;
    arrays.set(name, node);
  }
  const names = chosen ?? [...arrays.keys()];
  const dimensions = new Set(names.flatMap((name) => arrays.get(name)?.dims ?? []));
  const [dimension] = dimensions;
  if (dimension === undefined || dimensions.size > 1) return undefined;
  const coordinate = arrays.get(dimension);
  const index = coordinate && (await valuesOf(coordinate));
  const columns: { name: string; values: ColumnValues }[] = [];
  for (const name of names.filter((other) => other !== dimension)) {
    const array = arrays.get(name);
    const values = array && (await valuesOf(array));
    if (values === undefined) return undefined;
    columns.push({ name, values });
  }
  const length = index?.length ?? columns[0]?.values.length ?? 0;
  if (columns.some(({ values }) => values.length !== length)) return undefined;
  return { length, columns, index: index === undefined ? null : { name: dimension, values: index } };
}

async function valuesOf(array: ArrayNode): Promise<ColumnValues | undefined> {
  const { kind, itemsize, endianness } = array.dataType;
  if (array.shape.length !== 1 || itemsize !== 8 || endianness !== "little") return undefined;
  const bytes = await array.read(selectAll(array.shape));
  // A copy, since a view of eight bytes needs to be aligned.
  const buffer = new Uint8Array(bytes).buffer;
  if (kind === "f") return new Float64Array(buffer);
  return kind === "i" ? new BigInt64Array(buffer) : undefined;
}
