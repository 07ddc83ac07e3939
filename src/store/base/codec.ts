/**
 * Encodes and decodes values: lists as Python's `json.dumps` writes them, and SQLite's text and numbers for times, booleans
 * and JSON, told apart by the declared type of the column (SQLAlchemy's conventions).
 */
import type { Digest } from "../../lib/secrets.ts";

/** A list of strings as `json.dumps` writes it: `["a", "\u00e9"]`. */
export function writeList(items: readonly string[]): string {
  return `[${items.map(writeString).join(", ")}]`;
}

function writeString(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) =>
    unit === "\u007f" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Reads a JSON array of strings. Throws a TypeError for any other value. */
export function readList(text: string): readonly string[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new TypeError("A list in the database is not a JSON array.");
  return value.map(String);
}

/** Consumes a pair of backslashes as one match, so that the text after it is not taken for an escape. */
const ESCAPE = /\\(?:(u0000|ud[89a-f]..)|.)/g;

/**
 * A login's state as JSON. PostgreSQL cannot store NUL or a lone surrogate, and such a character from a provider must not
 * block a login: both become U+FFFD, in both dialects, in keys and values. Dropping them could turn one group's name into
 * another's.
 */
export function writeState(state: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(state).replace(ESCAPE, (written, unstorable?: string) =>
    unstorable === undefined ? written : "\ufffd",
  );
}

/** `YYYY-MM-DD HH:MM:SS.ffffff`, UTC. Throws a RangeError for a year outside 0 to 9999. */
export function writeTime(time: Date): string {
  const milliseconds = time.getTime();
  // A command writes the same time in several columns.
  if (milliseconds === written.milliseconds) return written.text;
  const iso = time.toISOString();
  if (iso.length !== 24) throw new RangeError("A time outside the years 0 to 9999 cannot be stored.");
  written = { milliseconds, text: `${iso.slice(0, 10)} ${iso.slice(11, 23)}000` };
  return written.text;
}

let written = { milliseconds: Number.NaN, text: "" };

/** Reads a UTC time with or without a fraction: the database's own defaults have none. */
export function readTime(text: string): Date {
  return new Date(`${text.slice(0, 10)}T${text.length > 19 ? text.slice(11, 23) : `${text.slice(11)}.000`}Z`);
}

/** A digest as stored in binary columns. */
export function toBytes(digest: Digest): Buffer {
  return Buffer.from(digest, "hex");
}

/** A parameter as SQLite takes it. */
export function toSqlite(value: unknown): unknown {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Date) return writeTime(value);
  return value;
}

/** The decoder for a column of this declared type; undefined if values need no decoding. */
export function fromSqlite(declared: string | null): ((value: unknown) => unknown) | undefined {
  switch (declared?.toUpperCase()) {
    case "DATETIME":
      return (value) => (typeof value === "string" ? readTime(value) : value);
    case "BOOLEAN":
      return (value) => (value === null ? null : value !== 0);
    case "JSON":
      return (value) => (typeof value === "string" ? JSON.parse(value) : value);
    default:
      return undefined;
  }
}
