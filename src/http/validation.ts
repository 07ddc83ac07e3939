/**
 * Validation by JSON Schema: the types of bodies have to match, while query parameters are texts that may mean numbers.
 * Problems have the shape that Tiled's clients know and never repeat the value that was sent. This is the only validator of requests.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { FastifySchemaCompiler, FastifyServerOptions } from "fastify";
import { Failure, type InputProblem } from "../errors.ts";

/** For Fastify's constructor, which then does not load its own compilers. Answers are encoded in `answer.ts`. */
export const SCHEMA_CONTROLLER = {
  compilersFactory: {
    // The types allow one validator only.
    buildValidator: validatorCompiler as unknown as ValidatorFactory,
    buildSerializer: () => () => (value: unknown) => JSON.stringify(value),
  },
};

type SchemaController = NonNullable<FastifyServerOptions["schemaController"]>;
type ValidatorFactory = NonNullable<NonNullable<SchemaController["compilersFactory"]>["buildValidator"]>;

function validatorCompiler(): FastifySchemaCompiler<unknown> {
  // The schemas are ours, and a test checks each.
  const common = { allErrors: true, strict: false, validateFormats: false, validateSchema: false } as const;
  const strict = new Ajv(common);
  const lenient = new Ajv({ ...common, coerceTypes: true });
  return ({ schema, httpPart }) => {
    // Compiled at the first request, since compiling all of them takes a fifth of a start.
    let validate: ValidateFunction | undefined;
    return (value: unknown) => {
      validate ??= (httpPart === "body" ? strict : lenient).compile(schema as Record<string, unknown>);
      // A missing body lacks the same fields as an empty one.
      return validate(value ?? {}) ? true : { error: invalid(validate.errors ?? []) };
    };
  };
}

/** In the form that Fastify expects of a validator. */
function invalid(problems: readonly ErrorObject[]): Error {
  return Object.assign(new Error("invalid input"), { validation: problems });
}

type SchemaProblem = Pick<ErrorObject, "keyword" | "instancePath" | "params">;

const CONTEXTS: Readonly<Record<string, string>> = { querystring: "query", params: "path" };

export function problemsOf(errors: readonly SchemaProblem[], context: string): InputProblem[] {
  const problems = errors.flatMap((error) => problemOf(error, CONTEXTS[context] ?? context) ?? []);
  return problems.length > 0
    ? problems
    : [{ type: "invalid", loc: [CONTEXTS[context] ?? context], msg: "Invalid" }];
}

function problemOf(error: SchemaProblem, context: string): InputProblem | undefined {
  const loc = [context, ...error.instancePath.split("/").slice(1).map(pointerPart)];
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case "required":
      return { type: "missing", loc: [...loc, String(params["missingProperty"])], msg: "Field required" };
    case "minLength":
      return { type: "missing", loc, msg: "Field required" };
    case "type":
      return typeProblem(loc, String([params["type"]].flat()[0]));
    case "pattern":
      return {
        type: "string_pattern_mismatch",
        loc,
        msg: `String should match pattern '${String(params["pattern"])}'`,
      };
    case "maximum":
      return {
        type: "less_than_equal",
        loc,
        msg: `Input should be less than or equal to ${String(params["limit"])}`,
      };
    case "minimum":
      return {
        type: "greater_than_equal",
        loc,
        msg: `Input should be greater than or equal to ${String(params["limit"])}`,
      };
    case "maxLength":
      return {
        type: "string_too_long",
        loc,
        msg: `String should have at most ${String(params["limit"])} characters`,
      };
    case "enum":
      return {
        type: "enum",
        loc,
        msg: `Input should be one of ${[params["allowedValues"]].flat().join(", ")}`,
      };
    case "if":
      // The branch that it chose reports problems of its own.
      return undefined;
    default:
      return { type: error.keyword, loc, msg: "Input is not valid" };
  }
}

const TYPES: Readonly<Record<string, readonly [string, string]>> = {
  string: ["string_type", "Input should be a valid string"],
  array: ["list_type", "Input should be a valid list"],
  integer: ["int_parsing", "Input should be a valid integer"],
  number: ["float_parsing", "Input should be a valid number"],
  boolean: ["bool_parsing", "Input should be a valid boolean"],
  object: ["model_attributes_type", "Input should be a valid dictionary or object to extract fields from"],
};

function typeProblem(loc: InputProblem["loc"], expected: string): InputProblem {
  const [type, msg] = TYPES[expected] ?? ["type_error", `Input should be of type ${expected}`];
  return { type, loc, msg };
}

/** RFC 6901, section 4: a position in a list is a number. */
function pointerPart(part: string): string | number {
  return /^\d+$/.test(part) ? Number(part) : part.replaceAll("~1", "/").replaceAll("~0", "~");
}

/**
 * A form's fields (application/x-www-form-urlencoded). A field that is given twice is refused, since two readers of
 * one request might each take another of the two.
 */
export function parseForm(body: string): Record<string, string> {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(body)) {
    if (Object.hasOwn(fields, name)) {
      throw new Failure("bad_request", { detail: `The field '${name.slice(0, 40)}' is given twice.` });
    }
    fields[name] = value;
  }
  return fields;
}
