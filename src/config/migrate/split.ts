/**
 * Divides a Tiled's configuration in two: ours, with the logins and the gateway, and that of the Tiled behind, as
 * docs/how-to/gateway.md explains. `document.ts` reads files, `cli/config/migrate.ts` writes them.
 */
import { type Document, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq } from "yaml";
import { OperatorError } from "../../errors.ts";
import { namesModule } from "../../plugins/own-class.ts";
import { TREE_NAMES } from "../../vocabulary/trees.ts";
import type { Environment } from "../../yaml/interpolate.ts";
import { needsTiled, saysNothing, TILED_SECTIONS } from "../real-tiled.ts";
import { authenticationPair } from "./authentication.ts";
import { keyOf, type SourceDocument } from "./document.ts";
import {
  entriesOf,
  isAtRoot,
  movesToTiled,
  pathOf,
  refuseLost,
  refuseOwnTrees,
  refuseUnprotected,
  textOf,
} from "./entries.ts";

const POLICY_ARGS = ["access_control", "args"];

export interface Division {
  readonly ours: Document;
  readonly theirs: Document;
  /** Top-level keys of the Tiled's file. */
  readonly moved: readonly string[];
  /** For the operator, without a full stop. */
  readonly notes: readonly string[];
  /** The variable in both files if the source has no secret keys; else null. */
  readonly newSecret: string | null;
}

interface Choices {
  /** The name of the source, for comments in the files. */
  readonly name: string;
  readonly upstreamPort: number;
  readonly env: Environment;
}

/** Limits and pools of a Tiled, which have no effect here. */
const TUNING = [
  "response_bytesize_limit",
  "exact_count_limit",
  "catalog_pool_size",
  "storage_pool_size",
  "catalog_max_overflow",
  "storage_max_overflow",
];
/** The keys that a Tiled behind this server needs. It refuses unknown keys. */
const THEIRS: ReadonlySet<string> = new Set([
  ...TILED_SECTIONS,
  ...TUNING,
  "access_control",
  "authentication",
  "catalog",
  "metrics",
  "trees",
  "uvicorn",
]);
/** The keys of `uvicorn` about how callers reach this server. The others go to the Tiled. */
const UVICORN_OF_OURS =
  /^(?:host|port|root_path|ssl_.*|proxy_headers|forwarded_allow_ips|uds|fd|app|headers|date_header|server_header)$/;

/** Null if this server can serve the file by itself. */
export function divide(source: SourceDocument, choices: Choices): Division | null {
  const { root } = source;
  const read = (name: string) => inserted(name, choices.env);
  const { all, behind, here, ...entries } = entriesOf(root, read);
  const elsewhere = entries.elsewhere || isPresent(root, "catalog");
  const policy = read(policyOf(root));
  const policyMoves =
    policy !== "" &&
    !namesModule(policy) &&
    (elsewhere ||
      (behind.length > 0 && !here) ||
      needsTiled(policy, (key) => root.hasIn([...POLICY_ARGS, key])));
  const sections = TILED_SECTIONS.some((key) => root.has(key) && !saysNothing(key, root.get(key)));
  const routers = !saysNothing("routers", root.get("routers"));
  if (!(elsewhere || policyMoves || routers || (behind.length > 0 && sections))) return null;

  const existing = behind.find((tree) => isAtRoot(tree)) ?? (elsewhere ? undefined : behind[0]);
  const moving = existing === undefined || elsewhere ? all.filter((tree) => movesToTiled(tree, read)) : [];
  const staying = all.filter((tree) => !moving.includes(tree));
  refuseLost(moving);
  if (existing === undefined) refuseOwnTrees(staying, read);
  else if (policyMoves) refuseUnprotected(staying, read);
  const notes: string[] = [];
  const place = existing === undefined ? null : addressOf(existing);
  if (place !== null && !place.loopback)
    notes.push(
      `the Tiled behind is at ${place.url}: add the sections of tiled.yml to its configuration there`,
    );
  const port = place?.port ?? choices.upstreamPort;
  refuseSamePort(root, port);

  const pair = authenticationPair(source, choices.env);
  const ours = source.document.clone() as Document & { contents: YAMLMap };
  const theirs = source.document.clone() as Document & { contents: YAMLMap };
  const prefix = existing === undefined ? "" : pathOf(existing);

  for (const key of [...TILED_SECTIONS, ...TUNING, "catalog", "object_cache"]) ours.delete(key);
  if (policyMoves) ours.delete("access_control");
  ours.set("authentication", pair.ours);
  setTrees(ours, staying);
  if (existing === undefined) {
    const entry = { path: "/", upstream: `http://127.0.0.1:${port}`, kind: "tiled" };
    (ours.get("trees") as YAMLSeq).add(ours.createNode(entry, { flow: true }));
  }
  keepUvicorn(ours, (key) => UVICORN_OF_OURS.test(key));

  for (const key of theirs.contents.items.map(keyOf)) if (!THEIRS.has(key)) theirs.delete(key);
  if (isPresent(root, "object_cache")) notes.push("object_cache is left out: Tiled has removed it");
  if (policyMoves) asTodaysPolicy(theirs, notes);
  else theirs.delete("access_control");
  asTodaysCatalog(theirs);
  theirs.set("authentication", pair.theirs);
  keepUvicorn(theirs, (key) => !UVICORN_OF_OURS.test(key));
  theirs.setIn(["uvicorn", "host"], "127.0.0.1");
  theirs.setIn(["uvicorn", "port"], port);
  const rootPath = `${ownRootPath(root, notes)}${prefix}`;
  if (rootPath !== "") theirs.setIn(["uvicorn", "root_path"], rootPath);
  if (moving.length > 0) setTrees(theirs, moving);
  else if (isPresent(root, "catalog")) theirs.delete("trees");
  else putExample(theirs, notes);

  head(
    ours,
    ` Logins, and the gateway to the Tiled of tiled.yml. Made by 'tiled config migrate' from ${choices.name}.`,
  );
  head(
    theirs,
    ` The real Tiled behind tiled-auth.yml. It must not be reachable from elsewhere. Made by 'tiled config migrate' from ${choices.name}.`,
  );
  return { ours, theirs, moved: theirs.contents.items.map(keyOf), notes, newSecret: pair.newSecret };
}

