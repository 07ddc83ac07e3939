import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApiDocument, docsPage, type Operation, withoutReferences } from "../../src/pages/docs.ts";
import { fieldsOf, schemaText } from "../../src/pages/docs-schema.ts";

const SITE = { title: "Tiled", logo: null, contact: null, version: "1.2.3" };

function pageOf(paths: NonNullable<ApiDocument["paths"]>, basePath = ""): string {
  return docsPage({ site: SITE, basePath, document: { info: { title: "Tiled", version: "1" }, paths } }).text;
}

function routeOf(operation: Operation, path = "/thing"): string {
  const text = pageOf({ [path]: { get: operation } });
  const start = text.indexOf("<details>");
  return text.slice(start, text.indexOf("</details>"));
}

test("routes stand in the groups of their tags, in the order of the document", () => {
  const text = pageOf(
    {
      "/b": {
        post: { tags: ["api key"], summary: "Make" },
        delete: { tags: ["api key"], summary: "Revoke" },
      },
      "/a": { get: { tags: ["tree"], summary: "Read" } },
      "/none": { get: { summary: "Untagged" } },
    },
    "/prefix",
  );
  const positions = [
    ">API key</h2>",
    "POST /b",
    "DELETE /b",
    ">Tree</h2>",
    "GET /a",
    ">Other</h2>",
    "GET /none",
  ].map((part) => text.indexOf(part));
  assert.ok(
    positions.every((position) => position > 0),
    String(positions),
  );
  assert.deepEqual(
    positions.toSorted((left, right) => left - right),
    positions,
  );
  for (const [, id] of text.matchAll(/href="#([^"]+)"/g)) {
    assert.equal(text.split(`id="${id}"`).length, 2, id);
  }
  assert.match(text, /href="\/prefix\/openapi.json"/);
});

test("no script, no inline style, and what a schema says is text", () => {
  const evil = `<script>alert(1)</script>"'&`;
  const operation: Operation = {
    tags: [evil],
    summary: evil,
    description: evil,
    parameters: [{ name: evil, in: "query", description: evil, schema: { type: evil, default: evil } }],
    requestBody: { content: { [evil]: { schema: { properties: { [evil]: { enum: [evil, 1] } } } } } },
    responses: { 200: { description: evil, content: { [evil]: { schema: { const: evil } } } }, [evil]: {} },
    "x-access": [evil],
  };
  const text = pageOf({ [evil]: { get: operation } });
  assert.doesNotMatch(text, /<script|<style|style=|onload|javascript:/);
  assert.equal(text.split("&lt;script&gt;").length - 1 > 12, true);
});

test("who may use a route is said in words", () => {
  for (const [access, said] of [
    [undefined, "Anyone"],
    ["optional", "Anyone; a credential that is sent must be valid"],
    ["api_key", "Anyone with an API key"],
    [[], "Anyone logged in or with an API key"],
    [["metrics"], "Anyone with the scope <code>metrics</code>"],
    [["read:data", "metrics"], "Anyone with the scopes <code>read:data</code>, <code>metrics</code>"],
  ] as const) {
    const route = routeOf(access === undefined ? {} : { "x-access": access });
    assert.ok(route.includes(`<dt>Who</dt><dd>${said}</dd>`), route);
  }
});

