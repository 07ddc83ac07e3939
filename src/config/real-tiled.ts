/**
 * Finds the parts of a configuration that only a real Tiled serves: catalogs, trees by their Python names, exporters, and
 * their policies. One error names all of them and the steps to take; without it the data would be missing silently. Limits
 * and pools have no effect here, which the schema says. `migrate/` makes the two files.
 */

import { printableJson } from "../lib/printable.ts";
import { POLICY_NAMES } from "../vocabulary/policies.ts";
import { isTreeName, TREE_NAMES } from "../vocabulary/trees.ts";
import { at, isNothing, type Located, type Path, pathText, plain, quoted } from "../yaml/located.ts";
import { nearest } from "../yaml/suggest.ts";
import type { Context } from "./context.ts";

/** Tiled's names of its catalog: `catalog`, and everything in its module. */
const CATALOG = /^(?:catalog$|tiled\.catalog(?:\.[A-Za-z_]\w*)*:)/;
const PYTHON_NAME = /^[A-Za-z_][\w.]{0,200}:[A-Za-z_][\w.]{0,100}$/;

/** Sections that decide which data are served, each with its default. */
const SECTIONS: ReadonlyMap<string, { readonly what: string; readonly nothing: unknown }> = new Map([
  ["media_types", { what: "exporters", nothing: {} }],
  ["file_extensions", { what: "exporters", nothing: {} }],
  ["specs", { what: "specs of uploads", nothing: [] }],
  ["reject_undeclared_specs", { what: "specs of uploads", nothing: false }],
  ["expose_raw_assets", { what: "assets", nothing: true }],
  ["routers", { what: "routes in Python", nothing: [] }],
  ["streaming_cache", { what: "streaming", nothing: {} }],
  ["webhooks", { what: "webhooks", nothing: undefined }],
  ["create_mount_nodes_if_not_exist", { what: "catalogs", nothing: false }],
]);

/** Their names; `migrate/` moves them. */
export const TILED_SECTIONS: readonly string[] = [...SECTIONS.keys()];

/** Trees of our own lose nothing without the other sections. */
const NEVER_HERE = "routers";

function isCatalog(tree: string): boolean {
  return CATALOG.test(tree);
}

/** Whether only a real Tiled has this tree. False for a misspelled name of ours. */
export function isTiledsTree(tree: string): boolean {
  if (isTreeName(tree)) return false;
  return isCatalog(tree) || (PYTHON_NAME.test(tree) && !isMisspelt(tree));
}

/** Near as a whole and in the last part: the names of Tiled's examples differ in that part only. */
function isMisspelt(tree: string): boolean {
  const last = (name: string) => name.slice(name.lastIndexOf(".", name.indexOf(":")) + 1);
  return nearest(tree, TREE_NAMES) !== undefined && nearest(last(tree), TREE_NAMES.map(last)) !== undefined;
}

/** Whether a section has its default value. */
export function saysNothing(key: string, value: unknown): boolean {
  const json = JSON.stringify(value) ?? "null";
  return json === "null" || json === JSON.stringify(SECTIONS.get(key)?.nothing);
}

/** The trees as the file has them, whatever else is wrong with them. */
function writtenTrees({ root }: Context): readonly { readonly path: Path; readonly tree: string }[] {
  const trees = at(root, ["trees"]);
  if (trees?.kind !== "list") return [];
  return trees.items.flatMap((item, index) => {
    const tree = at(item, ["tree"]);
    if (tree?.kind !== "scalar" || typeof tree.value !== "string" || at(item, ["upstream"]) !== undefined)
      return [];
    return [{ path: ["trees", index], tree: tree.value }];
  });
}

/** For messages. Only origins, since a URL may contain a password. */
function upstreams(context: Context): string {
  const paths = (context.value.trees ?? []).flatMap((entry, index) =>
    entry?.upstream === undefined || entry.kind === "http"
      ? []
      : [`trees[${index}]: ${new URL(entry.upstream).origin}`],
  );
  return paths.join(", ") || "an upstream";
}

/** The `kind` of each upstream, undefined if not given. */
function kindsOfUpstreams({ root }: Context): readonly unknown[] {
  const trees = at(root, ["trees"]);
  if (trees?.kind !== "list") return [];
  const entries = trees.items.filter((item) => at(item, ["upstream"]) !== undefined);
  return entries.map((item) => {
    const kind = at(item, ["kind"]);
    return kind?.kind === "scalar" ? kind.value : undefined;
  });
}

function isThere(root: Located, path: Path): boolean {
  const node = at(root, path);
  return node !== undefined && !isNothing(node);
}

/** Which trees are served here, by a Tiled that is still missing, or by an upstream. */
function kindsOfTrees(context: Context) {
  const trees = writtenTrees(context);
  const upstreams = kindsOfUpstreams(context);
  return {
    here: trees.some(({ tree }) => isTreeName(tree)),
    elsewhere: trees.some(({ tree }) => isTiledsTree(tree)) || isThere(context.root, ["catalog"]),
    upstream: upstreams.length > 0,
    /** An upstream that may be a Tiled. */
    behind: upstreams.some((kind) => kind !== "http"),
  };
}

