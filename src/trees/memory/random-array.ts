/**
 * Arrays of pseudo-random numbers that are computed on reading and never stored: each element is a hash of its index, so a
 * slice costs only its own elements.
 */
import { setImmediate as othersFirst } from "node:timers/promises";
import { asArray, float64 } from "../model/columns.ts";
import type { ArrayNode } from "../model/contract.ts";
import { runsOf } from "../model/gather.ts";
import { countOf, type Selection } from "../model/selection.ts";
import { type ArrayDescription, array } from "./memory.ts";

/** Elements computed before other requests get a turn. */
const AT_ONCE = 100_000;

const { dataType } = asArray(float64(Float64Array.of()));

/** A number in [0, 1) for each seed and index; an integer hash with good avalanche ("lowbias32"). */
export function randomNumber(seed: number, index: number): number {
  let hash = Math.imul(seed, 0x9e3779b1) + index;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** The first `count` numbers of a seed. */
export function randomNumbers(seed: number, count: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: count }, (_, index) => randomNumber(seed, index));
}

/** An array of numbers in [0, 1) in C order. */
export function randomArray(
  seed: number,
  shape: readonly number[],
  description: ArrayDescription = {},
): ArrayNode {
  const read = async (selection: Selection) => {
    const values = new Float64Array(countOf(selection));
    let made = 0;
    for (const { from, step, count, to, toStep } of runsOf(shape, selection, "C")) {
      for (let index = 0; index < count; index += 1) {
        values[to + index * toStep] = randomNumber(seed, from + index * step);
        made += 1;
        if (made % AT_ONCE === 0) await othersFirst();
      }
    }
    return new Uint8Array(values.buffer);
  };
  return array({ dataType, shape, read }, description);
}
