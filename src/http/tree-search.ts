/**
 * `GET /api/v1/search/…` and `/search-deep/…`: pages of a container's children (or of all that is below it), narrowed by
 * filters and sorted.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Static, type TObject, Type } from "typebox";
import { Failure } from "../errors.ts";
import { Problem } from "../schemas/auth.ts";
import { SearchAnswer } from "../schemas/tree.ts";
import type { ContainerNode, Entry } from "../trees/contract.ts";
import { isOwnOrder, type SortingItem, sortEntries } from "../trees/sorting.ts";
import { answer } from "./answer.ts";
import { filterParameters, readFilters } from "./tree-filters.ts";
import { ResourceQuery, resourceOptions } from "./tree-metadata.ts";
import { findFamily, keepForCaller, type OnNode, pathOf, segmentsOf, type TreeDeps } from "./tree-nodes.ts";
import { Repeated, unify } from "./tree-query.ts";
import { keyResource, listedResource, type ResourceOptions } from "./tree-resource.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 300;

const SearchQuery = Type.Object({
  ...ResourceQuery,
  "page[offset]": Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER - MAX_LIMIT })),
  "page[limit]": Type.Optional(
    Type.Integer({ minimum: 0, maximum: MAX_LIMIT, description: `Default: ${DEFAULT_LIMIT}` }),
  ),
  "page[cursor]": Type.Optional(
    Type.Integer({ minimum: 0, description: "Not supported: use page[offset]." }),
  ),
  sort: Repeated({
    type: "string",
    pattern: "^(?:[+-][a-zA-Z0-9_.]*|[a-zA-Z0-9_.]+)?$",
    description:
      "A key of the metadata, `-` before it turns the order around; `_` is the container's own order.",
  }),
});

type Query = Static<typeof SearchQuery>;
type SearchRequest = FastifyRequest<{ Params: OnNode; Querystring: Query }>;

export function searchRoutes(app: FastifyInstance, deps: TreeDeps): void {
  const shallow = Type.Object({ ...SearchQuery.properties, ...filterParameters() });
  const deep = Type.Object({
    ...shallow.properties,
    max_depth: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: "Levels below the node" })),
  });

  app.get<{ Params: OnNode; Querystring: Query }>(
    "/api/v1/search/*",
    route("List a container's children, or search them", shallow),
    async (request, reply) => {
      const segments = segmentsOf(request);
      const node = await findFamily(deps, request, "container", "read:metadata");
      const filters = readFilters(request.query);
      const sorting = readSorting(request.query.sort ?? []);
      const options = resourceOptions(request, `${deps.links.base(request)}/api/v1`);
      const children: Children =
        filters.length === 0 && isOwnOrder(sorting)
          ? { count: await node.count(), page: (offset, limit) => node.entries({ offset, limit }) }
          : listed(
              sortEntries(await childrenOf(node), sorting).filter((entry) =>
                filters.every((passes) => passes(entry)),
              ),
            );
      return sendPage(request, reply, "search", segments, children, options);
    },
  );

  app.get<{ Params: OnNode; Querystring: Query }>(
    "/api/v1/search-deep/*",
    route("Search all that is below a container", deep),
    async (request, reply) => {
      const segments = segmentsOf(request);
      const node = await findFamily(deps, request, "container", "read:metadata");
      const filters = readFilters(request.query);
      if (readSorting(request.query.sort ?? []).length > 0) {
        throw new Failure("bad_request", { detail: "Sorting is not supported for deep search." });
      }
      const found = await descendants(node, request.query.max_depth ?? Number.POSITIVE_INFINITY);
      const children = listed(found.filter((entry) => filters.every((passes) => passes(entry))));
      const options = { ...resourceOptions(request, `${deps.links.base(request)}/api/v1`), maxDepth: null };
      return sendPage(request, reply, "search-deep", segments, children, options);
    },
  );
}

function route(summary: string, querystring: TObject) {
  return {
    config: { access: { scopes: ["read:metadata"] } },
    schema: {
      tags: ["tree"],
      summary,
      querystring,
      response: { 200: SearchAnswer, 400: Problem, 401: Problem, 404: Problem, 422: Problem },
    },
    preValidation: unify(querystring),
    preHandler: keepForCaller,
  } as const;
}

function readSorting(items: readonly string[]): readonly SortingItem[] {
  const sorting = items
    .filter((item) => item !== "")
    .map(
      (item): SortingItem => ({ key: item.replace(/^[+-]/, ""), direction: item.startsWith("-") ? -1 : 1 }),
    );
  const keys = sorting.map(({ key }) => key);
  if (new Set(keys).size < keys.length) {
    throw new Failure("bad_request", { detail: "A sorting key is given twice." });
  }
  if (keys.slice(0, -1).includes("")) {
    throw new Failure("bad_request", {
      detail: "Default sorting (empty string) must be the last item in the sort list",
    });
  }
  return sorting;
}

interface Children {
  readonly count: number;
  page(offset: number, limit: number): Promise<readonly Entry[]>;
}

function listed(entries: readonly Entry[]): Children {
  return { count: entries.length, page: async (offset, limit) => entries.slice(offset, offset + limit) };
}

async function childrenOf(node: ContainerNode): Promise<readonly Entry[]> {
  return node.entries({ offset: 0, limit: await node.count() });
}

/** In the order of a walk; keys are paths below the node. */
async function descendants(node: ContainerNode, depth: number): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (const [key, child] of await childrenOf(node)) {
    found.push([key, child]);
    if (child.family !== "container" || depth <= 1) continue;
    for (const [below, node] of await descendants(child, depth - 1)) found.push([`${key}/${below}`, node]);
  }
  return found;
}

async function sendPage(
  request: SearchRequest,
  reply: FastifyReply,
  name: "search" | "search-deep",
  segments: readonly string[],
  children: Children,
  options: ResourceOptions,
): Promise<FastifyReply> {
  const { fields } = options;
  const limit = request.query["page[limit]"] ?? DEFAULT_LIMIT;
  const offset = readOffset(request.query);
  const only = fields.size === 1 ? [...fields][0] : undefined;
  const data: unknown[] = [];
  for (const [key, node] of only === "count" ? [] : await children.page(offset, limit)) {
    const path = [...segments, ...key.split("/")];
    const shown = only === "" ? keyResource(path, options) : await listedResource(path, node, options);
    if (shown !== undefined) data.push(shown);
  }
  const { count } = children;
  const url = `${options.api}/${name}/${pathOf(segments)}`;
  const link = (from: number): string =>
    `${url}?${from === 0 ? "" : `page[offset]=${from}&`}page[limit]=${limit}`;
  const next = offset + limit;
  const body = {
    data,
    error: null,
    links: { self: link(offset), first: link(0), next: limit > 0 && next < count ? link(next) : null },
    meta: { count },
  };
  const known = request.caller.kind !== "anonymous";
  const headers = { "cache-control": known ? "private, must-revalidate" : "must-revalidate" };
  return answer(request, reply, body, { headers });
}

function readOffset(query: Query): number {
  const offset = query["page[offset]"];
  if (query["page[cursor]"] === undefined) return offset ?? 0;
  throw new Failure("bad_request", {
    detail:
      offset === undefined
        ? "This tree has no cursors: use page[offset]."
        : "Cannot specify both page[cursor] and page[offset]",
  });
}
