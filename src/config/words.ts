/**
 * The words of the messages about a configuration: what was found, by its kind and never by its text, and what a
 * schema allows there.
 */
import { FORMATS } from "./formats.ts";
import type { Located } from "./located.ts";

/** The keywords that are read here; TypeBox's schemas are of this form. */
export interface Shape {
  readonly type?: string | undefined;
  readonly anyOf?: readonly Shape[] | undefined;
  readonly const?: unknown;
  readonly not?: unknown;
  readonly properties?: Readonly<Record<string, Shape>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly additionalProperties?: boolean | Shape | undefined;
  readonly patternProperties?: Readonly<Record<string, Shape>> | undefined;
  readonly items?: Shape | undefined;
  readonly minItems?: number | undefined;
  readonly minimum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly format?: string | undefined;
  readonly description?: string | undefined;
  readonly deprecated?: boolean | undefined;
}

export function kindOf(node: Located): string {
  if (node.kind === "mapping") return "a mapping";
  if (node.kind === "list") return "a list";
  if (node.value instanceof Date) return "a date";
  if (node.value === null) return "nothing";
  if (typeof node.value === "string")
    return node.origin === "environment" ? "a text from the environment" : "a text";
  return typeof node.value === "number" ? "a number" : "a boolean";
}

/** What a schema lets through, in words. */
export function allowed(shape: Shape): string {
  if (shape.anyOf !== undefined) {
    const options = shape.anyOf.flatMap((option) => option.anyOf ?? [option]);
    const covered = new Set(options.map((option) => FORMATS[option.format ?? ""]?.covers));
    const said = options.filter(({ type }) => type !== "null" && !(type === "number" && covered.has(type)));
    return said.map(allowed).join(", or ");
  }
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.format !== undefined && FORMATS[shape.format] !== undefined)
    return FORMATS[shape.format]?.allowed ?? "";
  switch (shape.type) {
    case "integer":
    case "number": {
      const word = shape.type === "integer" ? "a whole number" : "a number";
      if (shape.minimum !== undefined && shape.maximum !== undefined)
        return `${word} from ${shape.minimum} to ${shape.maximum}`;
      return shape.minimum !== undefined ? `${word} from ${shape.minimum}` : word;
    }
    case "boolean":
      return "true or false";
    case "null":
      return "nothing";
    case "array":
      return `a list (of: ${allowed(shape.items ?? {})})`;
    case "object": {
      const keys = Object.keys(shape.properties ?? {}).filter(
        (key) => shape.properties?.[key]?.deprecated !== true,
      );
      return keys.length > 0 ? `a mapping with the keys ${keys.join(", ")}` : "a mapping";
    }
    default:
      return shape.type === "string" ? "a text" : "any value";
  }
}

/** A word that YAML reads as something else, where a text is asked for. */
export function quoteHint(shape: Shape, node: Located): string {
  const wantsText = [shape, ...(shape.anyOf ?? [])].some((option) => option.type === "string");
  return wantsText && node.kind === "scalar" ? "; YAML reads it so: quote it if it is meant as a text" : "";
}
