/**
 * The answers of each operation in the OpenAPI document: what any route may answer is added to what a route declares, with the
 * header fields of `http/headers.ts` and `http/errors.ts`. Refusals are shared in `components.responses`.
 */
import type { TSchema } from "typebox";
import { STATUS_CODES } from "../../lib/node-http.ts";
import { CaveErrorAnswer } from "../../schemas/cave.ts";
import { ErrorAnswer, GrantProblem, InvalidAnswer } from "../../schemas/errors.ts";
import { inOrder } from "./openapi-names.ts";

interface Answer {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly $ref?: string;
}

interface Operation {
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly in: string }[];
  readonly requestBody?: unknown;
  readonly responses?: Readonly<Record<string, Answer>>;
}

type Operations = Readonly<Record<string, Operation>>;

/** The form of an operation's errors. */
type Form = "" | "Cave" | "Grant" | "Page";

export const HEADERS = {
  Location: { description: "Where the browser goes on", schema: { type: "string" } },
  "Retry-After": { description: "Seconds to wait before the next attempt", schema: { type: "integer" } },
  "WWW-Authenticate": { description: "The credentials that the route takes", schema: { type: "string" } },
  "X-Tiled-Request-ID": {
    description: "Names the request in the server's log",
    schema: { type: "string" },
  },
  "X-Tiled-Root": {
    description: "The address of the API that wants a credential",
    schema: { type: "string" },
  },
} as const;

type HeaderName = keyof typeof HEADERS;

const titleOf = (schema: object | undefined) => (schema as { readonly title?: string } | undefined)?.title;
const GRANT_ERROR = titleOf(GrantProblem);
const HTML = { "text/html": { schema: { type: "string" } } };

/** All operations with complete answers; `shared`: the refusals that they refer to, by name. */
export function completeAnswers(paths: Readonly<Record<string, Operations>>) {
  const shared: Record<string, Answer> = {};
  const completed = Object.entries(paths).map(([path, operations]) => [
    path,
    Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => [method, complete(method, operation, shared)]),
    ),
  ]);
  return { paths: Object.fromEntries(completed) as unknown, shared: inOrder(shared) };
}

function complete(method: string, operation: Operation, shared: Record<string, Answer>): Operation {
  const { responses = {} } = operation;
  const form = formOf(operation);
  const statuses = new Set([...Object.keys(responses).map(Number), ...refusalsOfAll(method, operation)]);
  const answers = [...statuses]
    .sort((a, b) => a - b)
    .map((status) => {
      if (status < 400) return [status, succeeded(status, responses[status] ?? {})];
      const name = `${form}${(STATUS_CODES[status] ?? "").replace(/[^A-Za-z]/g, "")}`;
      shared[name] ??= refusal(form, status);
      return [status, { $ref: `#/components/responses/${name}` }];
    });
  return { ...operation, responses: Object.fromEntries(answers) as Record<string, Answer> };
}

function formOf({ tags = [], responses = {} }: Operation): Form {
  if (tags.includes("cave")) return "Cave";
  const contents = Object.entries(responses).map(([status, { content = {} }]) => [status, content] as const);
  if (contents.some(([, content]) => titleOf(content["application/json"]?.schema) === GRANT_ERROR))
    return "Grant";
  return contents.some(([, content]) => "text/html" in content) || "307" in responses ? "Page" : "";
}

/** A header that cannot be read, a bad credential, a forged request, a body of another kind, a server that stops. */
function* refusalsOfAll(
  method: string,
  { security = [], parameters = [], requestBody, tags = [] }: Operation,
) {
  yield 400;
  if (security.length > 0) yield 401;
  if (method !== "get" && !tags.includes("cave")) yield 403;
  if (requestBody !== undefined) yield* [413, 415, 422];
  if (parameters.some((parameter) => parameter.in === "query")) yield 422;
  yield 503;
}

function succeeded(status: number, { description, content, headers }: Answer): Answer {
  const told = description === "Default Response" ? undefined : description;
  return {
    description: told ?? STATUS_CODES[status] ?? "",
    headers: {
      ...headers,
      ...fields(status >= 300 ? ["Location", "X-Tiled-Request-ID"] : ["X-Tiled-Request-ID"]),
    },
    ...(status < 300 && status !== 204 && content !== undefined && { content }),
  };
}

function refusal(form: Form, status: number): Answer {
  const json = { "application/json": { schema: bodyOf(form, status) } };
  return {
    description: STATUS_CODES[status] ?? "",
    headers: fields(fieldsOf(form, status)),
    content: form === "Page" ? { ...json, ...HTML } : json,
  };
}

function bodyOf(form: Form, status: number): TSchema {
  if (form === "Cave") return CaveErrorAnswer;
  if (form === "Grant") return GrantProblem;
  return status === 422 ? InvalidAnswer : ErrorAnswer;
}

function fieldsOf(form: Form, status: number): readonly HeaderName[] {
  if (status === 401)
    return ["WWW-Authenticate", "X-Tiled-Request-ID", ...(form === "" ? (["X-Tiled-Root"] as const) : [])];
  return status === 429 || status === 503 ? ["Retry-After", "X-Tiled-Request-ID"] : ["X-Tiled-Request-ID"];
}

function fields(names: readonly HeaderName[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
