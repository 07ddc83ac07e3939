/**
 * Arrays of random numbers that are made when they are read, the same as NumPy's `default_rng(seed=42)` makes them.
 */
import { setImmediate as othersFirst } from "node:timers/promises";
import { asArray, float64 } from "../model/columns.ts";
import type { ArrayNode } from "../model/contract.ts";
import { runsOf } from "../model/gather.ts";
import { countOf } from "../model/selection.ts";
import { type ArrayDescription, array } from "./memory.ts";
import { draw, toRandom } from "./pcg64.ts";

/** Elements that are made before other requests have their turn. */
const AT_ONCE = 100_000;

const { dataType } = asArray(float64(Float64Array.of()));

/** `rng.random(shape)`, where the first element is the draw with number `first`. */
export function randomArray(
  first: number,
  shape: readonly number[],
  description: ArrayDescription = {},
): ArrayNode {
  return array(dataType, shape, description, async (selection) => {
    const values = new Float64Array(countOf(selection));
    let made = 0;
    for (const { from, step, count, to, toStep } of runsOf(shape, selection, "C")) {
      for (let start = 0; start < count; start += AT_ONCE) {
        const here = Math.min(AT_ONCE, count - start);
        draw(first + from + start * step, step, here, (high, low, index) => {
          values[to + (start + index) * toStep] = toRandom(high, low);
        });
        made += here;
        if (made < AT_ONCE) continue;
        made = 0;
        await othersFirst();
      }
    }
    return new Uint8Array(values.buffer);
  });
}

/** `rng.random(count)`. */
export function randomNumbers(first: number, count: number): Float64Array<ArrayBuffer> {
  const values = new Float64Array(count);
  draw(first, 1, count, (high, low, index) => {
    values[index] = toRandom(high, low);
  });
  return values;
}

/** `rng.integers(low, high, size)` for ranges of less than 2^32, as long as NumPy has to throw none away. */
export function randomIntegers(
  first: number,
  count: number,
  low: number,
  high: number,
): BigInt64Array<ArrayBuffer> {
  const values = new BigInt64Array(count);
  const pick = (bits: number): bigint => BigInt(low + Math.floor((bits * (high - low)) / 2 ** 32));
  // Each draw is good for two: its lower half, then its upper one.
  draw(first, 1, Math.ceil(count / 2), (upper, lower, index) => {
    values[2 * index] = pick(lower);
    if (2 * index + 1 < count) values[2 * index + 1] = pick(upper);
  });
  return values;
}
