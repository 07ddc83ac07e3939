/**
 * CSV (RFC 4180) as bytes that come piece by piece: rows of texts, and where in the file each row begins. Lines may end in
 * CRLF, LF or CR; empty ones are passed over. What follows a closing quote belongs to the field, as Python reads it.
 */
import { isUtf8 } from "node:buffer";

export interface Row {
  /** In bytes, from the beginning of the file. */
  readonly start: number;
  readonly fields: readonly string[];
}

export interface Limits {
  /** Bytes of a row, line ends within quotes included: what a quote that nobody closes may swallow. */
  readonly row: number;
  readonly fields: number;
}

const CSV_LIMITS: Limits = { row: 16 * 1024 * 1024, fields: 20_000 };

export class CsvProblem extends Error {}

const QUOTE = 0x22;
const COMMA = 0x2c;
const CR = 0x0d;
const LF = 0x0a;

export class CsvParser {
  readonly #limits: Limits;
  /** What came of the row that is not complete yet. */
  #rest: Buffer = Buffer.alloc(0);
  /** Where `#rest` begins. */
  #start: number;

  /** `start`: where in the file the bytes begin that are given. */
  constructor(start = 0, limits: Limits = CSV_LIMITS) {
    this.#start = start;
    this.#limits = limits;
  }

  /** The rows that are complete with this piece. */
  *rows(piece: Buffer): Generator<Row> {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    for (;;) {
      // A CR at the end may be half of a CRLF.
      const end = endOfRow(bytes, at);
      if (end === undefined || (bytes[end] === CR && end + 1 === bytes.length)) break;
      const row = this.#row(bytes, at, end);
      at = bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1;
      if (row !== undefined) yield row;
    }
    if (bytes.length - at > this.#limits.row) {
      throw new CsvProblem(`a row has more than ${this.#limits.row} bytes; is a quote not closed?`);
    }
    // A copy, so that the piece's memory can go.
    this.#rest = Buffer.from(bytes.subarray(at));
    this.#start += at;
  }

  /** The last row, where it has no line end. */
  *end(): Generator<Row> {
    const bytes = this.#rest;
    const length = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
    if (endOfRow(bytes.subarray(0, length), 0, true) === undefined)
      throw new CsvProblem("a quote is not closed");
    const row = this.#row(bytes, 0, length);
    if (row !== undefined) yield row;
  }

  #row(bytes: Buffer, start: number, end: number): Row | undefined {
    if (start === end) return undefined;
    if (!isUtf8(bytes.subarray(start, end))) throw new CsvProblem("it is not UTF-8");
    const fields: string[] = [];
    for (let at = start; at <= end; ) {
      const next = endOfField(bytes, at, end);
      fields.push(fieldOf(bytes.toString("utf8", at, next)));
      if (fields.length > this.#limits.fields)
        throw new CsvProblem(`a row has more than ${this.#limits.fields} fields`);
      at = next + 1;
    }
    return { start: this.#start + start, fields };
  }
}

function fieldOf(text: string): string {
  if (!text.startsWith('"')) return text;
  let close = text.indexOf('"', 1);
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  if (close < 0) return text;
  return text.slice(1, close).replaceAll('""', '"') + text.slice(close + 1);
}

/** Undefined: it is not there yet. `last`: nothing more comes, so that the end of the bytes is one. */
function endOfRow(bytes: Buffer, start: number, last = false): number | undefined {
  let quoted = false;
  let atField = true;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (quoted) {
      if (byte !== QUOTE) continue;
      if (bytes[at + 1] === QUOTE) at += 1;
      else quoted = false;
    } else if (byte === QUOTE && atField) quoted = true;
    else if (byte === LF || byte === CR) return at;
    atField = !quoted && byte === COMMA;
  }
  return last && !quoted ? bytes.length : undefined;
}

function endOfField(bytes: Buffer, start: number, end: number): number {
  let at = start;
  if (bytes[at] === QUOTE) {
    for (at += 1; at < end; at += 1) {
      if (bytes[at] !== QUOTE) continue;
      if (bytes[at + 1] === QUOTE && at + 1 < end) at += 1;
      else break;
    }
  }
  while (at < end && bytes[at] !== COMMA) at += 1;
  return at;
}
