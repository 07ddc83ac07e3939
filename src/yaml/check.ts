/**
 * Checks located values against a schema and returns plain ones. Reads the part of JSON Schema that the configuration is
 * written in. `words.ts` and `shown.ts` word the messages.
 *
 * Ajv, which checks the arguments of classes (`plugins/class-args.ts`), is not used here. To compile the configuration's
 * schema took it 0.11 s of processor time and 11 MB at each start, a fifth of what the loading of a configuration takes.
 * Of one wrong value it reports every alternative of every `anyOf` above it, and it returns no values for the rules
 * between keys to go on with, so a walk over the schema like this one would still be needed.
 */
import { BASIC_FORMATS, type Formats, formatProblem } from "./formats.ts";
import { readLax } from "./lax.ts";
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
import { shownValue } from "./shown.ts";
import { nearest } from "./suggest.ts";
import { kindOf, listHint, quoteHint, type Shape, wanted } from "./words.ts";

export interface Report {
  readonly problems: Problems;
  /** What the schema's `format` words mean; absent: `BASIC_FORMATS`. */
  readonly formats?: Formats;
  /** Called for each key that is accepted and has no effect. */
  noEffect(node: Located, path: Path, why: string): void;
  /** Further advice about an unknown key, e.g. the section it belongs to. `near`: a known key has nearly the same spelling. */
  hint?(key: string, near: boolean): string | undefined;
}

/** Undefined if the value does not fit. Parts that do not fit are left out of mappings and lists. */
export function check(shape: Shape, node: Located, path: Path, report: Report): unknown {
  if (node.kind === "scalar" && node.origin === "unset") return undefined;
  const fitting = choose(shape, node);
  if (fitting === undefined) {
    report.problems.add(node.spot, path, wrongKind(shape, node, formatsOf(report)));
    return undefined;
  }
  if (node.kind === "mapping") return checkMapping(fitting, node, path, report);
  if (node.kind === "list") {
    const { items } = fitting;
    if (fitting.minItems === 1 && node.items.length === 0) {
      report.problems.add(
        node.spot,
        path,
        `the list is empty. Give at least one item: ${wanted(items ?? {}, formatsOf(report))}.`,
      );
      return undefined;
    }
    return items === undefined
      ? plain(node)
      : node.items.map((item, index) => check(items, item, [...path, index], report));
  }
  return checkScalar(fitting, shape, node, path, report);
}

/** The alternative of the value's type, else one that the value can be converted to. */
function choose(shape: Shape, node: Located): Shape | undefined {
  const options = shape.anyOf?.flatMap((option) => option.anyOf ?? [option]) ?? [shape];
  return (
    options.find((option) => fits(option, node)) ??
    options.find((option) => node.kind === "scalar" && readLax(option, node.value) !== undefined)
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

/** A scalar, converted to the number or boolean that the schema asks for. Its caller checks it. */
export function readAs(shape: Shape, node: LocatedScalar): LocatedScalar["value"] {
  const fitting = choose(shape, node);
  if (fitting === undefined || fits(fitting, node)) return node.value;
  return readLax(fitting, node.value) ?? node.value;
}

function formatsOf({ formats = BASIC_FORMATS }: Report): Formats {
  return formats;
}

function wrongKind(shape: Shape, node: Located, formats: Formats): string {
  const use = `Use ${wanted(shape, formats)}.`;
  if (node.kind === "scalar" && node.value === null) return `a value is missing here. ${use}`;
  return `${shownValue(shape, node) ?? kindOf(node)} is not allowed here. ${use}${quoteHint(shape, node)}${listHint(shape, node)}`;
}

/** `all`: the alternatives that `shape` is one of. */
function checkScalar(shape: Shape, all: Shape, node: LocatedScalar, path: Path, report: Report): unknown {
  const value = fits(shape, node) ? node.value : readLax(shape, node.value);
  const wrong = scalarProblem(shape, all, value, node, formatsOf(report));
  if (wrong === undefined) return value;
  report.problems.add(node.spot, path, wrong);
  return undefined;
}

function scalarProblem(
  shape: Shape,
  all: Shape,
  value: unknown,
  node: LocatedScalar,
  formats: Formats,
): string | undefined {
  if (typeof value === "number") {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = shape;
    const above = shape.exclusiveMinimum === undefined || value > shape.exclusiveMinimum;
    const whole = shape.type !== "integer" || Number.isInteger(value);
    if (Number.isFinite(value) && value >= minimum && value <= maximum && above && whole) return undefined;
    return `${shownValue(all, node) ?? "this number"} is not allowed here. Use ${wanted(all, formats)}.`;
  }
  if (typeof value !== "string") return undefined;
  return formatProblem(formats[shape.format ?? ""], value, shownValue(all, node));
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
        `not supported: ${property.description ?? "it does not apply here"}.`,
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
      const hint = report.hint?.(key, near !== undefined);
      const start = `unknown key ${quoted(key)}`;
      const meant = near === undefined ? `${start}.` : `${start}. Did you mean ${quoted(near)}?`;
      report.problems.add(
        entry.keySpot,
        here,
        `${hint === undefined ? meant : `${start}; ${hint}.`} Allowed here: ${known.join(", ") || "no keys"}`,
      );
    }
  }
  for (const key of shape.required ?? []) {
    if (!node.entries.has(key)) {
      report.problems.add(
        node.spot,
        path,
        `the key ${quoted(key)} is missing (${properties[key]?.description ?? wanted(properties[key] ?? {}, formatsOf(report))}).`,
      );
    }
  }
  return result;
}
