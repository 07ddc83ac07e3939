/**
 * NumPy's basic slicing (`0:3`, `-1`, `::2,5`): parses text to slices, and resolves slices against a shape. `gather.ts` copies
 * the elements.
 */

/** A single index drops its dimension, a range keeps it. Null: as far as possible. */
export type Slice =
  | { readonly kind: "index"; readonly at: number }
  | {
      readonly kind: "range";
      readonly start: number | null;
      readonly stop: number | null;
      readonly step: number | null;
    };

/** The elements picked along one dimension: `length` elements from `start`, every `step`-th. */
export interface Axis {
  readonly start: number;
  readonly step: number;
  readonly length: number;
  /** Picked by a single index, so the result lacks this dimension. */
  readonly dropped: boolean;
}

/** One axis for each dimension of the array. */
export type Selection = readonly Axis[];

/** NumPy's own limit of dimensions. */
const MAX_DIMENSIONS = 64;

/** Validates the query parameter; allows empty parts (`0,`), which `parseSlices` rejects. */
export const SLICE_PATTERN = String.raw`^(?:(?:-?\d+)?:){0,2}(?:-?\d+)?(?:,(?:(?:-?\d+)?:){0,2}(?:-?\d+)?)*$`;

/** Parses slices; an empty text selects the whole array. Undefined: not in NumPy's grammar. */
export function parseSlices(text: string): readonly Slice[] | undefined {
  if (text === "") return [];
  const parts = text.split(",", MAX_DIMENSIONS + 1);
  if (parts.length > MAX_DIMENSIONS) return undefined;
  const slices: Slice[] = [];
  for (const part of parts) {
    const bounds = part.split(":", 4);
    const [start, stop, step] = bounds.map(parseBound);
    if (bounds.length > 3 || start === undefined) return undefined;
    if (bounds.length === 1) {
      if (start === null) return undefined;
      slices.push({ kind: "index", at: start });
      continue;
    }
    if (stop === undefined || (bounds.length === 3 && step === undefined)) return undefined;
    slices.push({ kind: "range", start, stop, step: step ?? null });
  }
  return slices;
}

function parseBound(text: string): number | null | undefined {
  if (text === "") return null;
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** Resolves slices against a shape. Undefined: an index out of range, more slices than dimensions, or a step of zero. */
export function select(shape: readonly number[], slices: readonly Slice[]): Selection | undefined {
  if (slices.length > shape.length) return undefined;
  const selection: Axis[] = [];
  for (const [dimension, size] of shape.entries()) {
    const slice = slices[dimension];
    const axis =
      slice === undefined ? whole(size) : slice.kind === "index" ? at(slice.at, size) : range(slice, size);
    if (axis === undefined) return undefined;
    selection.push(axis);
  }
  return selection;
}

/** The selection of a whole array. */
export function selectAll(shape: readonly number[]): Selection {
  return shape.map(whole);
}

function whole(size: number): Axis {
  return { start: 0, step: 1, length: size, dropped: false };
}

function at(index: number, size: number): Axis | undefined {
  const start = index < 0 ? index + size : index;
  return start >= 0 && start < size ? { start, step: 1, length: 1, dropped: true } : undefined;
}

function range(slice: Extract<Slice, { kind: "range" }>, size: number): Axis | undefined {
  const given = slice.step ?? 1;
  if (given === 0) return undefined;
  // Clamping a step to the size picks the same single element and keeps the arithmetic within safe integers.
  const step = Math.sign(given) * Math.min(Math.abs(given), Math.max(size, 1));
  const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (bound: number): number =>
    Math.min(Math.max(bound < 0 ? bound + size : bound, lowest), highest);
  const start = slice.start === null ? (step > 0 ? lowest : highest) : clamp(slice.start);
  const stop = slice.stop === null ? (step > 0 ? highest : lowest) : clamp(slice.stop);
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return { start, step, length, dropped: false };
}

/** The shape of the result: the lengths of all axes except the dropped ones. */
export function shapeOf(selection: Selection): readonly number[] {
  return selection.filter((axis) => !axis.dropped).map((axis) => axis.length);
}

/** The number of selected elements. */
export function countOf(selection: Selection): number {
  return selection.reduce((count, axis) => count * axis.length, 1);
}

/** Splits a selection into consecutive parts in C order, of at most `most` elements (but at least one) each. */
export function* partsOf(selection: Selection, most: number): Generator<Selection> {
  const total = countOf(selection);
  const dimension = selection.findIndex(({ length }) => length > 1);
  const axis = selection[dimension];
  if (total <= Math.max(1, most) || axis === undefined) {
    yield selection;
    return;
  }
  const inner = total / axis.length;
  const atOnce = Math.max(1, Math.floor(most / inner));
  for (let from = 0; from < axis.length; from += atOnce) {
    const length = Math.min(atOnce, axis.length - from);
    yield* partsOf(
      selection.with(dimension, { ...axis, start: axis.start + from * axis.step, length }),
      most,
    );
  }
}

/** The number of elements from the first to the last selected one, both included (C order). */
export function spanOf(selection: Selection, shape: readonly number[]): number {
  let span = 1;
  for (const [dimension, { step, length }] of selection.entries()) {
    const stride = shape.slice(dimension + 1).reduce((product, size) => product * size, 1);
    span += (length - 1) * Math.abs(step) * stride;
  }
  return span;
}

/** The selection of one block, i.e. chunk; undefined: there is no such block. */
export function selectBlock(
  chunks: readonly (readonly number[])[],
  block: readonly number[],
): Selection | undefined {
  const selection: Axis[] = [];
  for (const [dimension, lengths] of chunks.entries()) {
    const index = block[dimension] ?? -1;
    const length = lengths[index];
    if (length === undefined) return undefined;
    const start = lengths.slice(0, index).reduce((sum, value) => sum + value, 0);
    selection.push({ start, step: 1, length, dropped: false });
  }
  return selection;
}

/** Composes two selections: `inner` within the result of `outer`, which drops no dimension. */
export function within(outer: Selection, inner: Selection): Selection {
  return inner.map((axis, dimension) => {
    const base = outer[dimension] ?? axis;
    return { ...axis, start: base.start + axis.start * base.step, step: base.step * axis.step };
  });
}
