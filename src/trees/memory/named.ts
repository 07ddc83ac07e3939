/** Tiled's example trees by name: demo data that any thread can create again. */
import type { Clock } from "../../lib/clock.ts";
import type { Tree } from "../model/contract.ts";
import { withSources } from "./named-sources.ts";

const NAMED = {
  "tiled.examples.generated_minimal:tree": async () =>
    (await import("./generated-minimal.ts")).generatedMinimal(),
  "tiled.examples.generated:tree": async (clock: Clock) => (await import("./generated.ts")).generated(clock),
};

export type NamedTree = keyof typeof NAMED;

export function isNamedTree(name: string): name is NamedTree {
  return Object.hasOwn(NAMED, name);
}

/**
 * Creates an example tree.
 *
 * @param clock The time for arrays that change.
 */
export async function namedTree(name: NamedTree, clock: Clock): Promise<Tree> {
  return withSources(await NAMED[name](clock), name);
}
