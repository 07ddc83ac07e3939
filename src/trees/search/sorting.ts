/**
 * The order of a container's children: its own (`_`), or by a key of their metadata, those without it last.
 */
import type { Entry } from "../model/contract.ts";
import { orderOf, termOf } from "./filters.ts";

export interface SortingItem {
  /** "" and `_`: the container's own order. */
  readonly key: string;
  readonly direction: 1 | -1;
}

export function isOwnOrder(sorting: readonly SortingItem[]): boolean {
  return sorting.every(({ key, direction }) => isOwn(key) && direction === 1);
}

/** A child, and what it is sorted by. */
export interface Ranked {
  readonly key: string;
  readonly terms: readonly unknown[];
}

/** What a child is sorted by. Only plain values have an order. */
export function rankedBy(sorting: readonly SortingItem[], [key, node]: Entry): Ranked {
  const terms = sorting.map((item) => {
    const term = isOwn(item.key) ? undefined : termOf(node, item.key);
    return typeof term === "object" && term !== null ? NO_ORDER : term;
  });
  return { key, terms };
}

/** Stands for all that has no order. */
const NO_ORDER = true;

/** The first item counts most. A descending one turns the whole list around, ties included, as Tiled does. */
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

/** Values of different kinds stand apart, so that the order is a total one. */
function compare(left: unknown, right: unknown): number {
  return rank(left) - rank(right) || (orderOf(left, right) ?? 0);
}

function rank(value: unknown): number {
  if (value === undefined) return 3;
  return typeof value === "number" ? 0 : typeof value === "string" ? 1 : 2;
}
