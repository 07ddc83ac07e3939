/**
 * The entries of `trees` of a configuration that is divided: their kinds, the ones that can move to a Tiled, and errors for
 * entries that would lose a setting.
 */
import { isMap, isSeq, type YAMLMap } from "yaml";
import { OperatorError } from "../../errors.ts";
import { isTreeName } from "../../vocabulary/trees.ts";
import { isTiledsTree } from "../real-tiled.ts";
import { keyOf } from "./document.ts";

export interface Entries {
  readonly all: readonly YAMLMap[];
  /** Upstreams that may be a Tiled. */
  readonly behind: readonly YAMLMap[];
  /** Whether a tree is served here, by its name. */
  readonly here: boolean;
  /** Whether a tree is a Tiled's. */
  readonly elsewhere: boolean;
}

/** `read` replaces variables in names. */
export function entriesOf(root: YAMLMap, read: (text: string) => string): Entries {
  const trees = root.get("trees", true) as unknown;
  const all = isSeq(trees) ? trees.items.filter((item): item is YAMLMap => isMap(item)) : [];
  const names = all.map((tree) => read(nameOf(tree)));
  return {
    all,
    behind: all.filter((tree) => tree.has("upstream") && tree.get("kind") !== "http"),
    here: names.some(isTreeName),
    elsewhere: names.some(isTiledsTree),
  };
}

export function textOf(node: YAMLMap, key: string): string {
  const value = node.get(key);
  return typeof value === "string" ? value : "";
}

function nameOf(tree: YAMLMap): string {
  return tree.has("upstream") ? "" : textOf(tree, "tree");
}

/** "" or "/raw". */
export function pathOf(tree: YAMLMap): string {
  const segments = textOf(tree, "path").split("/");
  return segments
    .filter((segment) => segment !== "")
    .map((segment) => `/${segment}`)
    .join("");
}

export function isAtRoot(tree: YAMLMap): boolean {
  return pathOf(tree) === "" && !tree.has("host");
}

/** Trees that a Tiled can serve as well move with the others, so that all stay in one place. */
export function movesToTiled(tree: YAMLMap, read: (text: string) => string): boolean {
  const name = read(nameOf(tree));
  return isTiledsTree(name) || (isTreeName(name) && name !== "files" && !tree.has("access_tags"));
}

/** Tiled 0.2.20 silently ignores unknown keys of an entry, even a policy. */
export function refuseLost(moving: readonly YAMLMap[]): void {
  for (const tree of moving) {
    for (const key of tree.items.map(keyOf)) {
      if (["path", "tree", "args"].includes(key)) continue;
      const what =
        key === "access_control" || key === "access_policy"
          ? "Tiled 0.2.20 ignores a policy of one tree and would serve the tree without it. Write one section 'access_control'"
          : "Tiled 0.2.20 ignores this key. Remove it";
      throw new OperatorError(
        `The tree at ${places([tree])} has '${key}'. ${what}, then run this command again.`,
      );
    }
  }
}

export function refuseOwnTrees(staying: readonly YAMLMap[], read: (text: string) => string): void {
  const own = ownTrees(staying, read);
  if (own.length === 0) return;
  throw new OperatorError(
    `The trees at ${places(own)} cannot move to a Tiled, and the Tiled behind needs '/'. Move them to another configuration, then run this command again.`,
  );
}

/** The policy moves to the Tiled, so these trees would be served without it. */
export function refuseUnprotected(staying: readonly YAMLMap[], read: (text: string) => string): void {
  const own = ownTrees(staying, read);
  if (own.length === 0) return;
  throw new OperatorError(
    `The policy would move to the Tiled, and the trees at ${places(own)} would be served here without it. Use a policy of this server for them (docs/how-to/access-control.md), or move them to another configuration.`,
  );
}

function ownTrees(trees: readonly YAMLMap[], read: (text: string) => string): readonly YAMLMap[] {
  return trees.filter((tree) => isTreeName(read(nameOf(tree))));
}

function places(trees: readonly YAMLMap[]): string {
  return trees.map((tree) => pathOf(tree) || "/").join(", ");
}
