/**
 * How a large array in a file is cut into chunks: along the dimensions that are far apart in the file, so that what a chunk
 * holds stands together there.
 */
import type { Order } from "../model/gather.ts";

const CHUNK_BYTES = 32 * 1024 * 1024;

export function chunksOf(
  shape: readonly number[],
  itemsize: number,
  order: Order,
): readonly (readonly number[])[] {
  const lengths = [...shape];
  const slowestFirst = order === "C" ? [...shape.keys()] : [...shape.keys()].reverse();
  let bytes = shape.reduce((product, length) => product * length, itemsize);
  for (const dimension of slowestFirst) {
    const length = lengths[dimension] ?? 1;
    if (bytes <= CHUNK_BYTES || length === 0) break;
    const shorter = Math.max(1, Math.floor(length * (CHUNK_BYTES / bytes)));
    lengths[dimension] = shorter;
    bytes *= shorter / length;
  }
  return shape.map((length, dimension) => cut(length, lengths[dimension] ?? length));
}

function cut(length: number, chunk: number): readonly number[] {
  if (chunk >= length) return [length];
  const whole = Math.floor(length / chunk);
  const chunks = new Array<number>(whole).fill(chunk);
  return length % chunk === 0 ? chunks : [...chunks, length % chunk];
}
