/**
 * Joins frames of consecutive rows into one: numbers in one array per column, texts as UTF-8 bytes, which take less memory than
 * strings.
 */
import type { Values } from "../model/columns.ts";
import type { Frame } from "../model/contract.ts";

/** Concatenated texts in UTF-8. */
interface Packed {
  readonly type: "packed";
  readonly bytes: Uint8Array;
  /** Length of each text in bytes; -1: missing. */
  readonly data: Int32Array;
  readonly nullCount: number;
}

export interface GatheredColumn {
  readonly name: string;
  readonly values: Exclude<Values, { type: "text" }> | Packed | Extract<Values, { type: "text" }>;
}

export interface Gathered {
  readonly length: number;
  readonly columns: readonly GatheredColumn[];
  readonly index: Frame["index"];
}

type Part = Exclude<Values, { type: "text" }> | Packed;

/** Collects frames with `add`; `whole` returns them as one. Call `whole` once. */
export class FrameBuilder {
  readonly #columns: { readonly name: string; readonly parts: Part[] }[] = [];
  #index: { readonly name: string | null; readonly parts: Values[] } | null = null;
  #length = 0;

  add({ length, columns, index }: Frame): void {
    this.#length += length;
    for (const [position, { name, values }] of columns.entries()) {
      this.#columns[position] ??= { name, parts: [] };
      this.#columns[position].parts.push(values.type === "text" ? packed(values.data) : values);
    }
    if (index === null) return;
    this.#index ??= { name: index.name, parts: [] };
    this.#index.parts.push(index.values);
  }

  whole(): Gathered {
    return {
      length: this.#length,
      columns: this.#columns.map(({ name, parts }): GatheredColumn => ({ name, values: joined(parts) })),
      index: this.#index && { name: this.#index.name, values: joinedLabels(this.#index.parts) },
    };
  }
}

function packed(texts: readonly (string | null)[]): Packed {
  const data = Int32Array.from(texts, (text) => (text === null ? -1 : Buffer.byteLength(text)));
  const bytes = new Uint8Array(Buffer.from(texts.filter((text) => text !== null).join("")));
  return { type: "packed", bytes, data, nullCount: texts.filter((text) => text === null).length };
}

function joined(parts: Part[]): Part {
  const [first] = parts;
  if (first === undefined) throw new Error("A column without a frame.");
  if (parts.length === 1) return first;
  const all = parts.splice(0);
  if (first.type === "packed") {
    const texts = all.filter((part) => part.type === "packed");
    return {
      type: "packed",
      bytes: concat(
        Uint8Array,
        texts.map(({ bytes }) => bytes),
      ),
      data: concat(
        Int32Array,
        texts.map(({ data }) => data),
      ),
      nullCount: texts.reduce((sum, { nullCount }) => sum + nullCount, 0),
    };
  }
  return joinedNumbers(
    all.filter((part) => part.type !== "packed"),
    first,
  );
}

function joinedNumbers(
  parts: readonly Exclude<Values, { type: "text" }>[],
  first: Exclude<Values, { type: "text" }>,
): Exclude<Values, { type: "text" }> {
  const arrays = parts.map(({ data }) => data);
  switch (first.type) {
    case "float64":
      return { ...first, data: concat(Float64Array, arrays as Float64Array[]) };
    case "int64":
    case "datetime64":
      return { ...first, data: concat(BigInt64Array, arrays as BigInt64Array[]) };
    case "uint8":
    case "bool":
      return { ...first, data: concat(Uint8Array, arrays as Uint8Array[]) };
  }
}

/** Row labels are few, so texts stay strings. */
function joinedLabels(parts: readonly Values[]): Values {
  const [first] = parts;
  if (first === undefined) throw new Error("Labels without a frame.");
  if (parts.length === 1) return first;
  if (first.type === "text")
    return { ...first, data: parts.flatMap((part) => (part.type === "text" ? part.data : [])) };
  return joinedNumbers(
    parts.filter((part) => part.type !== "text"),
    first,
  );
}

interface Typed {
  readonly length: number;
}

function concat<Values extends Typed & { set(values: never, at: number): void }>(
  make: new (length: number) => Values,
  arrays: readonly Typed[],
): Values {
  const whole = new make(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array as never, at);
    at += array.length;
  }
  return whole;
}
