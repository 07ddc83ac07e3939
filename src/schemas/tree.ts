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

const Resource = Type.Object({
  id: Type.String({ description: "The node's key; empty for the root" }),
  attributes: Type.Object({
    ancestors: Type.Array(Type.String()),
    structure_family: Nullable(
      Type.Union([Type.Literal("container"), Type.Literal("array"), Type.Literal("table")]),
    ),
    specs: Nullable(Type.Array(Type.Object({ name: Type.String(), version: Nullable(Type.String()) }))),
    metadata: Nullable(Anything),
    structure: Nullable(Anything),
    access_tags: Type.Optional(Nullable(Type.Array(Type.String()))),
    sorting: Nullable(Type.Array(Type.Object({ key: Type.String(), direction: Type.Integer() }))),
    data_sources: Type.Null(),
  }),
  links: Nullable(Anything),
  meta: Type.Null(),
});

export const NodeAnswer = Type.Object({
  data: Resource,
  error: Type.Null(),
  links: Type.Null(),
  meta: Anything,
});

export const SearchAnswer = Type.Object({
  data: Type.Array(Resource),
  error: Type.Null(),
  links: Type.Object({
    self: Type.String(),
    first: Type.String(),
    next: Nullable(Type.String()),
  }),
  meta: Type.Object({ count: Type.Integer() }),
});

const Occurrences = Nullable(
  Type.Array(Type.Object({ value: Type.Unknown(), count: Nullable(Type.Integer()) })),
);

export const DistinctAnswer = Type.Object({
  metadata: Nullable(Anything),
  structure_families: Occurrences,
  specs: Occurrences,
});

/** Data in any of the media types that the about document lists. */
export const DataAnswer = {
  description: "Data in the media type that was asked for",
  content: { "*/*": { schema: {} } },
};
