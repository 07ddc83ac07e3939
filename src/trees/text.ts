/**
 * Arrays and frames as JSON and CSV. Numbers are written as Python writes them (`1.0`, not `1`), so that a reader cannot
 * mistake floats for integers.
 */
import type { ColumnValues, DataType, Frame } from "./contract.ts";

/** JSON has no words for what is not a finite number. */
export type TextFormat = "json" | "csv";

/** Undefined: elements of this type have no text form here. */
export function elementTexts(
  bytes: Uint8Array,
  type: DataType,
  format: TextFormat,
): readonly string[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = type.endianness !== "big";
  const read = READERS[`${type.kind}${type.itemsize}`];
  if (read === undefined) return undefined;
  const texts: string[] = [];
  for (let offset = 0; offset + type.itemsize <= bytes.byteLength; offset += type.itemsize) {
    const value = read(view, offset, little);
    texts.push(type.kind === "f" ? floatText(Number(value), format) : String(value));
  }
  return texts;
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

function valueTexts(values: ColumnValues, format: TextFormat): readonly string[] {
  return Array.from(values as ArrayLike<number | bigint>, (value) =>
    typeof value === "bigint" ? String(value) : floatText(value, format),
  );
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
