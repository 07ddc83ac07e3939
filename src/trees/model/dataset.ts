/**
 * An xarray dataset (a container of arrays that share a dimension) as one frame, like xarray's `to_dataframe`: the coordinate
 * of the dimension becomes the index, every other variable a column.
 */
import { Failure } from "../../errors.ts";
import type { Column, DatetimeUnit, Values } from "./columns.ts";
import type { ArrayData, ContainerNode, Entry, Frame } from "./contract.ts";
import { selectAll } from "./selection.ts";

const DATASET_SPEC = "xarray_dataset";

/** Whether a container has the spec of an xarray dataset. */
export function isDataset(node: ContainerNode): boolean {
  return node.specs.some(({ name }) => name === DATASET_SPEC);
}

/**
 * Reads a dataset as one frame. Undefined: the variables do not share exactly one dimension, or have a type without a column
 * here.
 *
 * @param chosen Names of the variables to include; null: all.
 * @param most Limit for the size of all variables, in bytes.
 * @throws {Failure} `bad_request` above that limit.
 */
export async function datasetFrame(
  variables: readonly Entry[],
  chosen: readonly string[] | null,
  most = Number.POSITIVE_INFINITY,
): Promise<Frame | undefined> {
  const arrays = new Map<string, ArrayData>();
  for (const [name, node] of variables) {
    const data = node.family === "array" ? await node.open() : undefined;
    if (data === undefined) return undefined;
    arrays.set(name, data);
  }
  const names = chosen ?? [...arrays.keys()];
  const dimensions = new Set(names.flatMap((name) => arrays.get(name)?.dims ?? []));
  const [dimension] = dimensions;
  if (dimension === undefined || dimensions.size > 1) return undefined;
  const read = [dimension, ...names].flatMap((name) => arrays.get(name) ?? []);
  const bytes = read.reduce((sum, { shape, dataType }) => sum + shape.reduce(times, dataType.itemsize), 0);
  if (bytes > most) {
    throw new Failure("bad_request", {
      detail: "The response would be too large. Ask for fewer fields ('?field=...'), or read its arrays.",
    });
  }
  const coordinate = arrays.get(dimension);
  const index = coordinate && (await valuesOf(coordinate));
  const columns: Column[] = [];
  for (const name of names.filter((other) => other !== dimension)) {
    const array = arrays.get(name);
    const values = array && (await valuesOf(array));
    if (values === undefined) return undefined;
    columns.push({ name, values });
  }
  const length = (index ?? columns[0]?.values)?.data.length ?? 0;
  if (columns.some(({ values }) => values.data.length !== length)) return undefined;
  return { length, columns, index: index === undefined ? null : { name: dimension, values: index } };
}

function times(product: number, length: number): number {
  return product * length;
}

async function valuesOf(array: ArrayData): Promise<Values | undefined> {
  const { dataType, shape } = array;
  if (shape.length !== 1 || !("kind" in dataType)) return undefined;
  const { kind, itemsize, endianness, dt_units: units } = dataType;
  if (itemsize !== 8 || endianness !== "little") return undefined;
  const bytes = await array.read(selectAll(shape));
  // A copy, because a view of 8-byte elements must be aligned.
  const buffer = new Uint8Array(bytes).buffer;
  if (kind === "f") return { type: "float64", data: new Float64Array(buffer) };
  if (kind === "i") return { type: "int64", data: new BigInt64Array(buffer) };
  const unit = UNITS.get(units ?? "");
  return kind === "M" && unit !== undefined
    ? { type: "datetime64", unit, data: new BigInt64Array(buffer) }
    : undefined;
}

const UNITS: ReadonlyMap<string, DatetimeUnit> = new Map([
  ["[s]", "s"],
  ["[ms]", "ms"],
  ["[us]", "us"],
  ["[ns]", "ns"],
]);
