/**
 * Translates a selection of an array into runs of equally spaced elements in storage, in storage order, and the position of
 * each run in the result. Adjacent runs are merged.
 */
import { countOf, type Selection } from "./selection.ts";

/** Element order in storage: `C`, the last index varies fastest; `F`, the first. */
export type Order = "C" | "F";

/** Copies elements `from`, `from + step`, … of the storage to `to`, `to + toStep`, … of the result (in C order). */
export interface Run {
  readonly from: number;
  readonly step: number;
  readonly count: number;
  readonly to: number;
  readonly toStep: number;
}

interface Dimension {
  count: number;
  step: number;
  toStep: number;
}

/** The runs of a selection in storage order. */
export function* runsOf(shape: readonly number[], selection: Selection, order: Order): Generator<Run> {
  if (countOf(selection) === 0) return;
  const { from, to, dimensions } = plan(shape, selection, order);
  const inner = dimensions.pop() ?? { count: 1, step: 1, toStep: 1 };
  yield* walk(dimensions, inner, from, to);
}

function* walk(outer: readonly Dimension[], inner: Dimension, from: number, to: number): Generator<Run> {
  const [first, ...rest] = outer;
  if (first === undefined) {
    yield { from, step: inner.step, count: inner.count, to, toStep: inner.toStep };
    return;
  }
  for (let index = 0; index < first.count; index += 1)
    yield* walk(rest, inner, from + index * first.step, to + index * first.toStep);
}

/** The dimensions of the selection, longest storage stride first. */
function plan(shape: readonly number[], selection: Selection, order: Order) {
  const strides = stridesOf(shape, order);
  const toStrides = stridesOf(
    selection.map(({ length }) => length),
    "C",
  );
  let from = 0;
  let to = 0;
  const dimensions: Dimension[] = [];
  for (const [index, { start, step, length }] of selection.entries()) {
    const stride = strides[index] ?? 1;
    const toStride = toStrides[index] ?? 1;
    // A reversed dimension is read forwards from storage and written backwards to the result.
    const backwards = step < 0;
    from += (backwards ? start + (length - 1) * step : start) * stride;
    if (backwards) to += (length - 1) * toStride;
    if (length > 1) {
      dimensions.push({
        count: length,
        step: Math.abs(step) * stride,
        toStep: backwards ? -toStride : toStride,
      });
    }
  }
  dimensions.sort((left, right) => right.step - left.step);
  return { from, to, dimensions: joined(dimensions) };
}

/** Merges two dimensions if the outer one continues where the inner one ends, both in storage and in the result. */
function joined(dimensions: readonly Dimension[]): Dimension[] {
  const result: Dimension[] = [];
  for (const dimension of dimensions) {
    const last = result.at(-1);
    const { count, step, toStep } = dimension;
    if (last !== undefined && last.step === step * count && last.toStep === toStep * count) {
      result[result.length - 1] = { count: last.count * count, step, toStep };
    } else result.push(dimension);
  }
  return result;
}

function stridesOf(shape: readonly number[], order: Order): readonly number[] {
  const strides: number[] = new Array(shape.length).fill(1);
  let stride = 1;
  const dimensions = order === "C" ? [...shape.keys()].reverse() : [...shape.keys()];
  for (const dimension of dimensions) {
    strides[dimension] = stride;
    stride *= shape[dimension] ?? 1;
  }
  return strides;
}

/** Copies one run; `first` is the storage index of the first element in `source`. */
export function copyRun(
  source: Uint8Array,
  first: number,
  run: Run,
  itemsize: number,
  target: Uint8Array,
): void {
  const { from, step, count, to, toStep } = run;
  const start = (from - first) * itemsize;
  if (step === 1 && toStep === 1) {
    target.set(source.subarray(start, start + count * itemsize), to * itemsize);
    return;
  }
  for (let index = 0; index < count; index += 1) {
    const at = start + index * step * itemsize;
    target.set(source.subarray(at, at + itemsize), (to + index * toStep) * itemsize);
  }
}

/** Copies a selection from an array in memory (C order). */
export function gather(
  source: Uint8Array,
  shape: readonly number[],
  selection: Selection,
  itemsize: number,
): Uint8Array {
  const target = new Uint8Array(countOf(selection) * itemsize);
  for (const run of runsOf(shape, selection, "C")) copyRun(source, 0, run, itemsize, target);
  return target;
}
