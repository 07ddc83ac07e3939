/**
 * Wire types of the tree: the description of a node, and pages of them. Data are bytes of a media type.
 */
import { Type } from "typebox";

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

const Anything = Type.Unsafe<Readonly<Record<string, unknown>>>({
  type: "object",
  additionalProperties: true,
});

const Resource = Type.Object(
  {
    id: Type.String({ description: "The node's key; empty for the root" }),
    attributes: Type.Object({
      ancestors: Type.Array(Type.String()),
      structure_family: Nullable(
        Type.Union([Type.Literal("container"), Type.Literal("array"), Type.Literal("table")]),
      ),
      specs: Nullable(
        Type.Array(Type.Object({ name: Type.String(), version: Nullable(Type.String()) }, { title: "Spec" })),
      ),
      metadata: Nullable(Anything),
      structure: Nullable(Anything),
      access_tags: Type.Optional(Nullable(Type.Array(Type.String()))),
      sorting: Nullable(
        Type.Array(Type.Object({ key: Type.String(), direction: Type.Integer() }, { title: "SortingItem" })),
      ),
      data_sources: Type.Null(),
    }),
    links: Nullable(Anything),
    meta: Type.Null(),
  },
  { title: "Node" },
);

export const NodeAnswer = Type.Object(
  {
    data: Resource,
    error: Type.Null(),
    links: Type.Null(),
    meta: Anything,
  },
  { title: "NodeAnswer" },
);

export const SearchAnswer = Type.Object(
  {
    data: Type.Array(Resource),
    error: Type.Null(),
    links: Type.Object({
      self: Type.String(),
      first: Type.String(),
      next: Nullable(Type.String()),
    }),
    meta: Type.Object({ count: Type.Integer() }),
  },
  { title: "SearchAnswer" },
);

const Occurrences = Nullable(
  Type.Array(
    Type.Object({ value: Type.Unknown(), count: Nullable(Type.Integer()) }, { title: "Occurrence" }),
  ),
);

export const DistinctAnswer = Type.Object(
  {
    metadata: Nullable(Anything),
    structure_families: Occurrences,
    specs: Occurrences,
  },
  { title: "DistinctAnswer" },
);

/** Data in any of these media types, negotiated by `Accept` or `format`. */
export function dataIn(mediaTypes: readonly string[]) {
  const content = mediaTypes.map((type) => [type, { schema: type.endsWith("/json") ? {} : BYTES }]);
  return { description: "Data in the media type that was asked for", content: Object.fromEntries(content) };
}

const BYTES = { type: "string", format: "binary" };
