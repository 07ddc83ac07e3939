/**
 * Which of a container's children bear which tags, so that those which somebody may see are found without looking at
 * the others.
 */
import type { Entry, Listing, Page } from "./contract.ts";

export class TagIndex {
  readonly #byTag = new Map<string, number[]>();
  /** Those that have no tags of their own. */
  readonly #untagged: number[] = [];
  /** What was put together for a set of tags, for as long as somebody holds that very set. */
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

  /** The positions of the children that bear at least one of the tags or have none of their own, in order. */
  positions(tags: ReadonlySet<string>): readonly number[] {
    const known = this.#merged.get(tags);
    if (known !== undefined) return known;
    const lists = [this.#untagged];
    // Of the two, what is smaller is gone through.
    if (tags.size < this.#byTag.size) {
      for (const tag of tags) lists.push(this.#byTag.get(tag) ?? []);
    } else {
      for (const [tag, list] of this.#byTag) if (tags.has(tag)) lists.push(list);
    }
    const merged = merge(lists.filter(({ length }) => length > 0));
    this.#merged.set(tags, merged);
    return merged;
  }

  /** The children at those positions as a list of its own. */
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
