/**
 * `GET /api/v1/search/…` and `/search-deep/…`: pages of a container's children or descendants, filtered and sorted.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, type TObject, Type } from "typebox";
import { Failure } from "../../errors.ts";
import { refusals } from "../../schemas/errors.ts";
import { SearchAnswer } from "../../schemas/tree.ts";
import type { ContainerNode, Entry, Page, TreeNode } from "../../trees/model/contract.ts";
import { type ElementType, fieldsOf } from "../../trees/model/data-type.ts";
import type { Filter } from "../../trees/search/filters.ts";
import {
  isOwnOrder,
  type Ranked,
  rankedBy,
  type SortingItem,
  sortRanked,
} from "../../trees/search/sorting.ts";
import { answer } from "../answer.ts";
import type { TypedApp } from "../typed-app.ts";
import { filterParameters, readFilters } from "./filters.ts";
import { ResourceQuery, resourceOptions } from "./metadata.ts";
import { findFamily, keepForCaller, pathOf, segmentsOf, type TreeDeps } from "./nodes.ts";
import { Repeated, unify } from "./query.ts";
import { keyResource, listedResource, type ResourceOptions } from "./resource.ts";
import { childrenOf, descendantsOf, walking } from "./walk.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 300;
const MAX_SORTING = 10;

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
    description: "A metadata key, with `-` in front for descending order; `_` is the container's own order.",
  }),
});

type Query = Static<typeof SearchQuery>;
type SearchRequest = FastifyRequest<{ Querystring: Query }>;

/** Registers the routes of searches. */
export function searchRoutes(app: TypedApp, deps: TreeDeps): void {
  const shallow = Type.Object({ ...SearchQuery.properties, ...filterParameters() });
  const deep = Type.Object({
    ...shallow.properties,
    max_depth: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: "Levels below the node" })),
  });

  app.get(
    "/api/v1/search/*",
    route("searchChildren", "List a container's children, or search them", shallow),
    async (request, reply) => {
      const segments = segmentsOf(request);
      const node = await findFamily(deps, request, "container", "read:metadata");
      const filters = readFilters(request.query);
      const sorting = readSorting(request.query.sort ?? []);
      const options = resourceOptions(request, `${deps.links.base(request)}/api/v1`);
      const children: Children =
        filters.length === 0 && isOwnOrder(sorting)
          ? { count: await node.count(), page: (offset, limit) => node.entries({ offset, limit }) }
          : await walking(deps, request, await node.count(), () =>
              isOwnOrder(sorting)
                ? found(childrenOf(node), filters, pageOf(request.query))
                : sorted(node, filters, sorting),
            );
      return sendPage(request, reply, "search", segments, children, options);
    },
  );

  app.get(
    "/api/v1/search-deep/*",
    route("searchDescendants", "Search the descendants of a container", deep),
    async (request, reply) => {
      const segments = segmentsOf(request);
      const node = await findFamily(deps, request, "container", "read:metadata");
      const filters = readFilters(request.query);
      if (readSorting(request.query.sort ?? []).length > 0) {
        throw new Failure("bad_request", { detail: "Sorting is not supported for deep search." });
      }
      const depth = request.query.max_depth ?? Number.POSITIVE_INFINITY;
      const children = await walking(deps, request, Number.POSITIVE_INFINITY, () =>
        found(descendantsOf(node, depth), filters, pageOf(request.query)),
      );
      const options = { ...resourceOptions(request, `${deps.links.base(request)}/api/v1`), maxDepth: null };
      return sendPage(request, reply, "search-deep", segments, children, options);
    },
  );
}

