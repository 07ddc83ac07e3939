/**
 * The trees that are served here, and the rules about them. Access to them is in `access.ts`.
 */
import { isTreeName, TREE_ARGS, TREE_NAMES, type TreeName } from "../vocabulary/trees.ts";
import { check } from "../yaml/check.ts";
import { at, emptyMapping, isNothing, type Path } from "../yaml/located.ts";
import { didYouMean } from "../yaml/suggest.ts";
import type { Shape } from "../yaml/words.ts";
import { needsPolicy, treeTags } from "./access.ts";
import type { Context } from "./context.ts";
import type { TreeConfig } from "./model.ts";
import { oldFormHint } from "./old-forms.ts";
import { isTiledsTree } from "./real-tiled.ts";
import { isUpstream, UPSTREAM_KEYS } from "./upstreams.ts";

export function treeConfigs(context: Context): readonly TreeConfig[] {
  const given = context.value.trees ?? [];
  const there = at(context.root, ["trees"]);
  const hasCatalog = isGiven(context, "catalog");
  const hasTrees =
    there !== undefined && !isNothing(there) && !(there.kind === "list" && there.items.length === 0);
  if (hasCatalog && hasTrees)
    context.problem(
      ["catalog"],
      "'catalog' and 'trees' cannot be used together, as in Tiled. Remove one of them.",
    );
  // Without data it may still be the logins of CAVE's services.
  if (!hasCatalog && !hasTrees && !isGiven(context, "cave")) {
    context.problem(
      ["trees"],
      `nothing is served: 'trees' (or 'catalog') is missing. To begin with: trees: [{path: /, tree: "${TREE_NAMES[0]}"}]`,
    );
  }
  const trees: TreeConfig[] = [];
  const taken: { readonly segments: readonly string[]; readonly index: number }[] = [];
  for (const [index, entry] of given.entries()) {
    const path = ["trees", index];
    if (isUpstream(context, path)) continue;
    if (entry?.path !== undefined) {
      const segments = entry.path.split("/").filter((segment) => segment !== "");
      if (segments.includes(".") || segments.includes(".."))
        context.problem(
          [...path, "path"],
          "must not contain '.' or '..'. Use names between slashes ('/raw/2024').",
        );
      const clash = taken.find(
        (other) => contains(other.segments, segments) || contains(segments, other.segments),
      );
      if (clash !== undefined) {
        context.problem(
          [...path, "path"],
          `this path and that of trees[${clash.index}] ('/${clash.segments.join("/")}') overlap. Give each tree a path of its own.`,
        );
      }
      taken.push({ segments, index });
    }
    for (const key of UPSTREAM_KEYS) {
      if (at(context.root, [...path, key]) !== undefined)
        context.problem(
          [...path, key],
          "only an entry with 'upstream' can have this. Remove it, or use 'upstream' instead of 'tree'.",
        );
    }
    needs(context, path, "path");
    needs(context, path, "tree");
    if (entry?.tree === undefined || !isKnown(context, entry.tree, path)) continue;
    if (entry.path === undefined) continue;
    const args = treeArgs(context, entry.tree, path);
    const accessTags = treeTags(context, entry.access_tags, [...path, "access_tags"]);
    const normal = `/${entry.path
      .split("/")
      .filter((segment) => segment !== "")
      .join("/")}`;
    if (args === undefined) continue;
    trees.push({ path: normal, tree: entry.tree, args, accessTags, place: context.place(path) });
  }
  return trees;
}

const NEEDED = {
  path: "The path where it is served: '/' or '/raw'",
  tree: `Which tree: '${TREE_NAMES[0]}' (or 'upstream': the URL of a server behind this one)`,
} as const;

function needs(context: Context, path: Path, key: "path" | "tree"): void {
  if (at(context.root, path)?.kind !== "mapping" || at(context.root, [...path, key]) !== undefined) return;
  context.problem(path, `the key '${key}' is missing (${NEEDED[key]}).`);
}

function isGiven(context: Context, section: string): boolean {
  const node = at(context.root, [section]);
  return node !== undefined && !isNothing(node);
}

function contains(outer: readonly string[], inner: readonly string[]): boolean {
  return outer.every((segment, index) => inner[index] === segment);
}

/** Undefined if they do not fit. */
function treeArgs(context: Context, tree: TreeName, path: Path): TreeConfig["args"] | undefined {
  const there = [...path, "args"];
  const given = at(context.root, there);
  const node = given === undefined || isNothing(given) ? emptyMapping(context.spot(path)) : given;
  const before = context.problems.all.length;
  const args = check(TREE_ARGS[tree] as Shape, node, there, {
    problems: context.problems,
    noEffect: () => {},
    hint: (key) => oldFormHint(key, context.root),
  });
  if (at(node, ["access_tags_file"]) !== undefined) needsPolicy(context, [...there, "access_tags_file"]);
  return context.problems.all.length > before ? undefined : ((args ?? {}) as TreeConfig["args"]);
}

function isKnown(context: Context, tree: string, path: Path): tree is TreeName {
  if (isTreeName(tree)) return true;
  // Reported once, for all of them.
  if (isTiledsTree(tree)) return false;
  const place = [...path, "tree"];
  context.problem(
    place,
    `the tree ${context.shown(place, "of this name")} is not known here.${didYouMean(tree, TREE_NAMES)} Use ${TREE_NAMES.join(", ")}, or a real Tiled behind this server ({path: /, upstream: "http://127.0.0.1:8001"}).`,
  );
  return false;
}
