/**
 * Replaces `$NAME` and `${NAME}` in the values of a parsed configuration. The file is parsed first, so a variable may hold
 * quotes, colons and line breaks and never changes the structure. The value of a variable is not expanded again. Keys
 * stay as they are.
 */
import {
  type Located,
  type LocatedEntry,
  type LocatedScalar,
  type Path,
  pathText,
  type Spot,
} from "./located.ts";
import { type Problems, placesText } from "./problems.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A name, a name in braces, or braces that begin with a name and then go wrong. */
const REFERENCE =
  /\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\}|\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\})/g;

/** Whether a text has a reference to a variable. References cannot be escaped. */
export function namesVariable(text: string): boolean {
  return text.search(REFERENCE) >= 0;
}

/** The places that use each unset variable. */
type Unset = Map<string, { readonly spot: Spot; readonly path: Path }[]>;

export function interpolate(root: Located, env: Environment, problems: Problems): Located {
  const unset: Unset = new Map();
  const result = inside(root, [], { env, problems, unset });
  for (const [name, [first, ...others]] of unset) {
    if (first === undefined) continue;
    const also = others.map(({ spot, path }) => ({ ...spot, path: pathText(path), message: "" }));
    const places = also.length === 0 ? "" : ` It is used at ${placesText(also)}, too.`;
    problems.add(first.spot, first.path, `the environment variable '${name}' is not set.${places}`);
  }
  return result;
}

interface Reading {
  readonly env: Environment;
  readonly problems: Problems;
  readonly unset: Unset;
}

function inside(node: Located, path: Path, reading: Reading): Located {
  if (node.kind === "mapping") {
    const entries = new Map<string, LocatedEntry>();
    for (const [key, entry] of node.entries) {
      entries.set(key, { ...entry, value: inside(entry.value, [...path, key], reading) });
    }
    return { ...node, entries };
  }
  if (node.kind === "list") {
    return { ...node, items: node.items.map((item, index) => inside(item, [...path, index], reading)) };
  }
  return typeof node.value === "string" && node.value.includes("$")
    ? expanded(node, node.value, path, reading)
    : node;
}

function expanded(node: LocatedScalar, text: string, path: Path, { env, problems, unset }: Reading): Located {
  let replaced = false;
  let missing = false;
  const value = text.replace(REFERENCE, (whole, bare?: string, braced?: string, broken?: string) => {
    if (broken !== undefined) {
      missing = true;
      problems.add(
        node.spot,
        path,
        `'\${${broken}' is followed by more than a closing brace; only '\${NAME}' is known here, without defaults (text like this can come from a variable)`,
      );
      return whole;
    }
    const name = bare ?? braced ?? "";
    const found = Object.hasOwn(env, name) ? env[name] : undefined;
    if (found === undefined) {
      missing = true;
      const places = unset.get(name) ?? [];
      unset.set(name, places);
      // One place for a text that names it twice.
      if (places.at(-1)?.path !== path) places.push({ spot: node.spot, path });
      return whole;
    }
    replaced = true;
    return found;
  });
  if (missing) return { ...node, origin: "unset" };
  return replaced ? { ...node, value, origin: "environment" } : node;
}