/** Whether the policy belongs to the Tiled: it covers the Tiled's trees, or needs classes or tables of a Tiled. */
export function isTiledsPolicy(context: Context): boolean {
  const policy = at(context.root, ["access_control", "access_policy"]);
  if (policy?.kind !== "scalar" || typeof policy.value !== "string") return false;
  const { here, elsewhere, upstream } = kindsOfTrees(context);
  if (elsewhere || (upstream && !here)) return true;
  const has = (key: string) => at(context.root, ["access_control", "args", key]) !== undefined;
  return needsTiled(policy.value, has);
}

/** Whether only a Tiled has this policy, or the objects that its arguments name. */
export function needsTiled(policy: string, hasArg: (key: string) => boolean): boolean {
  // A Tiled's source of tags. With a file of definitions our own policy accepts the parser's name as well.
  if (hasArg("tags_db") || (hasArg("access_tags_parser") && !hasArg("tag_definitions"))) return true;
  return (
    PYTHON_NAME.test(policy) && !POLICY_NAMES.includes(policy) && nearest(policy, POLICY_NAMES) === undefined
  );
}

/** Keys that are reported here and in `old-forms.ts`. Other keys without effect are noted by the check. */
export function isReported(path: string): boolean {
  return (
    SECTIONS.has(path) || ["catalog", "authentication.authenticator", "authentication.args"].includes(path)
  );
}

export function reportTiledsOwn(context: Context): void {
  const { root } = context;
  const { here, elsewhere, upstream, behind } = kindsOfTrees(context);
  const found: Finding[] = [...catalogFindings(context), ...treeFindings(context)];
  for (const [key, { what }] of SECTIONS) {
    const node = at(root, [key]);
    if (node === undefined) continue;
    const says = !saysNothing(key, plain(node));
    if (says && (elsewhere || upstream || key === NEVER_HERE)) found.push({ path: [key], what });
    else context.noEffect(context.place([key]), `${what}: settings of a real Tiled behind this server`);
  }
  if (isTiledsPolicy(context))
    found.push({ path: ["access_control"], what: policyText(context, here || elsewhere) });
  const [first] = found;
  if (first === undefined) return;
  const joins = behind && !elsewhere;
  const start = joins
    ? `these settings belong in the configuration of the Tiled behind (${upstreams(context)}) and have no effect here:`
    : "this configuration needs a real Tiled behind this server. Without one, these would be missing:";
  const list = found.map(({ path, places, what }) => `    ${places ?? pathText(path)}: ${what}`);
  context.problem(first.path, [start, ...list, ...steps(context, first.path, joins)].join("\n"));
}

/** One line of the error: one path or several, and what it has. */
interface Finding {
  readonly path: Path;
  readonly places?: string;
  readonly what: string;
}

function catalogFindings({ root }: Context): readonly Finding[] {
  return isThere(root, ["catalog"]) ? [{ path: ["catalog"], what: "a catalog" }] : [];
}

/** Trees of one name together. */
function treeFindings(context: Context): readonly Finding[] {
  const byName = Map.groupBy(
    writtenTrees(context).filter(({ tree }) => isTiledsTree(tree)),
    ({ tree }) => tree,
  );
  return [...byName].map(([tree, [first, ...others]]) => {
    const places = [first, ...others].flatMap((entry) =>
      entry === undefined ? [] : [placeOf(context, entry.path)],
    );
    const what = isCatalog(tree) ? `a catalog ('${tree}')` : `the Python tree '${tree}'`;
    const many = others.length === 0 ? "" : "; one upstream serves all of them";
    const folder = /[.:]files:|DirectoryAdapter/.test(tree) ? "; this server serves a folder as 'files'" : "";
    return {
      path: [...(first?.path ?? []), "tree"],
      places: places.join(" and "),
      what: `${what}${many}${folder}`,
    };
  });
}

function placeOf({ root }: Context, path: Path): string {
  const mounted = at(root, [...path, "path"]);
  const where =
    mounted?.kind === "scalar" && typeof mounted.value === "string" ? ` (${quoted(mounted.value)})` : "";
  return `${pathText(path)}${where}`;
}

function policyText({ root }: Context, needsTiled: boolean): string {
  const name = at(root, ["access_control", "access_policy"]);
  const policy = `the policy ${name?.kind === "scalar" ? shownName(String(name.value)) : "of another form"}`;
  return needsTiled
    ? `${policy} covers trees of a Tiled or needs one (policies of this server: docs/how-to/access-control.md)`
    : `${policy} applies to no tree of this server`;
}

function shownName(text: string): string {
  return PYTHON_NAME.test(text) ? `'${text}'` : "of another form";
}

function steps(context: Context, first: Path, joins: boolean): readonly string[] {
  const { file } = context.root.spot;
  const written = context.spot(first).line > 0;
  const migrate = written
    ? [`  'tiled config migrate ${printableJson(file)}' writes both files. See docs/how-to/migrating.md.`]
    : ["  See docs/how-to/migrating.md."];
  if (joins)
    return ["  Move them there. Use the same provider names and secret_keys in both files.", ...migrate];
  return [
    `  1. Run ${written ? "this file" : "it"} in a real Tiled on loopback (uvicorn: {host: 127.0.0.1, port: 8001}).`,
    `  2. Put this server in front of it (trees: [{path: /, upstream: "http://127.0.0.1:8001"}]).`,
    "  3. Give both the same authentication.secret_keys and the same provider names.",
    ...migrate,
  ];
}
