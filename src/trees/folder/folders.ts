/**
 * The current content of a tree's folders. A folder is read again only after it has changed. Files that turned out not to be
 * readable are left out until they change.
 */
import type { Clock } from "../../lib/clock.ts";
import type { Found, Inside, Mark } from "../files/inside.ts";
import { Recent } from "../files/recent.ts";
import type { FilePath } from "../files/steps.ts";
import { type Item, sortOut } from "./listing.ts";
import type { Skipped } from "./skipped.ts";

/** The served entries of one folder. */
export interface FolderListing {
  readonly items: readonly Item[];
  readonly byKey: ReadonlyMap<string, Item>;
}

interface Remembered {
  readonly mark: Mark;
  /** Whether the folder had been unchanged long enough for its next change to show in its times. */
  readonly settled: boolean;
  readonly broken: ReadonlyMap<string, Mark>;
  readonly listing: FolderListing;
}

/** Cached names of all folders together. */
const MOST_NAMES = 1_000_000;

/** Milliseconds. File systems round times, and clocks differ. */
const QUIET = 2000;

/** Unreadable files remembered for one folder; others are read again each time. */
const MOST_BROKEN = 1000;

const EMPTY: FolderListing = { items: [], byKey: new Map() };

export class Folders {
  readonly #inside: Inside;
  readonly #skipped: Skipped;
  readonly #clock: Clock;
  readonly #remembered = new Recent<Remembered>(MOST_NAMES);
  readonly #broken = new Recent<ReadonlyMap<string, Mark>>(MOST_NAMES);
  readonly #reading = new Map<string, Promise<FolderListing>>();

  constructor(inside: Inside, skipped: Skipped, clock: Clock) {
    this.#inside = inside;
    this.#skipped = skipped;
    this.#clock = clock;
  }

  /** The entries of a folder, empty if it cannot be read; concurrent calls share one read. */
  list(path: FilePath): Promise<FolderListing> {
    const key = path.join("/");
    const known = this.#reading.get(key);
    if (known !== undefined) return known;
    const reading = this.#list(path, key).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  /** Leaves an unreadable file out of its folder until the file changes. */
  markBroken(path: FilePath, mark: Mark, why: string): void {
    this.#skipped.tell(path, why);
    const folder = path.slice(0, -1).join("/");
    const broken = this.#broken.get(folder) ?? new Map<string, Mark>();
    if (broken.size >= MOST_BROKEN) return;
    this.#broken.set(folder, new Map(broken).set(path.at(-1) ?? "", mark), broken.size + 1);
  }

  async #list(path: FilePath, key: string): Promise<FolderListing> {
    const folder = await this.#inside.folder(path);
    if (folder === undefined) {
      this.#skipped.tell(path, "it cannot be read");
      return EMPTY;
    }
    try {
      const broken = await this.#stillBroken(path, key);
      const known = this.#remembered.get(key);
      if (known?.settled && known.mark === folder.mark && known.broken === broken) return known.listing;
      const settled = folder.changedAt < this.#clock.now() - QUIET;
      const listing = this.#sorted(path, await folder.names(), broken);
      this.#remembered.set(key, { mark: folder.mark, settled, broken, listing }, listing.items.length + 1);
      return listing;
    } finally {
      await folder.close();
    }
  }

  /** Returns the same map until something changes. */
  async #stillBroken(path: FilePath, key: string): Promise<ReadonlyMap<string, Mark>> {
    const broken = this.#broken.get(key);
    if (broken === undefined) return NONE_BROKEN;
    const left = new Map<string, Mark>();
    for (const [name, mark] of broken)
      if ((await this.#inside.mark([...path, name])) === mark) left.set(name, mark);
    if (left.size === broken.size) return broken;
    if (left.size === 0) this.#broken.delete(key);
    else this.#broken.set(key, left, left.size);
    return left.size === 0 ? NONE_BROKEN : left;
  }

  #sorted(path: FilePath, found: readonly Found[], broken: ReadonlyMap<string, Mark>): FolderListing {
    const { items, skipped } = sortOut(found, (name) => broken.has(name));
    for (const { name, why } of skipped) this.#skipped.tell([...path, name], why);
    return { items, byKey: new Map(items.map((item) => [item.key, item])) };
  }
}

const NONE_BROKEN: ReadonlyMap<string, Mark> = new Map();
