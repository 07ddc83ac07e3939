/**
 * Checks the `args` of an authenticator or a policy against the schema of its class, by Ajv. Messages name keys and types,
 * never values: an argument may be a password.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { TSchema } from "typebox";
import { OperatorError } from "../errors.ts";
import type { Path } from "../yaml/located.ts";
import { didYouMean } from "../yaml/suggest.ts";

interface ArgsProblem {
  /** Keys and positions in lists, below `args`. */
  readonly path: Path;
  readonly message: string;
}

type CheckedArgs =
  | { readonly kind: "valid"; readonly args: Record<string, unknown> }
  | { readonly kind: "invalid"; readonly problems: readonly ArgsProblem[] };

/** Adds the schema's defaults, in a copy. */
export function checkArgs(schema: TSchema, given: Readonly<Record<string, unknown>>): CheckedArgs {
  const validate = compile(schema);
  const args = structuredClone(given) as Record<string, unknown>;
  if (validate(args)) return { kind: "valid", args };
  const errors = validate.errors ?? [];
  // It only sums up the errors of single names, which are reported as well.
  const own = errors.filter(({ keyword }) => keyword !== "propertyNames");
  const problems = own.map((error) => ({ path: pathOf(error, args), message: message(error, schema, args) }));
  return { kind: "invalid", problems };
}

function compile(schema: TSchema): ValidateFunction {
  // Strict mode finds mistakes in a schema as well. To check it against the schema of schemas would slow down each start.
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    useDefaults: true,
    logger: false,
    validateSchema: false,
    meta: false,
  });
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw new OperatorError(
      `the schema of its arguments is not valid: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function pathOf(error: ErrorObject, args: Record<string, unknown>): (string | number)[] {
  const path: (string | number)[] = [];
  let value: unknown = args;
  for (const step of error.instancePath.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    path.push(Array.isArray(value) ? Number(key) : key);
    value = (value as Record<string, unknown> | undefined)?.[key];
  }
  const { missingProperty, additionalProperty } = error.params as Record<string, string | undefined>;
  const last = missingProperty ?? additionalProperty ?? error.propertyName;
  return last === undefined ? path : [...path, last];
}

function message(error: ErrorObject, schema: TSchema, args: Record<string, unknown>): string {
  if (error.propertyName !== undefined) return `this key is not allowed here: a key ${error.message}.`;
  switch (error.keyword) {
    case "required":
      return "this argument is missing.";
    case "additionalProperties":
      return unknownKey(error, schema);
    case "type":
      return wrongType(error, args);
    case "minLength":
      return error.params["limit"] === 1 ? "must not be empty." : `${error.message}.`;
    case "enum":
      return oneOf(error, args);
    default:
      return `${error.message}.`;
  }
}

function unknownKey(error: ErrorObject, schema: TSchema): string {
  // The known keys are certain for the outermost mapping only.
  const properties = (schema as { properties?: Record<string, unknown> }).properties ?? {};
  const known = error.instancePath === "" ? Object.keys(properties) : [];
  const hint = didYouMean(String(error.params["additionalProperty"]), known);
  const allowed = known.length === 0 ? "" : ` Use ${known.join(", ")}.`;
  return `there is no such argument.${hint}${allowed}`;
}

/** The words of JSON Schema's types. */
const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
  null: "empty",
  number: "a number",
  object: "a mapping",
  string: "text",
};

/** The value is not repeated: it may be a secret in the wrong place. */
function oneOf(error: ErrorObject, args: Record<string, unknown>): string {
  const allowed = (error.params["allowedValues"] as unknown[]).map(String);
  const value = valueAt(pathOf(error, args), args);
  const hint = typeof value === "string" ? didYouMean(value, allowed) : "";
  return `must be one of ${allowed.join(", ")}.${hint}`;
}

function valueAt(path: Path, args: Record<string, unknown>): unknown {
  let value: unknown = args;
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}

function wrongType(error: ErrorObject, args: Record<string, unknown>): string {
  const types = [error.params["type"]].flat().map(String);
  const wanted = types.map((type) => TYPES[type] ?? type).join(" or ");
  const value = valueAt(pathOf(error, args), args);
  const found = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const quotes =
    types.includes("string") && ["number", "boolean"].includes(found) ? " Put it in quotes." : "";
  if (value == null) return `a value is missing here; it must be ${wanted}.`;
  return `must be ${wanted}, not ${TYPES[found] ?? found}.${quotes}`;
}
