/**
 * Sorts the children of a container: by its own order (`_`), or by a metadata key, with children that lack it last.
 */
import type { Entry } from "../model/contract.ts";
import { orderOf, termOf } from "./filters.ts";

export interface SortingItem {
  /** "" and `_`: the container's own order. */
  readonly key: string;
  readonly direction: 1 | -1;
}

/** Whether this sorting is the container's own order. */
export function isOwnOrder(sorting: readonly SortingItem[]): boolean {
  return sorting.every(({ key, direction }) => isOwn(key) && direction === 1);
}

/** A child's key with its values to sort by. */
export interface Ranked {
  readonly key: string;
  readonly terms: readonly unknown[];
}

/** A child's values to sort by. Only numbers and strings have an order. */
export function rankedBy(sorting: readonly SortingItem[], [key, node]: Entry): Ranked {
  const terms = sorting.map((item) => {
    const term = isOwn(item.key) ? undefined : termOf(node, item.key);
    return typeof term === "object" && term !== null ? NO_ORDER : term;
  });
  return { key, terms };
}

/** Placeholder for values without an order. */
const NO_ORDER = true;

/**
 * Sorts by several keys, the first being the most significant. A descending key reverses the whole list, ties included, as in
 * Tiled.
 */
export function sortRanked(ranked: readonly Ranked[], sorting: readonly SortingItem[]): readonly Ranked[] {
  let result = [...ranked];
  for (const [index, { key, direction }] of [...sorting.entries()].reverse()) {
    if (!isOwn(key)) result.sort((left, right) => compare(left.terms[index], right.terms[index]));
    if (direction === -1) result = result.reverse();
  }
  return result;
}

function isOwn(key: string): boolean {
  return key === "" || key === "_";
}

/** Values of different types are kept apart to get a total order. */
function compare(left: unknown, right: unknown): number {
  return rank(left) - rank(right) || (orderOf(left, right) ?? 0);
}

function rank(value: unknown): number {
  if (value === undefined) return 3;
  return typeof value === "number" ? 0 : typeof value === "string" ? 1 : 2;
}
