/**
 * Gives each schema with a `title` one place in `components.schemas` of an OpenAPI document, so that a generated client has one type
 * for it. The titles are in `src/schemas`; validation ignores them.
 */
import { isDeepStrictEqual } from "node:util";

export type Json = Readonly<Record<string, unknown>>;

/** The value with references in place of its named schemas, and these by name. */
export function nameSchemas(value: unknown): { readonly value: unknown; readonly schemas: Json } {
  const schemas: Record<string, unknown> = {};
  const visit = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(visit);
    if (typeof part !== "object" || part === null) return part;
    const { title, ...rest } = Object.fromEntries(
      Object.entries(unconditional(part as Json)).map(([key, item]) => [key, visit(item)]),
    );
    if (typeof title !== "string") return title === undefined ? rest : { title, ...rest };
    const known = schemas[title];
    if (known !== undefined && !isDeepStrictEqual(known, rest)) {
      throw new Error(`Two different schemas have the title ${title}.`);
    }
    schemas[title] = rest;
    return { $ref: `#/components/schemas/${title}` };
  };
  return { value: visit(value), schemas: inOrder(schemas) };
}

/**
 * A condition that only spares the validator work, as in `if` the list is too long, `else` look at its items. Generators of
 * clients understand no conditions.
 */
function unconditional({ if: condition, else: otherwise, ...schema }: Json): Json {
  return condition === undefined ? schema : { ...schema, ...Object(otherwise) };
}

export function inOrder<Value>(values: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
