/**
 * Writes arrays and frames as JSON and CSV. Floats are written as in Python (`1.0`, not `1`), so readers cannot mistake them
 * for integers.
 */
import type { Values } from "../model/columns.ts";
import type { Frame } from "../model/contract.ts";
import type { DataType, ElementType, StructType } from "../model/data-type.ts";

/** JSON has no values for infinity and NaN; they become null. */
export type TextFormat = "json" | "csv";

/** Whether elements of this type can be written in this format. */
export function hasText(type: ElementType, format: TextFormat): boolean {
  return writerOf(type, format) !== undefined;
}

/** Upper bound in bytes for the text of one element. */
export function textBytes(type: ElementType): number {
  if ("fields" in type) return type.fields.reduce((sum, { dtype }) => sum + textBytes(dtype), 2);
  return type.kind === "U" || type.kind === "S" ? type.itemsize + 3 : 25;
}

/** A string as an element. */
export function quoted(text: string, format: TextFormat): string {
  return format === "json" ? JSON.stringify(text) : csvField(text);
}

/** Writes each element as text. Undefined: elements of this type have no text form. */
export function elementTexts(
  bytes: Uint8Array,
  type: ElementType,
  format: TextFormat,
): readonly string[] | undefined {
  const write = writerOf(type, format);
  if (write === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let offset = 0; offset + type.itemsize <= bytes.byteLength; offset += type.itemsize)
    texts.push(write(view, offset));
  return texts;
}

type Writer = (view: DataView, offset: number) => string;

function writerOf(type: ElementType, format: TextFormat): Writer | undefined {
  if ("fields" in type) return structWriter(type, format);
  const little = type.endianness !== "big";
  switch (type.kind) {
    case "U":
      return (view, offset) => quoted(utf32(view, offset, type.itemsize, little), format);
    case "S":
      return (view, offset) => quoted(latin(view, offset, type.itemsize), format);
    case "M":
      return timeWriter(type, little, format);
    default: {
      const read = READERS[`${type.kind}${type.itemsize}`];
      if (read === undefined) return undefined;
      if (type.kind !== "f") return (view, offset) => String(read(view, offset, little));
      return (view, offset) => floatText(Number(read(view, offset, little)), format);
    }
  }
}

/** Writes a list of the fields; not possible in CSV, where an element is one cell. */
function structWriter({ fields }: StructType, format: TextFormat): Writer | undefined {
  if (format === "csv") return undefined;
  const writers: Writer[] = [];
  let start = 0;
  for (const { dtype, shape } of fields) {
    const write = shape === null ? writerOf(dtype, format) : undefined;
    if (write === undefined) return undefined;
    const fieldOffset = start;
    writers.push((view, offset) => write(view, offset + fieldOffset));
    start += dtype.itemsize;
  }
  return (view, offset) => `[${writers.map((write) => write(view, offset)).join(",")}]`;
}

type Reader = (view: DataView, offset: number, little: boolean) => number | bigint | boolean;

const READERS: Readonly<Record<string, Reader>> = {
  b1: (view, offset) => view.getUint8(offset) !== 0,
  f4: (view, offset, little) => view.getFloat32(offset, little),
  f8: (view, offset, little) => view.getFloat64(offset, little),
  i1: (view, offset) => view.getInt8(offset),
  i2: (view, offset, little) => view.getInt16(offset, little),
  i4: (view, offset, little) => view.getInt32(offset, little),
  i8: (view, offset, little) => view.getBigInt64(offset, little),
  u1: (view, offset) => view.getUint8(offset),
  u2: (view, offset, little) => view.getUint16(offset, little),
  u4: (view, offset, little) => view.getUint32(offset, little),
  u8: (view, offset, little) => view.getBigUint64(offset, little),
};

function floatText(value: number, format: TextFormat): string {
  if (Number.isNaN(value)) return format === "json" ? "null" : "nan";
  if (!Number.isFinite(value)) return format === "json" ? "null" : value > 0 ? "inf" : "-inf";
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** NumPy pads texts with zeros, which are not part of the text. */
function utf32(view: DataView, offset: number, length: number, little: boolean): string {
  let end = offset + length - (length % 4);
  while (end > offset && view.getUint32(end - 4, little) === 0) end -= 4;
  let text = "";
  for (let at = offset; at < end; at += 4) {
    const code = view.getUint32(at, little);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  }
  return text;
}

function latin(view: DataView, offset: number, length: number): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset + offset, length);
  let end = length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.toString("latin1", 0, end);
}

