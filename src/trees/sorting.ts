/**
 * The order of a container's children: its own (`_`), or by a key of their metadata, those without it last.
 */
import type { Entry } from "./contract.ts";
import { orderOf, termOf } from "./filters.ts";

export interface SortingItem {
  /** "" and `_`: the container's own order. */
  readonly key: string;
  readonly direction: 1 | -1;
}

export function isOwnOrder(sorting: readonly SortingItem[]): boolean {
  return sorting.every(({ key, direction }) => isOwn(key) && direction === 1);
}

/** The first item counts most. A descending one turns the whole list around, ties included, as Tiled does. */
export function sortEntries(entries: readonly Entry[], sorting: readonly SortingItem[]): readonly Entry[] {
  let result = entries;
  for (const { key, direction } of sorting.toReversed()) {
    if (!isOwn(key))
      result = result.toSorted(([, left], [, right]) => compare(termOf(left, key), termOf(right, key)));
    if (direction === -1) result = result.toReversed();
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
