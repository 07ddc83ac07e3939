/**
 * The part of a tree that is visible to one caller; everything else does not exist for that caller. Nodes without their own
 * tags inherit those of their container, columns those of their table.
 */

import { container } from "../memory/memory.ts";
import type {
  ArrayNode,
  ContainerNode,
  Entry,
  Listing,
  Page,
  TableNode,
  TreeNode,
} from "../model/contract.ts";
import { type Rights, VISIBLE } from "../policies/rights.ts";

export type Found =
  | { readonly kind: "found"; readonly node: TreeNode }
  | { readonly kind: "absent" }
  /** Visible, but without the required scope. */
  | { readonly kind: "forbidden"; readonly scopes: ReadonlySet<string> };

/**
 * Finds a node; each container on the way must be visible. Below it, only nodes with `scope` are shown.
 *
 * @param rights Null: no policy, so every node is visible.
 */
export async function find(
  root: ContainerNode,
  segments: readonly string[],
  scope: string,
  rights: Rights | null,
): Promise<Found> {
  if (rights === null) return walk(root, segments);
  const sight = new Sight(rights, scope);
  let seen: Seen | undefined = { raw: root, path: [], tags: root.accessTags };
  let scopes = await sight.scopes(seen);
  // A caller without access to the root gets an empty one without metadata, as from the real server.
  if (!scopes.has(VISIBLE)) {
    return segments.length === 0 ? { kind: "found", node: container([]) } : { kind: "absent" };
  }
  for (const segment of segments) {
    seen = await sight.below(seen, segment);
    if (seen === undefined) return { kind: "absent" };
    scopes = await sight.scopes(seen);
    if (!scopes.has(VISIBLE)) return { kind: "absent" };
  }
  return scopes.has(scope) ? { kind: "found", node: sight.show(seen) } : { kind: "forbidden", scopes };
}

async function walk(root: ContainerNode, segments: readonly string[]): Promise<Found> {
  let node: TreeNode = root;
  for (const segment of segments) {
    const below: TreeNode | undefined = await childOf(node, segment);
    if (below === undefined) return { kind: "absent" };
    node = below;
  }
  return { kind: "found", node };
}

async function childOf(node: TreeNode, key: string): Promise<TreeNode | undefined> {
  switch (node.family) {
    case "container":
      return node.child(key);
    case "table":
      return (await node.open())?.column(key);
    case "array":
      return undefined;
  }
}

/** A node, and the context found on the way to it. */
interface Seen {
  readonly raw: TreeNode;
  readonly path: readonly string[];
  /** Its own tags, or the inherited ones. */
  readonly tags: readonly string[] | null;
}

/** Children checked in one batch. */
const PORTION = 64;
/** Bytes of metadata kept in memory for the children that pass. */
const KEPT_BYTES = 4 * 1024 * 1024;

class Sight {
  readonly #rights: Rights;
  readonly #needed: readonly string[];

  constructor(rights: Rights, scope: string) {
    this.#rights = rights;
    this.#needed = scope === VISIBLE ? [VISIBLE] : [VISIBLE, scope];
  }

  scopes({ raw, path, tags }: Seen): Promise<ReadonlySet<string>> {
    return this.#rights.scopesOn({ path, tags, family: raw.family, metadata: raw.metadata });
  }

  async below(seen: Seen, key: string): Promise<Seen | undefined> {
    const child = await childOf(seen.raw, key);
    return child && inside(seen, key, child);
  }

  show(seen: Seen): TreeNode {
    const { raw, tags } = seen;
    switch (raw.family) {
      case "container":
        return this.#container(seen, raw);
      case "table":
        return { ...plain(raw, tags), family: raw.family, open: () => raw.open() };
      case "array":
        return { ...plain(raw, tags), family: raw.family, open: () => raw.open() };
    }
  }

  #container(seen: Seen, raw: ContainerNode): ContainerNode {
    let listing: Promise<Listing> | undefined;
    const visible = () => {
      listing ??= this.#visible(seen, raw);
      return listing;
    };
    return {
      ...plain(raw, seen.tags),
      family: raw.family,
      inlined: raw.inlined,
      count: async () => (await visible()).count(),
      entries: async (page) => (await visible()).entries(page),
      child: async (key) => {
        const child = await this.below(seen, key);
        return child && (await this.#passes(child)) ? this.show(child) : undefined;
      },
      // A view is never narrowed further.
      bearing: visible,
    };
  }

  async #visible(seen: Seen, raw: ContainerNode): Promise<Listing> {
    const tags = this.#rights.tagsWith(VISIBLE);
    if (tags === null) return this.#asked(seen, raw, raw);
    const listing: Listing = tags === "all" ? raw : await raw.bearing(tags);
    // The two scopes may come from different tags of a node.
    if (this.#needed.length > 1) return this.#asked(seen, raw, listing);
    return {
      count: () => listing.count(),
      entries: async (page) =>
        (await listing.entries(page)).map(
          ([key, node]) => [key, this.show(inside(seen, key, node))] as const,
        ),
    };
  }

  /** Checks each child, in batches. Above a limit for their metadata, only the keys of visible children are kept. */
  async #asked(seen: Seen, raw: ContainerNode, listing: Listing): Promise<Listing> {
    const passed: { readonly key: string; readonly child: Seen | null }[] = [];
    let left = KEPT_BYTES;
    const count = await listing.count();
    for (let offset = 0; offset < count; offset += PORTION) {
      for (const [key, node] of await listing.entries({ offset, limit: PORTION })) {
        const child = inside(seen, key, node);
        if (!(await this.#passes(child))) continue;
        left -= node.metadataBytes ?? 0;
        passed.push({ key, child: left < 0 ? null : child });
      }
    }
    return {
      count: async () => passed.length,
      entries: async ({ offset, limit }: Page) => {
        const shown: Entry[] = [];
        for (const { key, child } of passed.slice(offset, offset + limit)) {
          const found = child ?? (await this.#again(seen, raw, key));
          if (found !== undefined) shown.push([key, this.show(found)]);
        }
        return shown;
      },
    };
  }

  /** Reads and checks a child again; it may have been replaced. */
  async #again(seen: Seen, raw: ContainerNode, key: string): Promise<Seen | undefined> {
    const node = await raw.child(key);
    const child = node && inside(seen, key, node);
    return child && (await this.#passes(child)) ? child : undefined;
  }

  async #passes(seen: Seen): Promise<boolean> {
    const scopes = await this.scopes(seen);
    return this.#needed.every((scope) => scopes.has(scope));
  }
}

function inside(seen: Seen, key: string, raw: TreeNode): Seen {
  return { raw, path: [...seen.path, key], tags: raw.accessTags ?? seen.tags };
}

function plain(node: ContainerNode | TableNode | ArrayNode, tags: readonly string[] | null) {
  const { metadata, metadataBytes = 0, specs } = node;
  return { metadata, metadataBytes, specs, accessTags: tags };
}
