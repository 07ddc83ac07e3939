/**
 * `$NAME` and `${NAME}` in the values of a parsed configuration, from the environment. Only values that were parsed
 * already are touched, so a variable can hold quotes, colons and line breaks and never changes the structure; what
 * comes from a variable is not expanded again. Keys stay as they are.
 */
import type { Located, LocatedEntry, Path } from "./located.ts";
import type { Problems } from "./problems.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A name, a name in braces, or braces that begin with a name and then go wrong. */
const REFERENCE =
  /\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\}|\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\})/g;

export function interpolate(node: Located, env: Environment, problems: Problems, path: Path = []): Located {
  if (node.kind === "mapping") {
    const entries = new Map<string, LocatedEntry>();
    for (const [key, entry] of node.entries) {
      entries.set(key, { ...entry, value: interpolate(entry.value, env, problems, [...path, key]) });
    }
    return { ...node, entries };
  }
  if (node.kind === "list") {
    return {
      ...node,
      items: node.items.map((item, index) => interpolate(item, env, problems, [...path, index])),
    };
  }
  if (typeof node.value !== "string" || !node.value.includes("$")) return node;
  let replaced = false;
  const value = node.value.replace(REFERENCE, (whole, bare?: string, braced?: string, broken?: string) => {
    if (broken !== undefined) {
      problems.add(
        node.spot,
        path,
        `'\${${broken}' is followed by more than a closing brace; only '\${NAME}' is known here, without defaults (a text like this can come from a variable)`,
      );
      return whole;
    }
    const name = bare ?? braced ?? "";
    const found = Object.hasOwn(env, name) ? env[name] : undefined;
    if (found === undefined) {
      problems.add(node.spot, path, `the environment variable '${name}' is not set`);
      return whole;
    }
    replaced = true;
    return found;
  });
  return replaced ? { ...node, value, origin: "environment" } : node;
}
