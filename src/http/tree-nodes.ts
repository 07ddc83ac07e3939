/**
 * From a request's path to the node that it means, and what is said where there is none.
 */
import type { FastifyRequest } from "fastify";
import { Failure } from "../errors.ts";
import { pythonList } from "../lib/python.ts";
import type { Family, Tree, TreeNode } from "../trees/contract.ts";
import type { Links } from "./links.ts";

export interface TreeDeps {
  readonly tree: Tree;
  readonly links: Pick<Links, "base" | "rootPath">;
}

/** The rest of the path, which may contain slashes. */
export interface OnNode {
  readonly "*": string;
}

export function segmentsOf(request: FastifyRequest<{ Params: OnNode }>): readonly string[] {
  return request.params["*"].split("/").filter(Boolean);
}

export async function findNode(tree: Tree, segments: readonly string[]): Promise<TreeNode> {
  let node: TreeNode = tree.root;
  for (const segment of segments) {
    const below: TreeNode | undefined = await childOf(node, segment);
    if (below === undefined) {
      throw new Failure("not_found", { detail: `No such entry: ${pythonList(segments)}` });
    }
    node = below;
  }
  return node;
}

async function childOf(node: TreeNode, segment: string): Promise<TreeNode | undefined> {
  switch (node.family) {
    case "container":
      return node.child(segment);
    case "table":
      return node.column(segment);
    case "array":
      return undefined;
  }
}

/** A node that the route can serve: one of another family is as good as absent. */
export async function findFamily<Wanted extends Family>(
  tree: Tree,
  segments: readonly string[],
  family: Wanted,
): Promise<Extract<TreeNode, { family: Wanted }>> {
  const node = await findNode(tree, segments);
  if (node.family === family) return node as Extract<TreeNode, { family: Wanted }>;
  throw new Failure("not_found", {
    detail: `The node at ${segments.join("/")} has structure family ${node.family} and this endpoint is compatible with structure families: ${family}`,
  });
}

/** A path below the API's routes, from a node's keys. */
export function pathOf(segments: readonly string[]): string {
  return segments.map(encodeURIComponent).join("/");
}
