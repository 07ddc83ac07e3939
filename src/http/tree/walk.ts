/**
 * Iterates over all children of a container for searches, in batches to bound the memory, and with pauses for other requests.
 * Callers bound what they keep.
 */

import { setImmediate as othersFirst } from "node:timers/promises";
import type { FastifyRequest } from "fastify";
import type { ContainerNode, Entry } from "../../trees/model/contract.ts";
import type { DataDeps } from "./body.ts";

/** Children per batch; the metadata of one may take a megabyte. */
const PORTION = 64;
/** Milliseconds between pauses. */
const AT_ONCE = 8;
/** Walks over more children take a share of the data budget. */
const FEW = 500;
/** The cost of such a walk, in bytes. */
const WALK_BYTES = 8 * 1024 * 1024;

/** Lets other requests run from time to time. */
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

/** All children of a container. */
export async function* childrenOf(node: ContainerNode): AsyncGenerator<Entry> {
  const pauses = new Pauses();
  const count = await node.count();
  // A batch may be shorter, if entries have disappeared.
  for (let offset = 0; offset < count; offset += PORTION) {
    const entries = await node.entries({ offset, limit: PORTION });
    for (const entry of entries) {
      yield entry;
      if (pauses.due) await pauses.pause();
    }
  }
}

/** All descendants in depth-first order, up to `depth` levels; keys are paths relative to the node. */
export async function* descendantsOf(node: ContainerNode, depth: number): AsyncGenerator<Entry> {
  for await (const [key, child] of childrenOf(node)) {
    yield [key, child];
    if (child.family !== "container" || depth <= 1) continue;
    for await (const [below, found] of descendantsOf(child, depth - 1)) yield [`${key}/${below}`, found];
  }
}

/**
 * Runs a walk over `size` entries. A long one waits for its share of the data budget.
 *
 * @throws {Failure} `data_busy` if none becomes free in time.
 */
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
