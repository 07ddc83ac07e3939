/**
 * What is served: trees and the access policy, and the rules about them.
 */
import { TREE_NAMES } from "../trees/names.ts";
import type { Context } from "./context.ts";
import { at, isNothing, type Path, quoted } from "./located.ts";
import type { Config, TreeConfig } from "./model.ts";
import { nearest } from "./suggest.ts";
import { isUpstream, UPSTREAM_KEYS } from "./upstreams.ts";

/** What the reference calls its catalog. */
const CATALOGS: ReadonlySet<string> = new Set([
  "catalog",
  "tiled.catalog:from_uri",
  "tiled.catalog:in_memory",
]);

const POLICIES = ["tiled.access_control.access_policies:DummyAccessPolicy"] as const;

export function treeConfigs(context: Context): readonly TreeConfig[] {
  const given = context.value.trees ?? [];
  const there = at(context.root, ["trees"]);
  const catalog = at(context.root, ["catalog"]);
  const hasCatalog = catalog !== undefined && !isNothing(catalog);
  const hasTrees =
    there !== undefined && !isNothing(there) && !(there.kind === "list" && there.items.length === 0);
  if (hasCatalog && hasTrees)
    context.problem(["catalog"], "'catalog' and 'trees' exclude each other, as in Tiled; remove one of them");
  if (!hasCatalog && !hasTrees) {
    context.problem(
      ["trees"],
      `nothing is served: 'trees' (or 'catalog') is missing. For a start: trees: [{path: /, tree: "${TREE_NAMES[0]}"}]`,
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
        context.problem([...path, "path"], "found '.' or '..' in it, allowed: names between slashes");
      const clash = taken.find(
        (other) => contains(other.segments, segments) || contains(segments, other.segments),
      );
      if (clash !== undefined) {
        context.problem(
          [...path, "path"],
          `this path and that of trees[${clash.index}] ('/${clash.segments.join("/")}') contain each other; each tree needs a place of its own`,
        );
      }
      taken.push({ segments, index });
    }
    for (const key of UPSTREAM_KEYS) {
      if (at(context.root, [...path, key]) !== undefined)
        context.problem([...path, key], "of an upstream only; this entry has none");
    }
    needs(context, path, "path");
    needs(context, path, "tree");
    if (entry?.tree === undefined || !isKnown(context, entry.tree, path)) continue;
    if (entry.path === undefined) continue;
    if (Object.keys(entry.args ?? {}).length > 0)
      context.problem([...path, "args"], "this tree takes no arguments");
    const normal = `/${entry.path
      .split("/")
      .filter((segment) => segment !== "")
      .join("/")}`;
    trees.push({ path: normal, tree: entry.tree, args: entry.args ?? {}, place: context.place(path) });
  }
  return trees;
}

const NEEDED = {
  path: "Where it is served: '/' or '/raw'",
  tree: `Which tree: '${TREE_NAMES[0]}' (or 'upstream': the URL of a server behind this one)`,
} as const;

function needs(context: Context, path: Path, key: "path" | "tree"): void {
  if (at(context.root, path)?.kind !== "mapping" || at(context.root, [...path, key]) !== undefined) return;
  context.problem(path, `the key '${key}' is missing; it is needed: ${NEEDED[key]}`);
}

function contains(outer: readonly string[], inner: readonly string[]): boolean {
  return outer.every((segment, index) => inner[index] === segment);
}

function isKnown(context: Context, tree: string, path: Path): boolean {
  if (CATALOGS.has(tree)) {
    const place = context.place([...path, "tree"]);
    context.noEffect(place, "catalogs are the data service's, which is a real Tiled");
    return false;
  }
  if ((TREE_NAMES as readonly string[]).includes(tree)) return true;
  const near = nearest(tree, TREE_NAMES);
  context.problem(
    [...path, "tree"],
    `found ${name(tree)}, which has to run in a real Tiled${near === undefined ? "." : `; did you mean ${quoted(near)}?`} Served here: ${TREE_NAMES.join(", ")}`,
  );
  return false;
}

export function accessControl(context: Context): Config["accessControl"] {
  const given = context.value.access_control;
  if (given?.access_policy === undefined) return null;
  const path = ["access_control"];
  if (!(POLICIES as readonly string[]).includes(given.access_policy)) {
    const reason = given.access_policy.endsWith(":TagBasedAccessPolicy")
      ? "reads its tags from Tiled's catalog database and applies to nothing that is served here"
      : "is not known here, and nothing is served without the policy that was asked for";
    context.problem(
      [...path, "access_policy"],
      `the policy ${name(given.access_policy)} ${reason}. Allowed: ${POLICIES.join(", ")}`,
    );
    return null;
  }
  if (Object.keys(given.args ?? {}).length > 0)
    context.problem([...path, "args"], "this policy takes no arguments, allowed: null");
  return { accessPolicy: given.access_policy, args: given.args ?? {}, place: context.place(path) };
}

/** A name in a message, if it looks like one: what stands in the wrong place may be a secret. */
function name(text: string): string {
  return /^[A-Za-z_][\w.]{0,100}:[A-Za-z_]\w{0,60}$/.test(text) ? quoted(text) : "another text";
}
