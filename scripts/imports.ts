/**
 * Reads who imports whom in the sources, types included, and what is wrong with it: circles, and arrows that lead upward in
 * the rows of `ROWS`. `picture.ts` prints it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import { parseSync } from "oxc-parser";

/** What each node imports. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

export type Rows = readonly (readonly string[])[];

/**
 * The rows of the house, from the top: a room imports from its own row and from those below. A name stands for the rooms
 * inside it, too, where these have no row of their own.
 */
export const ROWS: Rows = [
  ["bin.ts", "command.ts", "index.ts"],
  ["cli"],
  ["server.ts"],
  ["app.ts", "app"],
  ["start"],
  [
    "http/people",
    "http/operation",
    "http/provider-login",
    "http/auth",
    "http/cave",
    "http/gateway",
    "http/tree",
  ],
  ["http/access"],
  ["http"],
  ["config", "trees", "authenticators", "store", "migrations", "pages"],
  ["plugins", "vocabulary", "yaml", "domain"],
  ["database-uri", "schemas", "tls.ts", "errors.ts", "lib", "client"],
];

/** The TypeScript files below these folders, with their imports of each other. */
export function filesIn(folders: readonly string[]): Graph {
  const paths = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => posix.join(folder, path)),
  );
  const files = paths.filter((path) => path.endsWith(".ts")).sort();
  return new Map(files.map((path) => [path, importsOf(path, readFileSync(path, "utf8"))]));
}

/** The files that a file names in `import`, `export … from` and `import()`. */
export function importsOf(path: string, text: string): ReadonlySet<string> {
  const { errors, module } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const names = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.map((entry) => entry.moduleRequest?.value ?? ""),
    ),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => text.slice(start + 1, end - 1)),
  ];
  const relative = names.filter((name) => name.startsWith("."));
  return new Set(relative.map((name) => posix.join(dirname(path), name)));
}

/** A folder is a room, apart from the folders inside it; a file directly in `src` is a room of its own. */
export function roomOf(path: string): string {
  const inside = path.replace(/^src\//, "");
  return inside.includes("/") ? dirname(inside) : inside;
}

/** The same arrows between groups of nodes. */
export function grouped(graph: Graph, groupOf: (node: string) => string): Graph {
  const groups = new Map<string, Set<string>>();
  for (const [node, imports] of graph) {
    const group = groupOf(node);
    const others = groups.get(group) ?? new Set();
    for (const other of [...imports].map(groupOf)) if (other !== group) others.add(other);
    groups.set(group, others);
  }
  return groups;
}

/** Every node that can be reached from this one. */
export function reachable(graph: Graph, from: string): ReadonlySet<string> {
  const found = new Set<string>();
  const next = [...(graph.get(from) ?? [])];
  for (let node = next.pop(); node !== undefined; node = next.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    next.push(...(graph.get(node) ?? []));
  }
  return found;
}

/** Sets of nodes that all reach each other. */
export function circlesIn(graph: Graph): readonly (readonly string[])[] {
  const reach = new Map([...graph.keys()].map((node) => [node, reachable(graph, node)]));
  const circles = new Map<string, readonly string[]>();
  for (const [node, reached] of reach) {
    if (!reached.has(node)) continue;
    const circle = [...reached].filter((other) => reach.get(other)?.has(node)).sort();
    circles.set(circle.join(), circle);
  }
  return [...circles.values()];
}

/** The place of a room's row, from the top; -1 for a room without one. */
export function rowOf(room: string, rows: Rows = ROWS): number {
  const at = rows.findIndex((names) => names.includes(room));
  return at >= 0 || !room.includes("/") ? at : rowOf(dirname(room), rows);
}

/** Arrows that lead from one row to a higher one, or to or from a room without a row. */
export function upwardIn(rooms: Graph, rows: Rows = ROWS): readonly (readonly [from: string, to: string])[] {
  return [...rooms].flatMap(([from, imports]) =>
    [...imports]
      .filter((to) => rowOf(to, rows) < rowOf(from, rows) || rowOf(from, rows) < 0)
      .map((to) => [from, to] as const),
  );
}
