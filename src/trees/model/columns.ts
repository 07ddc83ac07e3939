/**
 * The values of a table column by type, and their form as NumPy arrays. `encoding/arrow.ts` and `encoding/text.ts` serialize
 * them.
 */
import type { DataType } from "./data-type.ts";

export type DatetimeUnit = "s" | "ms" | "us" | "ns";

export type Values =
  | { readonly type: "float64"; readonly data: Float64Array<ArrayBuffer> }
  | { readonly type: "int64"; readonly data: BigInt64Array<ArrayBuffer> }
  | { readonly type: "uint8"; readonly data: Uint8Array<ArrayBuffer> }
  /** One byte each, 0 or 1. */
  | { readonly type: "bool"; readonly data: Uint8Array<ArrayBuffer> }
  /** Counted from 1970, without a time zone. */
  | { readonly type: "datetime64"; readonly unit: DatetimeUnit; readonly data: BigInt64Array<ArrayBuffer> }
  /** Null: a missing value. */
  | { readonly type: "text"; readonly data: readonly (string | null)[] };

export interface Column {
  readonly name: string;
  readonly values: Values;
}

export function float64(data: Float64Array<ArrayBuffer>): Values {
  return { type: "float64", data };
}

export function int64(data: BigInt64Array<ArrayBuffer>): Values {
  return { type: "int64", data };
}

/** The default row labels: `start`, `start + 1`, …, up to and without `stop`. */
export function counted(start: number, stop: number): Values {
  return int64(BigInt64Array.from({ length: stop - start }, (_, row) => BigInt(start + row)));
}

/** The values from `start` up to and without `stop`; numbers share memory with the original. */
export function part(values: Values, start: number, stop: number): Values {
  switch (values.type) {
    case "float64":
      return { ...values, data: values.data.subarray(start, stop) };
    case "int64":
    case "datetime64":
      return { ...values, data: values.data.subarray(start, stop) };
    case "uint8":
    case "bool":
      return { ...values, data: values.data.subarray(start, stop) };
    case "text":
      return { ...values, data: values.data.slice(start, stop) };
  }
}

const BYTES_OF_A_CHARACTER = 4;

/** The values as a one-dimensional array; texts get the width of the longest, missing ones become empty. */
export function asArray(values: Values): { readonly dataType: DataType; readonly bytes: Uint8Array } {
  if (values.type === "text") {
    const characters = values.data.map((text) => Array.from(text ?? ""));
    const width = characters.reduce((widest, text) => Math.max(widest, text.length), 1);
    return { dataType: textType(width), bytes: utf32(characters, width) };
  }
  const { buffer, byteOffset, byteLength } = values.data;
  return { dataType: dataTypeOf(values), bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}

/** NumPy's type `U`: `width` characters of four bytes each. */
export function textType(width: number): DataType {
  return { endianness: "little", kind: "U", itemsize: width * BYTES_OF_A_CHARACTER, dt_units: null };
}

/** Texts as elements of a type that is wide enough for all of them. */
export function paddedTexts(texts: readonly (string | null)[], { itemsize }: DataType): Uint8Array {
  return utf32(
    texts.map((text) => Array.from(text ?? "")),
    itemsize / BYTES_OF_A_CHARACTER,
  );
}

/** Upper bound in bytes of one value, both as a column and as text, excluding the characters of texts. */
export function valueBytes(type: Values["type"]): number {
  return type === "bool" || type === "uint8" ? 1 : 8;
}

/** `count` values from `start`, every `step`-th; the step may be negative. */
export function picked(values: Values, start: number, step: number, count: number): Values {
  if (step === 1) return part(values, start, start + count);
  const at = (index: number) => start + index * step;
  switch (values.type) {
    case "float64":
      return {
        ...values,
        data: Float64Array.from({ length: count }, (_, index) => values.data[at(index)] ?? 0),
      };
    case "int64":
    case "datetime64":
      return {
        ...values,
        data: BigInt64Array.from({ length: count }, (_, index) => values.data[at(index)] ?? 0n),
      };
    case "uint8":
    case "bool":
      return {
        ...values,
        data: Uint8Array.from({ length: count }, (_, index) => values.data[at(index)] ?? 0),
      };
    case "text":
      return { ...values, data: Array.from({ length: count }, (_, index) => values.data[at(index)] ?? null) };
  }
}

function utf32(texts: readonly (readonly string[])[], width: number): Uint8Array {
  const bytes = new Uint8Array(texts.length * width * BYTES_OF_A_CHARACTER);
  const view = new DataView(bytes.buffer);
  for (const [row, text] of texts.entries()) {
    for (const [index, character] of text.entries())
      view.setUint32((row * width + index) * BYTES_OF_A_CHARACTER, character.codePointAt(0) ?? 0, true);
  }
  return bytes;
}

function dataTypeOf(values: Exclude<Values, { type: "text" }>): DataType {
  switch (values.type) {
    case "float64":
      return { endianness: "little", kind: "f", itemsize: 8, dt_units: null };
    case "int64":
      return { endianness: "little", kind: "i", itemsize: 8, dt_units: null };
    case "datetime64":
      return { endianness: "little", kind: "M", itemsize: 8, dt_units: `[${values.unit}]` };
    case "uint8":
      return { endianness: "not_applicable", kind: "u", itemsize: 1, dt_units: null };
    case "bool":
      return { endianness: "not_applicable", kind: "b", itemsize: 1, dt_units: null };
  }
}
