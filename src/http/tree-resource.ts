/**
 * A node as clients see it: its attributes, as far as they are asked for, and the links to its data.
 */
import type { Entry, TreeNode } from "../trees/contract.ts";
import { pathOf } from "./tree-nodes.ts";

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
  /** How far contents are told inside their container's structure; null: as far as the containers want. */
  readonly maxDepth: number | null;
  /** Replaces the metadata where only a part is asked for. */
  readonly metadataOf: (node: TreeNode) => unknown;
  /** Clients older than 0.2.19 know `access_blob` in the place of `access_tags`. */
  readonly legacyTags: boolean;
}

/** A container with more children, or deeper inside others, is not told inside its parent. */
const MAX_INLINED = 500;
export const MAX_DEPTH = 5;

const DEFAULT_SORTING = [{ key: "_", direction: 1 }];

export async function resource(
  segments: readonly string[],
  node: TreeNode,
  options: ResourceOptions,
  depth = 0,
): Promise<Readonly<Record<string, unknown>>> {
  const { fields } = options;
  const isContainer = node.family === "container";
  const wantsStructure = fields.has("structure") || (isContainer && fields.has("count"));
  const tags = fields.has("access_tags") ? node.accessTags : null;
  return {
    id: segments.at(-1) ?? "",
    attributes: {
      ancestors: segments.slice(0, -1),
      structure_family: isContainer || fields.has("structure_family") ? node.family : null,
      specs: fields.has("specs") ? node.specs : null,
      metadata: fields.has("metadata") ? options.metadataOf(node) : null,
      structure: wantsStructure ? await structure(segments, node, options, depth) : null,
      ...(options.legacyTags ? { access_blob: tags === null ? null : { tags } } : { access_tags: tags }),
      sorting: isContainer && fields.has("sorting") ? DEFAULT_SORTING : null,
      data_sources: null,
    },
    links: options.omitLinks ? null : links(options.api, segments, node),
    meta: null,
  };
}

/** What is known of a node when only keys are asked for. */
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

async function structure(
  segments: readonly string[],
  node: TreeNode,
  options: ResourceOptions,
  depth: number,
): Promise<Readonly<Record<string, unknown>>> {
  switch (node.family) {
    case "array":
      return {
        data_type: node.dataType,
        chunks: node.chunks,
        shape: node.shape,
        dims: node.dims,
        resizable: false,
      };
    case "table": {
      const schema = Buffer.from(await node.arrowSchema()).toString("base64");
      return {
        arrow_schema: `data:application/vnd.apache.arrow.file;base64,${schema}`,
        npartitions: node.partitions,
        columns: node.columns,
        resizable: false,
      };
    }
    case "container": {
      const count = await node.count();
      const inlined =
        node.inlined &&
        count <= MAX_INLINED &&
        depth <= MAX_DEPTH &&
        depth < (options.maxDepth ?? Number.POSITIVE_INFINITY);
      if (!inlined) return { contents: null, count };
      const entries = await node.entries({ offset: 0, limit: MAX_INLINED });
      return { contents: await inline(segments, entries, options, depth + 1), count };
    }
  }
}

async function inline(
  segments: readonly string[],
  entries: readonly Entry[],
  options: ResourceOptions,
  depth: number,
): Promise<Readonly<Record<string, unknown>>> {
  const contents: [string, unknown][] = [];
  for (const [key, child] of entries)
    contents.push([key, await resource([...segments, key], child, options, depth)]);
  return Object.fromEntries(contents);
}

function links(api: string, segments: readonly string[], node: TreeNode): Readonly<Record<string, string>> {
  const path = pathOf(segments);
  const self = `${api}/metadata/${path}`;
  const full = `${api}/${node.family}/full/${path}`;
  switch (node.family) {
    case "array": {
      const block = node.shape.map((_, dimension) => `{${dimension}}`).join(",");
      return { self, full, block: `${api}/array/block/${path}?block=${block}` };
    }
    case "table":
      return { self, full, partition: `${api}/table/partition/${path}?partition={index}` };
    case "container":
      return { self, search: `${api}/search/${path}`, search_deep: `${api}/search-deep/${path}`, full };
  }
}
