/**
 * Encodes an array or a table piece by piece while it is read. Only formats of whole columns (Arrow, and JSON of tables) hold
 * more than a piece in memory. `http/tree/body.ts` sets the limits.
 */

import type { ArrayData, Frame } from "../model/contract.ts";
import { countOf, partsOf, type Selection, shapeOf } from "../model/selection.ts";
import { arrowChunks } from "./arrow.ts";
import {
  csvHeader,
  csvLayout,
  csvRows,
  elementTexts,
  emptyJson,
  jsonLayout,
  quoted,
  type TextFormat,
  valueTexts,
} from "./text.ts";

/** The body of an answer in chunks. */
export type Body = AsyncGenerator<Uint8Array>;

export type ArrayFormat = "bytes" | TextFormat;

export type FrameFormat =
  | { readonly kind: "arrow" | "json" }
  | { readonly kind: "csv"; readonly header: boolean };

/** Maximum size of a chunk, in bytes. */
export const CHUNK_BYTES = 64 * 1024;
/** Bytes read at once if the elements are contiguous, and if they are scattered. */
const PIECE_BYTES = 512 * 1024;
export const SCATTERED_BYTES = 32 * 1024 * 1024;

/** Limit of nested lists in the JSON of an array without elements. */
export const MOST_EMPTY_LISTS = 250_000;

/** Encodes a selection of an array; the format must have a text form for its type (`hasText`). */
export function arrayBody(data: ArrayData, selection: Selection, format: ArrayFormat): Body {
  if (format === "bytes") return cut(piecesOf(data, selection, PIECE_BYTES));
  return cut(encoded(arrayText(data, selection, format)));
}

async function* piecesOf(data: ArrayData, selection: Selection, most: number): Body {
  if (data.pieces !== undefined) {
    yield* data.pieces(selection);
    return;
  }
  const bytes = data.scattered ? SCATTERED_BYTES : most;
  for (const part of partsOf(selection, Math.floor(bytes / data.dataType.itemsize)))
    yield await data.read(part);
}

async function* arrayText(data: ArrayData, selection: Selection, format: TextFormat): AsyncGenerator<string> {
  const shape = shapeOf(selection);
  if (countOf(selection) === 0) {
    if (format === "json") yield emptyJson(shape, MOST_EMPTY_LISTS) ?? "";
    return;
  }
  const layout = format === "json" ? jsonLayout(shape) : csvLayout(shape);
  for await (const texts of textsOf(data, selection, format)) yield layout.add(texts);
}

/** Smaller than other pieces, because a one-byte element can become a text of many bytes. */
const TEXT_PIECE_BYTES = 64 * 1024;

async function* textsOf(
  data: ArrayData,
  selection: Selection,
  format: TextFormat,
): AsyncGenerator<readonly string[]> {
  if (data.texts !== undefined) {
    for await (const texts of data.texts.read(selection)) yield texts.map((text) => quoted(text, format));
    return;
  }
  for await (const piece of piecesOf(data, selection, TEXT_PIECE_BYTES)) {
    for (let at = 0; at < piece.length || at === 0; ) {
      // A piece of a scattered array may be large.
      const whole =
        Math.max(1, Math.floor(TEXT_PIECE_BYTES / data.dataType.itemsize)) * data.dataType.itemsize;
      yield elementTexts(piece.subarray(at, at + whole), data.dataType, format) ?? [];
      at += whole;
    }
  }
}

/** Encodes a table from frames of consecutive rows. */
export function frameBody(frames: AsyncGenerator<Frame>, format: FrameFormat): Body {
  switch (format.kind) {
    case "arrow":
      return cut(arrowChunks(frames));
    case "json":
      return cut(frameJson(frames));
    case "csv":
      return cut(encoded(frameCsv(frames, format.header)));
  }
}

async function* frameCsv(frames: AsyncGenerator<Frame>, header: boolean): AsyncGenerator<string> {
  let begun = !header;
  for await (const frame of frames) {
    if (!begun) yield csvHeader(frame.columns);
    begun = true;
    yield csvRows(frame);
  }
}

/** An object of columns. Columns are collected as bytes, which take less memory than strings. */
async function* frameJson(frames: AsyncGenerator<Frame>): Body {
  const columns: { readonly name: string; readonly parts: Buffer[] }[] = [];
  for await (const frame of frames) {
    for (const [index, { name, values }] of frame.columns.entries()) {
      columns[index] ??= { name, parts: [] };
      const column = columns[index];
      const comma = column.parts.length > 0 ? "," : "";
      if (frame.length > 0) column.parts.push(Buffer.from(comma + valueTexts(values, "json").join(",")));
    }
  }
  for (const [index, { name, parts }] of columns.entries()) {
    yield Buffer.from(`${index === 0 ? "{" : ","}${JSON.stringify(name)}:[`);
    yield* parts;
    parts.length = 0;
    yield Buffer.from("]");
  }
  yield Buffer.from(columns.length === 0 ? "{}" : "}");
}

/** Encodes as UTF-8 and joins small texts. */
async function* encoded(texts: AsyncGenerator<string>): Body {
  let waiting: string[] = [];
  let length = 0;
  for await (const text of texts) {
    waiting.push(text);
    length += text.length;
    if (length < CHUNK_BYTES / 2) continue;
    yield Buffer.from(waiting.join(""));
    waiting = [];
    length = 0;
  }
  yield Buffer.from(waiting.join(""));
}

/** Splits into chunks, none of them empty. */
async function* cut(body: Body): Body {
  for await (const piece of body) {
    for (let at = 0; at < piece.length; at += CHUNK_BYTES) yield piece.subarray(at, at + CHUNK_BYTES);
  }
}
