/**
 * The wording of messages about a value: what the schema wants, and what the file has. `shown.ts` decides whether a message
 * may repeat the value.
 */
import type { Formats } from "./formats.ts";
import type { Located } from "./located.ts";

/** The keywords of JSON Schema that are read here. TypeBox's schemas have this form. */
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
  readonly writeOnly?: boolean | undefined;
}

export function kindOf(node: Located): string {
  if (node.kind === "mapping") return "a mapping";
  if (node.kind === "list") return "a list";
  if (node.value instanceof Date) return "a date";
  if (node.value === null) return "nothing";
  if (typeof node.value === "string")
    return node.origin === "environment" ? "text from the environment" : "text";
  return typeof node.value === "number" ? "a number" : "a boolean";
}

/** What a schema wants; completes "Use …". */
export function wanted(shape: Shape, formats: Formats): string {
  if (shape.anyOf !== undefined) {
    const options = shape.anyOf.flatMap((option) => option.anyOf ?? [option]);
    const covered = new Set(options.map((option) => formats[option.format ?? ""]?.covers));
    const said = options.filter(({ type }) => type !== "null" && !(type === "number" && covered.has(type)));
    return said.map((option) => wanted(option, formats)).join(", or ");
  }
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  const format = formats[shape.format ?? ""];
  if (format !== undefined) return format.use === undefined ? format.what : `${format.what}: ${format.use}`;
  switch (shape.type) {
    case "integer":
    case "number":
      return numbers(shape);
    case "boolean":
      return "true or false";
    case "null":
      return "nothing";
    case "array":
      return shape.items === undefined ? "a list" : `a list (each item: ${wanted(shape.items, formats)})`;
    case "object": {
      const keys = Object.keys(shape.properties ?? {}).filter(
        (key) => shape.properties?.[key]?.deprecated !== true,
      );
      return keys.length > 0 ? `a mapping with the keys ${keys.join(", ")}` : "a mapping";
    }
    default:
      return shape.type === "string" ? "text" : "any value";
  }
}

function numbers({ type, minimum, maximum }: Shape): string {
  const word = type === "integer" ? "a whole number" : "a number";
  if (minimum === undefined) return word;
  return maximum === undefined ? `${word} from ${minimum}` : `${word} from ${minimum} to ${maximum}`;
}

/** For a word that YAML reads as another type than the text that is wanted. */
export function quoteHint(shape: Shape, node: Located): string {
  const wantsText = [shape, ...(shape.anyOf ?? [])].some((option) => option.type === "string");
  const misread = node.kind === "scalar" && node.value !== null && node.origin !== "environment";
  return wantsText && misread ? " Put it in quotes if it is meant as text." : "";
}

/** For a single value in place of a list. */
export function listHint(shape: Shape, node: Located): string {
  const wantsList = [shape, ...(shape.anyOf ?? [])].some((option) => option.type === "array");
  if (!wantsList || node.kind === "list") return "";
  return node.kind === "mapping"
    ? " Each item of it begins with '- '."
    : " Put a single item in brackets: […].";
}
