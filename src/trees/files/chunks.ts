/**
 * Cuts a large array in a file into chunks: along the dimensions with the longest strides, so the elements of a chunk are
 * contiguous in the file.
 */
import type { Order } from "../model/gather.ts";

const CHUNK_BYTES = 32 * 1024 * 1024;

/** The lengths of the chunks along each dimension, about 32 MB a chunk at most. */
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
