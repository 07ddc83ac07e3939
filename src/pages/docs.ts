/**
 * The API documentation: every route that the OpenAPI document describes, grouped by its tag, as one page that can be read
 * and searched without a script. `/openapi.json` has the same for programs.
 */
import { type Html, html } from "../lib/html.ts";
import { STATUS_CODES } from "../lib/node-http.ts";
import { fieldsOf, note, type Schema, schemaText } from "./docs-schema.ts";
import { page, type Site } from "./layout.ts";

interface Content {
  readonly [mediaType: string]: { readonly schema?: Schema };
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

export interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Content };
  readonly responses?: Readonly<
    Record<string, { readonly description?: string; readonly content?: Content }>
  >;
  /** Absent: public. */
  readonly "x-access"?: string | readonly string[];
}

/** The parts of an OpenAPI document that the page shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** With what its references name in their place, since the page lists all fields of a body. */
export function withoutReferences(document: ApiDocument): ApiDocument {
  const visit = (part: unknown, above: readonly string[]): unknown => {
    if (Array.isArray(part)) return part.map((item) => visit(item, above));
    if (typeof part !== "object" || part === null) return part;
    const { $ref, ...rest } = part as { readonly $ref?: unknown };
    if (typeof $ref !== "string" || above.includes($ref))
      return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, visit(item, above)]));
    const named = $ref.split("/").slice(1).reduce<unknown>(fieldOf, document);
    return visit({ ...rest, ...Object(named) }, [...above, $ref]);
  };
  return { ...document, paths: visit(document.paths, []) as NonNullable<ApiDocument["paths"]> };
}

function fieldOf(value: unknown, name: string): unknown {
  return (Object(value) as Readonly<Record<string, unknown>>)[name];
}

export interface Docs {
  readonly site: Site;
  /** "" or "/prefix": the path of the server's root. */
  readonly basePath: string;
  readonly document: ApiDocument;
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export function docsPage({ site, basePath, document }: Docs): Html {
  const groups = grouped(document);
  return page({
    site,
    basePath,
    title: "API documentation",
    main: html`<h1>API documentation</h1>
<p class="lede">The HTTP API of this server. Python users do not need it: the Tiled client makes these requests for them.</p>
<section aria-labelledby="basics">
<h2 id="basics">Basics</h2>
<p>Send an API key as <code>Authorization: Apikey SECRET</code>, an access token as <code>Authorization: Bearer TOKEN</code>.</p>
<p>Answers are JSON, or msgpack if <code>Accept</code> is <code>application/x-msgpack</code>. An error gives its reason in <code>detail</code>.</p>
<ul class="links">
${[...groups.keys()].map((tag) => html`<li><a href="#${anchor(tag)}">${groupTitle(tag)}</a></li>\n`)}<li><a href="${basePath}/openapi.json">OpenAPI description</a></li>
</ul>
</section>
${[...groups].map(
  ([tag, routes]) => html`<section aria-labelledby="${anchor(tag)}">
<h2 id="${anchor(tag)}">${groupTitle(tag)}</h2>
${routes.map(routeDetails)}</section>
`,
)}`,
  });
}

const METHODS = ["get", "post", "put", "patch", "delete"];

function grouped({ paths = {} }: ApiDocument): ReadonlyMap<string, readonly Route[]> {
  const groups = new Map<string, Route[]>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of METHODS) {
      const operation = operations[method];
      if (operation === undefined) continue;
      const tag = operation.tags?.[0] ?? "other";
      groups.set(tag, [
        ...(groups.get(tag) ?? []),
        { method: method.toUpperCase(), path: readable(path), operation },
      ]);
    }
  }
  return groups;
}

/** Fastify's wildcard at the end of a path. */
const REST = "*";

function readable(path: string): string {
  return path.replace(`{${REST}}`, "{path}");
}

function anchor(tag: string): string {
  return `group-${tag.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
}

function groupTitle(tag: string): string {
  return (tag.charAt(0).toUpperCase() + tag.slice(1)).replace(/^Api\b/, "API");
}

function routeDetails({ method, path, operation }: Route): Html {
  const { summary, description, parameters = [], requestBody, responses = {} } = operation;
  return html`<details>
<summary><code>${method} ${path}</code> ${summary}</summary>
${description !== undefined && html`<p>${description}</p>\n`}<dl class="facts">
<dt>Who</dt><dd>${accessText(operation["x-access"])}</dd>
${parameters.length > 0 && html`<dt>Parameters</dt><dd>${parameterList(parameters)}</dd>\n`}${requestBody !== undefined && html`<dt>Body</dt><dd>${contentText(requestBody.content ?? {}, true)}</dd>\n`}${Object.entries(
  responses,
).map(
  ([status, response]) =>
    html`<dt>${status}</dt><dd>${answerText(status, response.description, response.content)}</dd>\n`,
)}</dl>
</details>
`;
}

function accessText(access: Operation["x-access"]): Html {
  if (access === undefined) return html`Anyone`;
  if (access === "optional") return html`Anyone; a credential that is sent must be valid`;
  if (access === "api_key") return html`Anyone with an API key`;
  if (access === "session") return html`Anyone logged in, by access token`;
  if (typeof access === "string" || access.length === 0) return html`Anyone logged in or with an API key`;
  return html`Anyone with the scope${access.length > 1 && "s"} ${access.map((scope, index) => html`${index > 0 && ", "}<code>${scope}</code>`)}`;
}

function parameterList(parameters: readonly Parameter[]): Html {
  return html`<ul>${parameters.map(({ name, in: place, required, description, schema = {} }) => {
    const text = description ?? schema.description;
    const told = text === undefined ? schema : { ...schema, description: text };
    return html`
<li><code>${name === REST ? "path" : name}</code> ${place === "path" ? "in the path" : schemaText(schema)}${required && place !== "path" && ", required"}${note(told)}</li>`;
  })}
</ul>`;
}

/** Contents with a schema; empty schemas are left out. */
function contentText(content: Content, sent: boolean): Html | null {
  const described = Object.entries(content).filter(([, { schema }]) => Object.keys(schema ?? {}).length > 0);
  if (described.length === 0) return null;
  return html`${described.map(
    ([mediaType, { schema = {} }], index) =>
      html`${index > 0 && "; "}<code>${mediaType}</code>: ${schemaText(schema)}${note(schema)}${fieldList(schema, sent)}`,
  )}`;
}

/** Answers have all their fields; requests may leave some out. */
function fieldList(schema: Schema, sent: boolean): Html | null {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return null;
  return html`<ul>${fields.map(
    ({ name, schema, required }) => html`
<li><code>${name}</code> ${schemaText(schema)}${sent && (required ? ", required" : ", optional")}${note(schema)}</li>`,
  )}
</ul>`;
}

/** Errors all look alike, so their names are enough. */
function answerText(status: string, description: string | undefined, content: Content | undefined): Html {
  const told =
    description === undefined || description === "Default Response" ? STATUS_CODES[status] : description;
  if (content === undefined || !status.startsWith("2")) return html`${told}`;
  const body = contentText(content, false);
  return html`${told}${body !== null && html`; ${body}`}`;
}