function route<Parameters extends TObject>(operationId: string, summary: string, querystring: Parameters) {
  return {
    config: { access: { scopes: ["read:metadata"] } },
    schema: {
      tags: ["tree"],
      operationId,
      summary,
      querystring,
      response: {
        200: SearchAnswer,
        ...refusals(400, 401, 404, 422, 429, 503),
      },
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
  if (sorting.length > MAX_SORTING) {
    throw new Failure("bad_request", { detail: `Sort by at most ${MAX_SORTING} keys.` });
  }
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

function matches(entry: Entry, filters: readonly Filter[]): boolean {
  return filters.every((passes) => passes(entry));
}

/** Counts the matching entries and keeps those of the requested page. */
async function found(
  entries: AsyncGenerator<Entry>,
  filters: readonly Filter[],
  { offset, limit }: Page,
): Promise<Children> {
  const kept: Entry[] = [];
  let count = 0;
  for await (const entry of entries) {
    if (!matches(entry, filters)) continue;
    if (count >= offset && count < offset + limit) kept.push(entry);
    count += 1;
  }
  return { count, page: async (from, length) => kept.slice(from - offset, from - offset + length) };
}

/** Limit for the values to sort by, in characters. */
const MAX_SORTED = 32 * 1024 * 1024;

/** Sorts the matching children, keeping only the key and the values to sort by of each. */
async function sorted(
  node: ContainerNode,
  filters: readonly Filter[],
  sorting: readonly SortingItem[],
): Promise<Children> {
  const ranked: Ranked[] = [];
  let characters = 0;
  for await (const entry of childrenOf(node)) {
    if (!matches(entry, filters)) continue;
    const one = rankedBy(sorting, entry);
    ranked.push(one);
    for (const term of one.terms) characters += typeof term === "string" ? term.length : 0;
    if (characters > MAX_SORTED) {
      throw new Failure("bad_request", { detail: "The values are too long to sort by. Narrow the search." });
    }
  }
  const inOrder = sortRanked(ranked, sorting);
  return {
    count: inOrder.length,
    page: async (offset, limit) => {
      const entries: Entry[] = [];
      for (const { key } of inOrder.slice(offset, offset + limit)) {
        const child = await node.child(key);
        if (child !== undefined) entries.push([key, child]);
      }
      return entries;
    },
  };
}

/** Approximate limit for a page, in bytes; at least one entry is shown. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Entries read at once. */
const PORTION = 32;

/** Estimates the size of an entry from the parts that can be large. */
function bytesOf(node: TreeNode, { attributes }: Readonly<Record<string, unknown>>): number {
  const { metadata, structure } = attributes as {
    readonly metadata: unknown;
    readonly structure: {
      readonly arrow_schema?: string;
      readonly data_type?: ElementType;
      readonly chunks?: readonly (readonly number[])[];
    } | null;
  };
  const metadataBytes = metadata === node.metadata ? (node.metadataBytes ?? 0) : 0;
  const { arrow_schema = "", data_type, chunks = [] } = structure ?? {};
  const lengths = chunks.reduce((sum, { length }) => sum + length, 0);
  const fields = data_type === undefined ? 0 : fieldsOf(data_type);
  return metadataBytes + 2 * arrow_schema.length + LENGTH_BYTES * lengths + FIELD_BYTES * fields;
}

/** Bytes of JSON for the length of a chunk, and for a field of a structured element. */
const [LENGTH_BYTES, FIELD_BYTES] = [8, 110];

function pageOf(query: Query): Page {
  return { offset: readOffset(query), limit: query["page[limit]"] ?? DEFAULT_LIMIT };
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
  const { offset, limit } = pageOf(request.query);
  const only = fields.size === 1 ? [...fields][0] : undefined;
  const data: unknown[] = [];
  let shownTo = offset;
  let bytes = 0;
  const end = only === "count" ? offset : offset + limit;
  while (shownTo < Math.min(end, children.count) && bytes <= PAGE_BYTES) {
    const portion = Math.min(PORTION, end - shownTo);
    const entries = await children.page(shownTo, portion);
    let taken = 0;
    for (const [key, node] of entries) {
      if (bytes > PAGE_BYTES) break;
      taken += 1;
      const path = [...segments, ...key.split("/")];
      const shown = only === "" ? keyResource(path, options) : await listedResource(path, node, options);
      if (shown === undefined) continue;
      data.push(shown);
      bytes += only === "" ? 0 : bytesOf(node, shown);
    }
    // Some may have disappeared.
    shownTo += taken === entries.length ? portion : taken;
  }
  const { count } = children;
  const url = `${options.api}/${name}/${pathOf(segments)}`;
  const link = (from: number): string =>
    `${url}?${from === 0 ? "" : `page[offset]=${from}&`}page[limit]=${limit}`;
  // A page of large entries ends early.
  const next = bytes > PAGE_BYTES ? shownTo : offset + limit;
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
