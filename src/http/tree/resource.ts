/**
 * A node as clients see it: the requested attributes, and links to its data.
 */
import { Failure } from "../../errors.ts";
import type { ArrayData, ContainerNode, TableData, TreeNode } from "../../trees/model/contract.ts";
import { pathOf } from "./nodes.ts";

/** The attributes that a request can choose with `fields`; "" is the key alone. */
export const FIELDS = [
  "metadata",
  "structure_family",
  "structure",
  "count",
  "sorting",
  "specs",
  "data_sources",
  "",
  "access_tags",
] as const;

export type Field = (typeof FIELDS)[number];

export interface ResourceOptions {
  /** `<base>/api/v1`. */
  readonly api: string;
  readonly fields: ReadonlySet<Field>;
  readonly omitLinks: boolean;
  /** How deep containers include their contents; null: as deep as they wish. */
  readonly maxDepth: number | null;
  /** The metadata to show, or the selected part. */
  readonly metadataOf: (node: TreeNode) => unknown;
  /** Clients older than 0.2.19 expect `access_blob` instead of `access_tags`. */
  readonly legacyTags: boolean;
}

/** A container with more children, or nested deeper, is not included in its parent. */
const MAX_INLINED = 500;
/** Limit for `max_depth`. */
export const MAX_DEPTH = 5;

const DEFAULT_SORTING = [{ key: "_", direction: 1 }];

/** Describes a node. Undefined: its data turned out not to be readable, so there is no such node. */
export async function resource(
  segments: readonly string[],
  node: TreeNode,
  options: ResourceOptions,
  depth = 0,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { fields } = options;
  const isContainer = node.family === "container";
  const wantsStructure = fields.has("structure") || (isContainer && fields.has("count"));
  const needsData = !isContainer && (wantsStructure || !options.omitLinks);
  const data = needsData ? await node.open() : null;
  if (data === undefined) return undefined;
  const tags = fields.has("access_tags") ? node.accessTags : null;
  return {
    id: segments.at(-1) ?? "",
    attributes: {
      ancestors: segments.slice(0, -1),
      structure_family: isContainer || fields.has("structure_family") ? node.family : null,
      specs: fields.has("specs") ? node.specs : null,
      metadata: fields.has("metadata") ? options.metadataOf(node) : null,
      structure: wantsStructure ? await structure(segments, node, data, options, depth) : null,
      ...(options.legacyTags ? { access_blob: tags === null ? null : { tags } } : { access_tags: tags }),
      sorting: isContainer && fields.has("sorting") ? DEFAULT_SORTING : null,
      data_sources: null,
    },
    links: options.omitLinks ? null : links(options.api, segments, node, data),
    meta: null,
  };
}

/** Like `resource`, for lists: a node whose file is being written is left out instead of failing the list. */
export async function listedResource(
  ...node: Parameters<typeof resource>
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return await resource(...node);
  } catch (error) {
    if (error instanceof Failure && error.code === "changed") return undefined;
    throw error;
  }
}

/** A node of which only the key was requested. */
export function keyResource(segments: readonly string[], { api, omitLinks, legacyTags }: ResourceOptions) {
  return {
    id: segments.at(-1) ?? "",
    attributes: {
      ancestors: segments.slice(0, -1),
      structure_family: null,
      specs: null,
      metadata: null,
      structure: null,
      [legacyTags ? "access_blob" : "access_tags"]: null,
      sorting: null,
      data_sources: null,
    },
    links: omitLinks ? null : { self: `${api}/metadata/${pathOf(segments)}` },
    meta: null,
  };
}

type Data = ArrayData | TableData | null;

async function structure(
  segments: readonly string[],
  node: TreeNode,
  data: Data,
  options: ResourceOptions,
  depth: number,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (node.family === "container") return containerStructure(segments, node, options, depth);
  if (data === null) return null;
  if ("shape" in data) {
    const { dataType, chunks, shape, dims } = data;
    return { data_type: dataType, chunks, shape, dims, resizable: false };
  }
  const schema = Buffer.from(await data.arrowSchema()).toString("base64");
  return {
    arrow_schema: `data:application/vnd.apache.arrow.file;base64,${schema}`,
    npartitions: data.partitions,
    columns: data.columns,
    resizable: false,
  };
}

async function containerStructure(
  segments: readonly string[],
  node: ContainerNode,
  options: ResourceOptions,
  depth: number,
): Promise<Readonly<Record<string, unknown>>> {
  const count = await node.count();
  const inlined =
    node.inlined &&
    count <= MAX_INLINED &&
    depth <= MAX_DEPTH &&
    depth < (options.maxDepth ?? Number.POSITIVE_INFINITY);
  if (!inlined) return { contents: null, count };
  const contents: [string, unknown][] = [];
  for (const [key, child] of await node.entries({ offset: 0, limit: MAX_INLINED })) {
    const shown = await listedResource([...segments, key], child, options, depth + 1);
    if (shown !== undefined) contents.push([key, shown]);
  }
  return { contents: Object.fromEntries(contents), count };
}

function links(
  api: string,
  segments: readonly string[],
  node: TreeNode,
  data: Data,
): Readonly<Record<string, string>> {
  const path = pathOf(segments);
  const self = `${api}/metadata/${path}`;
  const full = `${api}/${node.family}/full/${path}`;
  switch (node.family) {
    case "array": {
      const shape = data !== null && "shape" in data ? data.shape : [];
      const block = shape.map((_, dimension) => `{${dimension}}`).join(",");
      return { self, full, block: `${api}/array/block/${path}?block=${block}` };
    }
    case "table":
      return { self, full, partition: `${api}/table/partition/${path}?partition={index}` };
    case "container":
      return { self, search: `${api}/search/${path}`, search_deep: `${api}/search-deep/${path}`, full };
  }
}
