/**
 * Arrays and frames as JSON and CSV. Numbers are written as Python writes them (`1.0`, not `1`), so that a reader cannot
 * mistake floats for integers.
 */
import type { Values } from "./columns.ts";
import type { DataType, ElementType, Frame, StructType } from "./contract.ts";

/** JSON has no words for what is not a finite number. */
export type TextFormat = "json" | "csv";

/** Undefined: elements of this type have no text form here. */
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
  const quote = (text: string) => (format === "json" ? JSON.stringify(text) : csvField(text));
  switch (type.kind) {
    case "U":
      return (view, offset) => quote(utf32(view, offset, type.itemsize, little));
    case "S":
      return (view, offset) => quote(latin(view, offset, type.itemsize));
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

/** A list of what the fields hold; in CSV an element has one place only. */
function structWriter({ fields }: StructType, format: TextFormat): Writer | undefined {
  if (format === "csv") return undefined;
  const writers: Writer[] = [];
  let start = 0;
  for (const { dtype, shape } of fields) {
    const write = shape === null ? writerOf(dtype, format) : undefined;
    if (write === undefined) return undefined;
    const place = start;
    writers.push((view, offset) => write(view, offset + place));
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

/** NumPy's texts end before the zeros that fill them up. */
function utf32(view: DataView, offset: number, length: number, little: boolean): string {
  let text = "";
  for (let at = offset; at < offset + length; at += 4) {
    const code = view.getUint32(at, little);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  }
  return text.replace(/\0+$/, "");
}

function latin(view: DataView, offset: number, length: number): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset + offset, length);
  return bytes.toString("latin1").replace(/\0+$/, "");
}

/** Nanoseconds of the units that are told as a time of the day. */
const NANOSECONDS: ReadonlyMap<string, bigint> = new Map([
  ["[D]", 86_400_000_000_000n],
  ["[h]", 3_600_000_000_000n],
  ["[m]", 60_000_000_000n],
  ["[s]", 1_000_000_000n],
  ["[ms]", 1_000_000n],
  ["[us]", 1000n],
  ["[ns]", 1n],
]);

/** NumPy's NaT, not a time. */
const NOT_A_TIME = -(2n ** 63n);

/** What a `Date` can hold, in milliseconds from 1970. */
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

/** Nested lists; a bare number where no dimension is left. */
export function arrayJson(texts: readonly string[], shape: readonly number[]): string {
  let items = texts;
  for (const [dimension, length] of [...shape.entries()].reverse()) {
    const count = shape.slice(0, dimension).reduce((product, outer) => product * outer, 1);
    items = Array.from(
      { length: count },
      (_, list) => `[${items.slice(list * length, (list + 1) * length).join(",")}]`,
    );
  }
  return items[0] ?? "null";
}

/** A line for each row; one dimension is a single column. */
export function arrayCsv(texts: readonly string[], shape: readonly number[]): string {
  const width = shape[1] ?? 1;
  let csv = "";
  for (let start = 0; start < texts.length; start += width)
    csv += `${texts.slice(start, start + width).join(",")}\n`;
  return csv;
}

export function frameJson(frame: Frame): string {
  const columns = frame.columns.map(
    ({ name, values }) => `${JSON.stringify(name)}:[${valueTexts(values, "json").join(",")}]`,
  );
  return `{${columns.join(",")}}`;
}

export function frameCsv(frame: Frame, header: boolean): string {
  const columns = frame.columns.map(({ values }) => valueTexts(values, "csv"));
  const lines = header ? [frame.columns.map(({ name }) => csvField(name)).join(",")] : [];
  for (let row = 0; row < frame.length; row += 1) lines.push(columns.map((column) => column[row]).join(","));
  return lines.map((line) => `${line}\n`).join("");
}

function valueTexts(values: Values, format: TextFormat): readonly string[] {
  switch (values.type) {
    case "float64":
      return Array.from(values.data, (value) => floatText(value, format));
    case "text":
      return values.data.map((text) => textOf(text, format));
    case "bool":
      // As Python writes them, in JSON as JSON does.
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
  if (format === "json") return JSON.stringify(text);
  return text === null ? "" : csvField(text);
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
