/**
 * Iterates over all children of a container, for searches that look at each: in portions, so that only these are in memory, and
 * with pauses for other requests. Callers bound what they keep.
 */

import { setImmediate as othersFirst } from "node:timers/promises";
import type { FastifyRequest } from "fastify";
import type { ContainerNode, Entry } from "../../trees/model/contract.ts";
import type { DataDeps } from "./body.ts";

/** Metadata of one entry may have a megabyte. */
const PORTION = 64;
/** Milliseconds without a pause. */
const AT_ONCE = 8;
/** A container with more children is gone through within the budget of data. */
const FEW = 500;
/** What that counts as. */
const WALK_BYTES = 8 * 1024 * 1024;

/** Lets others have their turn, where it has been a while. */
class Pauses {
  #began = performance.now();

  get due(): boolean {
    return performance.now() - this.#began > AT_ONCE;
  }

  async pause(): Promise<void> {
    await othersFirst();
    this.#began = performance.now();
  }
}

export async function* childrenOf(node: ContainerNode): AsyncGenerator<Entry> {
  const pauses = new Pauses();
  const count = await node.count();
  // A portion may have fewer, where some are gone by now.
  for (let offset = 0; offset < count; offset += PORTION) {
    const entries = await node.entries({ offset, limit: PORTION });
    for (const entry of entries) {
      yield entry;
      if (pauses.due) await pauses.pause();
    }
  }
}

/** All that is below, in the order of a walk; keys are paths below the node. */
export async function* descendantsOf(node: ContainerNode, depth: number): AsyncGenerator<Entry> {
  for await (const [key, child] of childrenOf(node)) {
    yield [key, child];
    if (child.family !== "container" || depth <= 1) continue;
    for await (const [below, found] of descendantsOf(child, depth - 1)) yield [`${key}/${below}`, found];
  }
}

/** `walk` is not begun while too many others go through large containers. */
export async function walking<Result>(
  { budget, holder }: Pick<DataDeps, "budget" | "holder">,
  request: FastifyRequest,
  size: number,
  walk: () => Promise<Result>,
): Promise<Result> {
  if (size <= FEW) return walk();
  const release = await budget.take(WALK_BYTES, holder(request));
  try {
    return await walk();
  } finally {
    release();
  }
}
