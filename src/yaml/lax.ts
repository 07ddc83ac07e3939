/**
 * Numbers and booleans in quotes (`port: "8000"`), as Helm charts and compose files write them. Read as in pydantic's lax
 * mode, since Tiled reads them so, and only if the schema asks for a number or a boolean.
 */
import type { Shape } from "./words.ts";

const YES = /^(?:true|yes|on|t|y|1)$/i;
const NO = /^(?:false|no|off|f|n|0)$/i;
const WHOLE = /^[+-]?\d+(?:_\d+)*(?:\.0+)?$/;
const DECIMAL = /^[+-]?\d+(?:_\d+)*(?:\.\d+)?$/;

const YES_OR_NO =
  "(?:[Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Oo][Nn]|[TtYy1]|[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Oo][Ff][Ff]|[FfNn0])";

/** The same in JSON Schema, for editors: its patterns have no flags. The server also allows white space around. */
export const QUOTED = {
  integer: { type: "string", pattern: WHOLE.source },
  number: { type: "string", pattern: DECIMAL.source },
  boolean: { anyOf: [{ enum: [0, 1] }, { type: "string", pattern: `^${YES_OR_NO}$` }] },
} as const;

/** Undefined if the value cannot be converted to the type that the shape asks for. */
export function readLax(shape: Shape, value: unknown): number | boolean | undefined {
  if (shape.type === "boolean") return readBoolean(shape, value);
  if (shape.type !== "integer" && shape.type !== "number") return undefined;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  const form = shape.type === "integer" ? WHOLE : DECIMAL;
  // Never -0.
  return form.test(text) ? Number(text.replaceAll("_", "")) + 0 : undefined;
}

function readBoolean(shape: Shape, value: unknown): boolean | undefined {
  if (typeof value === "number")
    return shape.const === undefined && (value === 0 || value === 1) ? value === 1 : undefined;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  const word = YES.test(text) || (NO.test(text) ? false : undefined);
  return shape.const === undefined || shape.const === word ? word : undefined;
}
