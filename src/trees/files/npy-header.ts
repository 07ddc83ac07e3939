/**
 * The header of a .npy file (NumPy's "A simple file format for NumPy arrays", versions 1.0 to 3.0): offset, type and order of
 * the elements. Pickled Python objects are refused.
 */
import { type DataType, type ElementType, fieldsOf } from "../model/data-type.ts";
import type { Order } from "../model/gather.ts";
import { type Literal, parseLiteral } from "./python-literal.ts";

export interface NpyHeader {
  /** Offset of the first element, in bytes. */
  readonly start: number;
  readonly dataType: ElementType;
  readonly shape: readonly number[];
  readonly order: Order;
}

/** Why a file cannot be read, such as "its header is incomplete". */
export type Unreadable = string;

const MAGIC = Buffer.from("\x93NUMPY", "latin1");

/** Longer headers are not worth reading. */
const MAX_HEADER = 1_000_000;

/** The most bytes that a header can take. */
export const HEADER_BYTES = MAX_HEADER + 12;

const MAX_DIMENSIONS = 64;

/** Every listing that contains the file describes all fields. */
const MAX_FIELDS = 5_000;

/** Parses the beginning of a file, or returns why the file cannot be read. */
export function parseHeader(bytes: Buffer): NpyHeader | Unreadable {
  if (bytes.length < 10 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return "it is not an .npy file";
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) return `its format version ${version} is not supported`;
  const [length, at] = version === 1 ? [bytes.readUInt16LE(8), 10] : [readLength(bytes), 12];
  if (length > MAX_HEADER) return "its header is too long";
  if (bytes.length < at + length) return "its header is incomplete";
  const header = parseLiteral(bytes.toString(version === 3 ? "utf8" : "latin1", at, at + length));
  if (!(header instanceof Map)) return "its header cannot be read";
  const shape = readShape(header.get("shape"));
  const fortran = header.get("fortran_order");
  if (shape === undefined || typeof fortran !== "boolean") return "its header cannot be read";
  const dataType = readType(header.get("descr"));
  if (typeof dataType === "string") return dataType;
  if (fieldsOf(dataType) > MAX_FIELDS) return `its elements have more than ${MAX_FIELDS} fields`;
  return { start: at + length, dataType, shape, order: fortran ? "F" : "C" };
}

function readLength(bytes: Buffer): number {
  return bytes.length < 12 ? 0 : bytes.readUInt32LE(8);
}

function readShape(value: Literal | undefined): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_DIMENSIONS) return undefined;
  return value.every((length) => typeof length === "number") ? (value as readonly number[]) : undefined;
}

const BYTE_ORDERS: Readonly<Record<string, DataType["endianness"]>> = {
  "<": "little",
  ">": "big",
  "|": "not_applicable",
};

/** Allowed bytes per element for each kind; an empty list allows any number. */
const ITEM_SIZES: Readonly<Record<string, readonly number[]>> = {
  b: [1],
  i: [1, 2, 4, 8],
  u: [1, 2, 4, 8],
  f: [2, 4, 8, 12, 16],
  c: [8, 16, 24, 32],
  m: [8],
  M: [8],
  S: [],
  U: [],
  V: [],
};

function readType(value: Literal | undefined): ElementType | Unreadable {
  if (Array.isArray(value)) return readStruct(value);
  if (typeof value !== "string") return "the type of its elements cannot be read";
  const [, order = "", kind = "", digits = "", units] =
    /^([<>|])([a-zA-Z])(\d{1,9})(\[[0-9]*[a-zA-Zμ]{1,7}\])?$/.exec(value) ?? [];
  if (/^\|?O/.test(value)) return "it holds Python objects (pickle), which are never read";
  const size = Number(digits) * (kind === "U" ? 4 : 1);
  const sizes = Object.hasOwn(ITEM_SIZES, kind) ? ITEM_SIZES[kind] : undefined;
  const fits = sizes !== undefined && size > 0 && (sizes.length === 0 || sizes.includes(size));
  const isTime = kind === "M" || kind === "m";
  if (!fits || (units !== undefined && !isTime)) return "the type of its elements is not supported";
  return {
    endianness: size === 1 ? "not_applicable" : (BYTE_ORDERS[order] ?? "not_applicable"),
    kind,
    itemsize: size,
    dt_units: isTime ? (units ?? "[generic]") : null,
  };
}

function readStruct(items: readonly Literal[]): ElementType | Unreadable {
  const fields: { name: string; dtype: ElementType; shape: readonly number[] | null }[] = [];
  let itemsize = 0;
  for (const item of items) {
    if (!Array.isArray(item) || item.length < 2 || item.length > 3)
      return "the type of its elements cannot be read";
    const [name, descr, shape] = item as readonly (Literal | undefined)[];
    const dtype = readType(descr);
    if (typeof dtype === "string") return dtype;
    const lengths = shape === undefined ? [] : readShape(shape);
    if (typeof name !== "string" || lengths === undefined) return "the type of its elements cannot be read";
    fields.push({ name, dtype, shape: shape === undefined ? null : lengths });
    itemsize += lengths.reduce((product, length) => product * length, dtype.itemsize);
  }
  if (itemsize === 0 || !Number.isSafeInteger(itemsize)) return "the type of its elements is not supported";
  return { itemsize, fields };
}
