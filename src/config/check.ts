/**
 * Holds located values to a schema and hands out plain ones. Reads the part of JSON Schema that the configuration and
 * the authenticators' arguments are written in; in messages it names what was found by its kind, not by its text.
 */
import { FORMATS } from "./formats.ts";
import {
  define,
  type Located,
  type LocatedMapping,
  type LocatedScalar,
  type Path,
  plain,
  quoted,
} from "./located.ts";
import type { Problems } from "./problems.ts";
import { nearest } from "./suggest.ts";
import { allowed, kindOf, quoteHint, type Shape } from "./words.ts";

export interface Report {
  readonly problems: Problems;
  /** Told of each key that is accepted and of no effect. */
  noEffect(node: Located, path: Path, why: string): void;
  /** More about an unknown key, e.g. where it belongs. `near`: a known one is spelt nearly the same. */
  hint?(key: string, near: boolean): string | undefined;
}

/** The value, or undefined where it does not fit; parts that do not fit are left out of mappings and lists. */
export function check(shape: Shape, node: Located, path: Path, report: Report): unknown {
  const fitting = choose(shape, node);
  if (fitting === undefined) {
    report.problems.add(
      node.spot,
      path,
      `found ${kindOf(node)}, allowed: ${allowed(shape)}${quoteHint(shape, node)}`,
    );
    return undefined;
  }
  if (node.kind === "mapping") return checkMapping(fitting, node, path, report);
  if (node.kind === "list") {
    const { items } = fitting;
    if (fitting.minItems === 1 && node.items.length === 0) {
      report.problems.add(
        node.spot,
        path,
        `found an empty list, allowed: at least one item (${allowed(items ?? {})})`,
      );
      return undefined;
    }
    return items === undefined
      ? plain(node)
      : node.items.map((item, index) => check(items, item, [...path, index], report));
  }
  return checkScalar(fitting, node, path, report, allowed(shape));
}

/** The alternative whose type is the value's; a text of the environment may become a number or a boolean. */
function choose(shape: Shape, node: Located): Shape | undefined {
  const options = shape.anyOf?.flatMap((option) => option.anyOf ?? [option]) ?? [shape];
  return (
    options.find((option) => fits(option, node)) ??
    options.find((option) => fromText(option, node) !== undefined)
  );
}

function fits(shape: Shape, node: Located): boolean {
  if (node.kind === "mapping") return shape.type === undefined || shape.type === "object";
  if (node.kind === "list") return shape.type === undefined || shape.type === "array";
  const { value } = node;
  if (shape.const !== undefined) return value === shape.const;
  switch (shape.type) {
    case undefined:
      return true;
    case "string":
    case "boolean":
      return typeof value === shape.type;
    case "integer":
    case "number":
      return typeof value === "number";
    case "null":
      return value === null;
    default:
      return false;
  }
}

const YES = /^(?:true|yes|on|t|y|1)$/;
const NO = /^(?:false|no|off|f|n|0)$/;

function fromText(shape: Shape, node: Located): number | boolean | undefined {
  if (node.kind !== "scalar" || typeof node.value !== "string" || node.origin !== "environment")
    return undefined;
  const text = node.value.trim().toLowerCase();
  if (shape.type === "boolean") {
    const word = YES.test(text) || (NO.test(text) ? false : undefined);
    return shape.const === undefined || shape.const === word ? word : undefined;
  }
  const numeric = shape.type === "integer" ? /^[+-]?\d{1,15}$/ : /^[+-]?\d{1,15}(?:\.\d{1,15})?$/;
  return (shape.type === "integer" || shape.type === "number") && numeric.test(text)
    ? Number(text)
    : undefined;
}

/** A scalar for who checks by other means: a text of the environment is read as what the schema asks for. */
export function readAs(shape: Shape, node: LocatedScalar): LocatedScalar["value"] {
  const fitting = choose(shape, node);
  if (fitting === undefined || fits(fitting, node)) return node.value;
  return fromText(fitting, node) ?? node.value;
}

function checkScalar(shape: Shape, node: LocatedScalar, path: Path, report: Report, all: string): unknown {
  const value = fits(shape, node) ? node.value : fromText(shape, node);
  const wrong = scalarProblem(shape, value, node);
  if (wrong === undefined) return value;
  report.problems.add(node.spot, path, `${wrong}, allowed: ${all}`);
  return undefined;
}

function scalarProblem(shape: Shape, value: unknown, node: LocatedScalar): string | undefined {
  if (typeof value === "number") {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = shape;
    const above = shape.exclusiveMinimum === undefined || value > shape.exclusiveMinimum;
    const whole = shape.type !== "integer" || Number.isInteger(value);
    if (Number.isFinite(value) && value >= minimum && value <= maximum && above && whole) return undefined;
    return `found ${typeof node.value === "number" && node.origin === "file" ? value : "another number"}`;
  }
  return typeof value === "string" ? FORMATS[shape.format ?? ""]?.check(value) : undefined;
}

function checkMapping(shape: Shape, node: LocatedMapping, path: Path, report: Report): unknown {
  const result: Record<string, unknown> = {};
  const { properties = {}, additionalProperties } = shape;
  const rest =
    Object.values(shape.patternProperties ?? {})[0] ??
    (typeof additionalProperties === "object" ? additionalProperties : undefined);
  const known = Object.keys(properties).filter(
    (key) => properties[key]?.deprecated !== true && properties[key]?.not === undefined,
  );
  for (const [key, entry] of node.entries) {
    const here = [...path, key];
    const property = Object.hasOwn(properties, key) ? properties[key] : rest;
    if (property?.not !== undefined) {
      report.problems.add(
        entry.keySpot,
        here,
        `this key is refused: ${property.description ?? "it does not apply here"}`,
      );
    } else if (property?.deprecated === true) {
      report.noEffect({ ...entry.value, spot: entry.keySpot }, here, property.description ?? "");
    } else if (property !== undefined) {
      define(result, key, check(property, entry.value, here, report));
    } else {
      const open = additionalProperties === true;
      const near = nearest(key, open ? known : Object.keys(properties));
      if (open && near === undefined) {
        report.noEffect({ ...entry.value, spot: entry.keySpot }, here, "not known here");
        continue;
      }
      if (additionalProperties === undefined && shape.properties === undefined) {
        define(result, key, plain(entry.value));
        continue;
      }
      const hint =
        report.hint?.(key, near !== undefined) ??
        (near === undefined ? undefined : `did you mean ${quoted(near)}?`);
      const start = [`unknown key ${quoted(key)}`, hint].filter((part) => part !== undefined).join("; ");
      report.problems.add(
        entry.keySpot,
        here,
        `${start.replace(/[^?]$/, "$&.")} Allowed here: ${known.join(", ") || "no keys"}`,
      );
    }
  }
  for (const key of shape.required ?? []) {
    if (!node.entries.has(key)) {
      report.problems.add(
        node.spot,
        path,
        `the key ${quoted(key)} is missing; it is needed: ${properties[key]?.description ?? allowed(properties[key] ?? {})}`,
      );
    }
  }
  return result;
}
