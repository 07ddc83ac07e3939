/**
 * The arguments of authenticators and policies as the configuration has them: their lines, and text in quotes that is
 * converted to the number or boolean that a schema asks for.
 */

import { readAs } from "../yaml/check.ts";
import { define, type Located, pathText, spotOf } from "../yaml/located.ts";
import type { ConfigPlace } from "../yaml/problems.ts";
import type { Shape } from "../yaml/words.ts";
import type { PluginEntry } from "./entries.ts";

/** The arguments, converted as the schema asks. The caller checks them (`class-args.ts`). */
export function readArgs({ args, source }: PluginEntry, schema: object): Readonly<Record<string, unknown>> {
  return source?.kind === "mapping" ? (read(schema, source) as Record<string, unknown>) : args;
}

/** The place of an argument, also of a missing one. `keys`: below `args`. */
export function argsPlace({ source, place }: PluginEntry, keys: readonly (string | number)[]): ConfigPlace {
  const below = pathText(["args", ...keys]);
  const spot = source === undefined ? place : spotOf(source, keys);
  return { file: spot.file, line: spot.line, path: `${place.path}.${below}` };
}

function read(shape: Shape | undefined, node: Located): unknown {
  if (node.kind === "list") return node.items.map((item) => read(shape?.items, item));
  if (node.kind === "scalar") return shape === undefined ? node.value : readAs(shape, node);
  const result: Record<string, unknown> = {};
  for (const [key, { value }] of node.entries) {
    const own = shape?.properties !== undefined && Object.hasOwn(shape.properties, key);
    const rest = typeof shape?.additionalProperties === "object" ? shape.additionalProperties : undefined;
    define(result, key, read(own ? shape.properties?.[key] : rest, value));
  }
  return result;
}
