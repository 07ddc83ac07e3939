/**
 * Finds the node that a request's path names, as far as the caller may see it; the errors of all tree routes.
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

/** What the tree's routes need. */
export interface TreeDeps {
  readonly tree: Tree;
  readonly links: Pick<Links, "base" | "rootPath">;
  /** The rights of a caller; null: no policy, so the scopes of the credential decide. */
  readonly rights: (caller: Caller) => Rights | null | Promise<Rights | null>;
  readonly reader: DataReader;
  readonly budget: Budget;
  /** Whose share of the budget a request takes. */
  readonly holder: (request: FastifyRequest) => Holder;
}

/** The headers that change an answer. */
const VARY = "Accept, Authorization, Cookie";

/** A hook before each handler: caches may keep an answer for the same caller only. */
export function keepForCaller(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const others = reply.getHeader("vary");
  reply.header("vary", others === undefined ? VARY : `${others}, ${VARY}`);
  if (request.caller.kind !== "anonymous") reply.header("cache-control", "private");
  done();
}

/** The segments of the path after the route's prefix. */
export function segmentsOf({ params }: FastifyRequest): readonly string[] {
  return (params as { readonly "*": string })["*"].split("/").filter(Boolean);
}

/**
 * Finds the node as the caller sees it.
 *
 * @param scope The scope that the route needs on the node.
 * @throws {Failure} `not_found` if the node does not exist or is not visible, `forbidden` if the scope is missing.
 */
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

/** The 404 answer, as Tiled words it. */
export function noSuchEntry(segments: readonly string[]): Failure {
  return new Failure("not_found", { detail: `No such entry: ${pythonList(segments)}` });
}

/** Finds a node of a structure family; one of another family is answered with 404. */
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

/** Finds a node and opens its data. */
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

/** The URL path of a node, with each key encoded. */
export function pathOf(segments: readonly string[]): string {
  return segments.map(encodeURIComponent).join("/");
}