/** Nanoseconds per unit, for the units written as a time of day. */
const NANOSECONDS: ReadonlyMap<string, bigint> = new Map([
  ["[D]", 86_400_000_000_000n],
  ["[h]", 3_600_000_000_000n],
  ["[m]", 60_000_000_000n],
  ["[s]", 1_000_000_000n],
  ["[ms]", 1_000_000n],
  ["[us]", 1000n],
  ["[ns]", 1n],
]);

/** NumPy's NaT (not a time). */
const NOT_A_TIME = -(2n ** 63n);

/** The range of `Date`, in milliseconds from 1970. */
const FURTHEST = 8_640_000_000_000_000n;

function timeWriter({ dt_units: units }: DataType, little: boolean, format: TextFormat): Writer | undefined {
  const unit = NANOSECONDS.get(units ?? "");
  if (unit === undefined) return undefined;
  return (view, offset) => timeText(view.getBigInt64(offset, little), unit, format);
}

function timeText(value: bigint, unit: bigint, format: TextFormat): string {
  const nanoseconds = value * unit;
  const seconds =
    (nanoseconds - (((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n;
  const milliseconds = seconds * 1000n;
  if (value === NOT_A_TIME || milliseconds > FURTHEST || milliseconds < -FURTHEST)
    return format === "json" ? "null" : "";
  const rest = String(nanoseconds - seconds * 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const text = new Date(Number(milliseconds)).toISOString().slice(0, -5) + (rest === "" ? "" : `.${rest}`);
  return format === "json" ? `"${text}"` : text;
}

/** Joins elements that arrive in batches. */
export interface Layout {
  add(texts: readonly string[]): string;
}

/** Nested lists; a single number for an array without dimensions. The shape must have elements. */
export function jsonLayout(shape: readonly number[]): Layout {
  /** Number of elements in a list at each depth. */
  const sizes = shape.map((_, depth) => shape.slice(depth).reduce((product, length) => product * length, 1));
  const inner = sizes.at(-1) ?? 1;
  let index = 0;
  const ends = (at: number) => sizes.filter((size) => at % size === 0).length;
  return {
    add: (texts) => {
      let json = "";
      for (const text of texts) {
        if (index > 0) json += ",";
        if (index % inner === 0) json += "[".repeat(ends(index));
        json += text;
        index += 1;
        if (index % inner === 0) json += "]".repeat(ends(index));
      }
      return json;
    },
  };
}

/** The JSON of a shape without elements; undefined: it needs more than `most` lists. */
export function emptyJson(shape: readonly number[], most: number): string | undefined {
  const lists = shape.slice(0, shape.indexOf(0)).reduce((product, length) => product * length, 1);
  if (lists > most) return undefined;
  const list = ([length = 0, ...inner]: readonly number[]): string =>
    `[${Array.from({ length }, () => list(inner)).join(",")}]`;
  return list(shape);
}

/** One line per row; a one-dimensional array is a single column. */
export function csvLayout(shape: readonly number[]): Layout {
  const width = shape[1] ?? 1;
  let index = 0;
  return {
    add: (texts) => {
      let csv = "";
      for (const text of texts) {
        index += 1;
        csv += index % width === 0 ? `${text}\n` : `${text},`;
      }
      return csv;
    },
  };
}

/** The header line. */
export function csvHeader(columns: readonly { readonly name: string }[]): string {
  return `${columns.map(({ name }) => csvField(name)).join(",")}\n`;
}

/** One line for each row of a frame. */
export function csvRows(frame: Frame): string {
  const columns = frame.columns.map(({ values }) => valueTexts(values, "csv"));
  let csv = "";
  for (let row = 0; row < frame.length; row += 1)
    csv += `${columns.map((column) => column[row]).join(",")}\n`;
  return csv;
}

/** The values of a column as texts; missing ones as `null` in JSON, empty in CSV. */
export function valueTexts(values: Values, format: TextFormat): readonly string[] {
  switch (values.type) {
    case "float64":
      return Array.from(values.data, (value) => floatText(value, format));
    case "text":
      return values.data.map((text) => textOf(text, format));
    case "bool":
      // CSV uses Python's spelling, JSON its own.
      return Array.from(values.data, (value) =>
        format === "json" ? String(value !== 0) : value !== 0 ? "True" : "False",
      );
    case "datetime64": {
      const unit = NANOSECONDS.get(`[${values.unit}]`) ?? 1n;
      return Array.from(values.data, (value) => timeText(value, unit, format));
    }
    default:
      return Array.from(values.data as ArrayLike<number | bigint>, String);
  }
}

function textOf(text: string | null, format: TextFormat): string {
  if (text === null) return format === "json" ? "null" : "";
  return quoted(text, format);
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
