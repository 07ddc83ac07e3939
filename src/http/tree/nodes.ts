/**
 * From a request's path to the node that it means, and what is said where there is none.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "../../domain/model/caller.ts";
import { Failure } from "../../errors.ts";
import type { Budget, Holder } from "../../lib/budget.ts";
import { pythonList } from "../../lib/python.ts";
import type { DataReader } from "../../trees/encoding/jobs.ts";
import type {
  ArrayData,
  ArrayNode,
  Family,
  TableData,
  TableNode,
  Tree,
  TreeNode,
} from "../../trees/model/contract.ts";
import type { Rights } from "../../trees/policies/rights.ts";
import { find } from "../../trees/search/view.ts";
import type { Links } from "../links.ts";

export interface TreeDeps {
  readonly tree: Tree;
  readonly links: Pick<Links, "base" | "rootPath">;
  /** What a caller may do with the nodes; null: whatever the caller's scopes say. */
  readonly rights: (caller: Caller) => Rights | null | Promise<Rights | null>;
  readonly reader: DataReader;
  readonly budget: Budget;
  /** In whose name answers take of the budget. */
  readonly holder: (request: FastifyRequest) => Holder;
}

/** What the answers depend on beside the URL. */
const VARY = "Accept, Authorization, Cookie";

/** For each route of the tree, before its handler: caches may keep an answer for the one caller who asked. */
export function keepForCaller(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const others = reply.getHeader("vary");
  reply.header("vary", others === undefined ? VARY : `${others}, ${VARY}`);
  if (request.caller.kind !== "anonymous") reply.header("cache-control", "private");
  done();
}

/** Of a route that ends with `*`: the rest of the path, which may contain slashes. */
export function segmentsOf({ params }: FastifyRequest): readonly string[] {
  return (params as { readonly "*": string })["*"].split("/").filter(Boolean);
}

/** The node as the caller sees it; `scope` is what the route needs on it, which may be more than seeing it. */
export async function findNode(
  { tree, rights }: TreeDeps,
  request: FastifyRequest,
  scope: "read:metadata" | "read:data",
): Promise<TreeNode> {
  const segments = segmentsOf(request);
  const found = await find(tree.root, segments, scope, await rights(request.caller));
  switch (found.kind) {
    case "found":
      return found.node;
    case "absent":
      throw noSuchEntry(segments);
    case "forbidden":
      throw new Failure("forbidden", {
        detail:
          "Not enough permissions to perform this action on this node. " +
          `Requires scopes ${pythonList([scope])}. ` +
          `Principal had scopes ${pythonList([...found.scopes].sort())} on this node.`,
      });
  }
}

export function noSuchEntry(segments: readonly string[]): Failure {
  return new Failure("not_found", { detail: `No such entry: ${pythonList(segments)}` });
}

/** A node that the route can serve: one of another family is as good as absent. */
export async function findFamily<Wanted extends Family>(
  deps: TreeDeps,
  request: FastifyRequest,
  family: Wanted,
  scope: "read:metadata" | "read:data",
): Promise<Extract<TreeNode, { family: Wanted }>> {
  const node = await findNode(deps, request, scope);
  if (node.family === family) return node as Extract<TreeNode, { family: Wanted }>;
  throw new Failure("not_found", {
    detail: `The node at ${segmentsOf(request).join("/")} has structure family ${node.family} and this endpoint is compatible with structure families: ${family}`,
  });
}

/** A node's data, ready to be read. */
export async function findData(deps: TreeDeps, request: FastifyRequest, family: "array"): Promise<ArrayData>;
export async function findData(deps: TreeDeps, request: FastifyRequest, family: "table"): Promise<TableData>;
export async function findData(
  deps: TreeDeps,
  request: FastifyRequest,
  family: "array" | "table",
): Promise<ArrayData | TableData> {
  const node: ArrayNode | TableNode = await findFamily(deps, request, family, "read:data");
  const data = await node.open();
  if (data !== undefined) return data;
  throw noSuchEntry(segmentsOf(request));
}

/** A path below the API's routes, from a node's keys. */
export function pathOf(segments: readonly string[]): string {
  return segments.map(encodeURIComponent).join("/");
}