test("parameters, body and answers are told, refusals by their name", () => {
  const schema = {
    type: "object",
    required: ["a"],
    properties: { a: { type: "string" }, b: { type: "boolean" } },
  };
  const content = { "application/json": { schema } };
  const route = routeOf(
    {
      parameters: [
        { name: "*", in: "path", required: true, schema: { type: "string" } },
        {
          name: "page[limit]",
          in: "query",
          schema: { type: "integer", minimum: 0, maximum: 300, default: 100 },
        },
        { name: "key", in: "query", required: true, description: "As in `a.b`.", schema: { type: "string" } },
      ],
      requestBody: { content },
      responses: {
        200: { description: "Default Response", content },
        204: { description: "Default Response", content: { "application/json": { schema: {} } } },
        404: { description: "Default Response", content },
      },
    },
    "/thing/{*}",
  );
  for (const part of [
    "GET /thing/{path}",
    "<li><code>path</code> in the path</li>",
    "<li><code>page[limit]</code> integer, 0 to 300. Default: <code>100</code></li>",
    "<li><code>key</code> string, required. As in <code>a.b</code></li>",
    "<dt>Body</dt><dd><code>application/json</code>: object<ul>\n<li><code>a</code> string, required</li>\n<li><code>b</code> boolean, optional</li>",
    "<dt>200</dt><dd>OK; <code>application/json</code>: object<ul>\n<li><code>a</code> string</li>",
    "<dt>204</dt><dd>No Content</dd>",
    "<dt>404</dt><dd>Not Found</dd>",
  ]) {
    assert.ok(route.includes(part), part);
  }
});

test("several media types of one answer are told apart", () => {
  const bytes = { schema: { type: "string", format: "binary" } };
  const route = routeOf({
    responses: { 200: { description: "Data", content: { "text/csv": bytes, "image/tiff": bytes } } },
  });
  const told = "Data; <code>text/csv</code>: binary; <code>image/tiff</code>: binary</dd>";
  assert.ok(route.includes(told), route);
});

test("what a reference names is shown in its place, also within itself once", () => {
  const named = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  const document = {
    info: { title: "Tiled", version: "1" },
    paths: {
      "/a": { get: { responses: { 200: { content: { "application/json": { schema: named("Node") } } } } } },
    },
    components: {
      schemas: {
        Node: {
          type: "object",
          properties: { key: named("Key"), parent: named("Node"), none: named("None") },
        },
        Key: { type: "string", minLength: 1 },
      },
    },
  };
  const { paths = {} } = withoutReferences(document);
  const content = paths["/a"]?.["get"]?.responses?.["200"]?.content;
  assert.deepEqual(content?.["application/json"]?.schema, {
    type: "object",
    properties: { key: { type: "string", minLength: 1 }, parent: named("Node"), none: {} },
  });
});

test("schemas are put in words", () => {
  const user = { const: "user" };
  for (const [schema, text] of [
    [{}, "anything"],
    [{ type: "integer", minimum: 1 }, "integer, at least 1"],
    [{ type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, "integer, at least 0"],
    [{ type: ["array", "null"], items: { type: "string" } }, "list of string or null"],
    [{ type: "string", maxLength: 255 }, "string, at most 255 characters"],
    [{ type: "string", minLength: 1 }, "string, not empty"],
    [{ type: "string", format: "date-time" }, "date-time"],
    [{ enum: ["a", 2] }, 'one of "a", 2'],
    [{ enum: ["a"] }, '"a"'],
    [{ anyOf: [user, { const: "service" }, { type: "null" }] }, '"user" or "service" or null'],
    [{ allOf: [{}] }, "object"],
    [{ $ref: "#/components/schemas/Key" }, "Key"],
  ] as const) {
    assert.equal(schemaText(schema), text);
  }
});

test("fields are named by where they are, and no deeper than can be read", () => {
  const names = (schema: Parameters<typeof fieldsOf>[0]) => fieldsOf(schema).map(({ name }) => name);
  const item = { properties: { id: {}, more: { anyOf: [{ properties: { x: {} } }, { type: "null" }] } } };
  assert.deepEqual(names({ properties: { list: { items: item } } }), [
    "list",
    "list[].id",
    "list[].more",
    "list[].more.x",
  ]);
  assert.deepEqual(names({ items: item })[0], "[].id");
  assert.deepEqual(names({ allOf: [{ properties: { a: {} } }, { properties: { b: {} } }] }), ["a", "b"]);
  assert.deepEqual(names({ anyOf: [{ properties: { a: {} } }, { properties: { b: {} } }] }), []);
  const endless: { properties: Record<string, unknown> } = { properties: {} };
  endless.properties["x"] = endless;
  assert.deepEqual(names(endless as never), ["x", "x.x", "x.x.x", "x.x.x.x"]);
});
