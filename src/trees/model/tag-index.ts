/**
 * An index from access tags to the children of a container, so that the children visible to a caller are found without checking
 * all of them.
 */
import type { Entry, Listing, Page } from "./contract.ts";

export class TagIndex {
  readonly #byTag = new Map<string, number[]>();
  /** Children without tags of their own. */
  readonly #untagged: number[] = [];
  /** Merged positions for each set of tags, for as long as that set is in use. */
  readonly #merged = new WeakMap<ReadonlySet<string>, readonly number[]>();

  constructor(tagsOfChildren: Iterable<readonly string[] | null>) {
    let position = 0;
    for (const tags of tagsOfChildren) {
      if (tags === null) this.#untagged.push(position);
      else for (const tag of new Set(tags)) this.#note(tag, position);
      position += 1;
    }
  }

  #note(tag: string, position: number): void {
    const known = this.#byTag.get(tag);
    if (known === undefined) this.#byTag.set(tag, [position]);
    else known.push(position);
  }

  /** Sorted positions of the children that have at least one of the tags, or no tags of their own. */
  positions(tags: ReadonlySet<string>): readonly number[] {
    const known = this.#merged.get(tags);
    if (known !== undefined) return known;
    const lists = [this.#untagged];
    // Iterate over the smaller of the two.
    if (tags.size < this.#byTag.size) {
      for (const tag of tags) lists.push(this.#byTag.get(tag) ?? []);
    } else {
      for (const [tag, list] of this.#byTag) if (tags.has(tag)) lists.push(list);
    }
    const merged = merge(lists.filter(({ length }) => length > 0));
    this.#merged.set(tags, merged);
    return merged;
  }

  /** A listing of those children; `read` loads the entries at given positions. */
  listing(
    tags: ReadonlySet<string>,
    read: (positions: readonly number[]) => Promise<readonly Entry[]>,
  ): Listing {
    const positions = this.positions(tags);
    return {
      count: async () => positions.length,
      entries: ({ offset, limit }: Page) => read(positions.slice(offset, offset + limit)),
    };
  }
}

function merge(lists: readonly (readonly number[])[]): readonly number[] {
  const [first, ...others] = lists;
  if (first === undefined) return [];
  if (others.length === 0) return first;
  return [...new Set(lists.flat())].sort((left, right) => left - right);
}