function isPresent(root: YAMLMap, key: string): boolean {
  const node = root.get(key, true) as Node | undefined;
  return node !== undefined && !(isScalar(node) && node.value === null);
}

function policyOf(root: YAMLMap): string {
  const section = root.get("access_control", true) as unknown;
  return isMap(section) ? textOf(section, "access_policy") : "";
}

/** Replaces variables in names that a decision depends on. The files keep the variables. */
function inserted(name: string, env: Environment): string {
  return name.replaceAll(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (whole, braced?: string, bare?: string) => env[braced ?? bare ?? ""] ?? whole,
  );
}

/** Replaces the trees and keeps the comments. */
function setTrees(document: Document, trees: readonly YAMLMap[]): void {
  const old = document.get("trees", true) as unknown;
  const list = document.createNode(trees) as YAMLSeq;
  if (isSeq(old) && trees.length > 0) {
    list.commentBefore = old.commentBefore ?? null;
    list.comment = old.comment ?? null;
  }
  document.set("trees", list);
}

function refuseSamePort(root: YAMLMap, port: number): void {
  for (const section of ["server", "uvicorn"]) {
    const node = root.get(section, true) as unknown;
    const own = isMap(node) ? Number(node.get("port") ?? 0) : 0;
    if (own === port)
      throw new OperatorError(
        `Port ${port} is this server's own (${section}.port). Choose another one for the Tiled: --upstream-port ${port + 1}`,
      );
  }
  if (
    port === 8000 &&
    !["server", "uvicorn"].some((key) => isMap(root.get(key)) && root.hasIn([key, "port"]))
  )
    throw new OperatorError("Port 8000 is this server's own. Choose another one: --upstream-port 8001");
}

function addressOf(upstream: YAMLMap): { port: number; url: string; loopback: boolean } | null {
  if (!URL.canParse(textOf(upstream, "upstream"))) return null;
  const { hostname, port, protocol, origin } = new URL(textOf(upstream, "upstream"));
  const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
  return { port: Number(port) || (protocol === "https:" ? 443 : 80), url: origin, loopback };
}

function keepUvicorn(document: Document, keep: (key: string) => boolean): void {
  const section = document.get("uvicorn", true) as unknown;
  if (!isMap(section)) return;
  section.items = section.items.filter((pair) => keep(keyOf(pair)));
  if (section.items.length === 0) document.delete("uvicorn");
}

/** The path under which a proxy serves everything, from `uvicorn.root_path` or `server.public_url`. */
function ownRootPath(root: YAMLMap, notes: string[]): string {
  const uvicorn = root.get("uvicorn", true) as unknown;
  const server = root.get("server", true) as unknown;
  const url = isMap(server) ? textOf(server, "public_url") : "";
  if (url.includes("$"))
    notes.push(
      "server.public_url is a variable: if it has a path, uvicorn.root_path of tiled.yml must be the same",
    );
  const path =
    (isMap(uvicorn) && textOf(uvicorn, "root_path")) || (URL.canParse(url) ? new URL(url).pathname : "");
  const inner = path.replace(/^\/+|\/+$/g, "");
  return inner === "" ? "" : `/${inner}`;
}

/** In this section Tiled 0.2.20 takes lists only; older ones took text as well. */
function asTodaysCatalog(theirs: Document): void {
  for (const key of ["writable_storage", "readable_storage"]) {
    const node = theirs.getIn(["catalog", key], true) as unknown;
    if (isScalar(node) && typeof node.value === "string")
      theirs.setIn(["catalog", key], theirs.createNode([node], { flow: true }));
  }
}

function asTodaysPolicy(theirs: Document, notes: string[]): void {
  if (textOf(theirs.get("access_control") as YAMLMap, "access_policy").endsWith(":DummyAccessPolicy")) return;
  if (theirs.hasIn([...POLICY_ARGS, "tags_db"])) {
    theirs.deleteIn([...POLICY_ARGS, "tags_db"]);
    notes.push(
      "access_control.args.tags_db is left out: Tiled 0.2.20 reads tags from its catalog's database. Put it back for an older Tiled",
    );
  }
  if (theirs.hasIn([...POLICY_ARGS, "tag_definitions"])) {
    theirs.deleteIn([...POLICY_ARGS, "tag_definitions"]);
    notes.push(
      "access_control.args.tag_definitions is left out: the Tiled's policy reads tags from its catalog's database (access_tags_parser)",
    );
  }
  notes.push(
    "API keys that are narrowed to access tags are refused unless both share a database: 'Keys with access tags' in docs/how-to/gateway.md",
  );
}

/** For the sections of a Tiled whose trees are in another file. */
function putExample(theirs: Document, notes: string[]): void {
  const trees = theirs.createNode([{ path: "/", tree: TREE_NAMES[0] }]) as YAMLSeq;
  trees.commentBefore =
    " An example: put the trees of your Tiled here, or the other sections of this file into its configuration.";
  theirs.set("trees", trees);
  notes.push(
    "the trees of the Tiled behind are in its own configuration: put them into tiled.yml, or its sections there",
  );
}

function head(document: Document, comment: string): void {
  document.commentBefore = document.commentBefore ? `${comment}\n${document.commentBefore}` : comment;
}
