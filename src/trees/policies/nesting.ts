/**
 * How tags include each other (`auto_tags`): the order to compile them in, whatever their order in the file, and the errors: a
 * circle, or too many levels.
 */

import { isPublicTag } from "../../vocabulary/tags.ts";
import { quoted } from "../../yaml/located.ts";

/** The longest allowed chain of inclusions below a tag, not counting the public tag. */
const MAX_LEVELS = 5;

interface Nested {
  readonly auto_tags?: readonly ({ readonly name?: string | undefined } | undefined)[] | null | undefined;
}

export type NestedTags = Readonly<Record<string, Nested | null | undefined>>;

/** Reports circles, and chains of more than five levels. */
export function problemsOfNesting(tags: NestedTags, problem: (tag: string, message: string) => void): void {
  const { order, rest } = sorted(tags);
  for (const circle of circles(rest)) {
    const [first = ""] = circle;
    problem(first, `the tags form a circle: ${[...circle, first].map(short).join(" -> ")}`);
  }
  const levels = new Map<string, number>();
  for (const [name, others] of order) {
    const deepest = Math.max(-1, ...others.map((other) => levels.get(other) ?? 0));
    const level = deepest + 1;
    levels.set(name, level);
    // Report only the lowest such tag: those above are too deep for the same reason.
    if (level === MAX_LEVELS + 1) {
      problem(
        name,
        `there are more than ${MAX_LEVELS} levels: ${chain(name, order, levels).map(short).join(" -> ")}`,
      );
    }
  }
}

type Edges = ReadonlyMap<string, readonly string[]>;

/** Tags in topological order; `rest`: tags in a circle, or leading into one. */
export function sorted(tags: NestedTags): { readonly order: Edges; readonly rest: Edges } {
  const edges = new Map<string, readonly string[]>();
  const usedBy = new Map<string, string[]>();
  for (const [name, tag] of Object.entries(tags)) {
    const others = [...new Set((tag?.auto_tags ?? []).flatMap((other) => other?.name ?? []))].filter(
      (other) => !isPublicTag(other) && Object.hasOwn(tags, other),
    );
    edges.set(name, others);
    for (const other of others) usedBy.set(other, [...(usedBy.get(other) ?? []), name]);
  }
  const open = new Map([...edges].map(([name, others]) => [name, others.length]));
  const order = new Map<string, readonly string[]>();
  const ready = [...edges.keys()].filter((name) => open.get(name) === 0);
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    order.set(name, edges.get(name) ?? []);
    for (const user of usedBy.get(name) ?? []) {
      const left = (open.get(user) ?? 0) - 1;
      open.set(user, left);
      if (left === 0) ready.push(user);
    }
  }
  return { order, rest: new Map([...edges].filter(([name]) => !order.has(name))) };
}

/** One circle for each group of tags that has one; every tag in `edges` leads into a circle. */
function circles(edges: Edges): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  const done = new Set<string>();
  for (const start of edges.keys()) {
    const path: string[] = [];
    const positions = new Map<string, number>();
    let name: string | undefined = start;
    while (name !== undefined && !done.has(name) && !positions.has(name)) {
      positions.set(name, path.length);
      path.push(name);
      name = edges.get(name)?.find((other) => edges.has(other));
    }
    if (name !== undefined && !done.has(name)) found.push(path.slice(positions.get(name)));
    for (const passed of path) done.add(passed);
  }
  return found;
}

function chain(start: string, order: Edges, levels: ReadonlyMap<string, number>): readonly string[] {
  const names = [start];
  for (let level = levels.get(start) ?? 0; level > 0; level -= 1) {
    const next = order.get(names.at(-1) ?? "")?.find((other) => levels.get(other) === level - 1);
    if (next === undefined) break;
    names.push(next);
  }
  return names;
}

function short(name: string): string {
  return quoted(name).slice(1, -1);
}
