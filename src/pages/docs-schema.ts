/**
 * JSON Schemas in words, for the API documentation: `integer, 0 to 300`, `list of string`, and the fields of objects in one
 * flat list. The page around them is `docs.ts`'s.
 */
import { type Html, html } from "../lib/html.ts";

export interface Schema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly $ref?: string;
}

/** Deeper structures are named by type only. */
const MAX_DEPTH = 4;

export function schemaText(schema: Schema, depth = 0): string {
  if (schema.$ref !== undefined) return schema.$ref.split("/").at(-1) ?? "object";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) {
    const values = schema.enum.map((value) => JSON.stringify(value)).join(", ");
    return schema.enum.length === 1 ? values : `one of ${values}`;
  }
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return joined(alternatives, depth);
  if (schema.allOf !== undefined) return "object";
  const kinds = schema.type === undefined ? ["anything"] : [schema.type].flat();
  return kinds.map((kind) => kindText(kind, schema, depth)).join(" or ");
}

function joined(alternatives: readonly Schema[], depth: number): string {
  if (depth >= MAX_DEPTH) return "one of several";
  return [...new Set(alternatives.map((alternative) => schemaText(alternative, depth + 1)))].join(" or ");
}

function kindText(kind: string, schema: Schema, depth: number): string {
  if (kind === "array") {
    const item =
      schema.items === undefined || depth >= MAX_DEPTH ? "anything" : schemaText(schema.items, depth + 1);
    return `list of ${item}`;
  }
  if (kind === "null" || kind === "object" || kind === "boolean") return kind;
  const limits = kind === "string" ? lengthText(schema) : rangeText(schema);
  return [schema.format ?? kind, ...limits].join(", ");
}

function rangeText({ minimum, maximum }: Schema): readonly string[] {
  if (minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER / 2) {
    return [`${minimum} to ${maximum}`];
  }
  return minimum === undefined ? [] : [`at least ${minimum}`];
}

function lengthText({ minLength, maxLength }: Schema): readonly string[] {
  if (maxLength !== undefined) return [`at most ${maxLength} characters`];
  return minLength !== undefined && minLength > 0 ? ["not empty"] : [];
}

export interface Field {
  /** With the names of its parents: `identities[].provider`. */
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
}

/** All fields below a schema: of an object, of `allOf`, or of the items of a list. */
export function fieldsOf(schema: Schema, prefix = "", depth = 0): readonly Field[] {
  if (depth >= MAX_DEPTH) return [];
  if (schema.allOf !== undefined) return schema.allOf.flatMap((part) => fieldsOf(part, prefix, depth));
  if (schema.items !== undefined) return fieldsOf(schema.items, `${prefix}[]`, depth);
  const [only, ...others] = (schema.anyOf ?? schema.oneOf ?? []).filter(({ type }) => type !== "null");
  if (only !== undefined) return others.length === 0 ? fieldsOf(only, prefix, depth) : [];
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    const required = schema.required?.includes(key) ?? false;
    return [{ name, schema: property, required }, ...fieldsOf(property, name, depth + 1)];
  });
}

/** Texts in backquotes are code. */
export function note({ description, default: value }: Schema): Html {
  const text = description === undefined ? [] : description.replace(/\.$/, "").split("`");
  return html`${text.length > 0 && ". "}${text.map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`))}${value !== undefined && html`. Default: <code>${JSON.stringify(value)}</code>`}`;
}
