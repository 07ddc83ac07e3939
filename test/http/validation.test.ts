import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parseForm, problemsOf } from "../../src/http/validation.ts";
import { bearer, testApp } from "../support/app.ts";

test("problems say where and what, and never what was sent", () => {
  const problems = problemsOf(
    [
      { keyword: "required", instancePath: "", params: { missingProperty: "scopes" } },
      { keyword: "type", instancePath: "/scopes", params: { type: ["array", "null"] } },
      { keyword: "type", instancePath: "/items/0/a~1b", params: { type: "string" } },
      { keyword: "maximum", instancePath: "/page[limit]", params: { limit: 300 } },
    ],
    "querystring",
  );
  assert.deepEqual(
    problems.map(({ type, loc }) => [type, loc]),
    [
      ["missing", ["query", "scopes"]],
      ["list_type", ["query", "scopes"]],
      ["string_type", ["query", "items", 0, "a/b"]],
      ["less_than_equal", ["query", "page[limit]"]],
    ],
  );
});

test("a form's fields are decoded; one that is given twice is refused, by its name only", () => {
  assert.deepEqual(
    { ...parseForm("username=al%C3%AFce&password=a+b%26") },
    { username: "al\u00efce", password: "a b&" },
  );
  assert.deepEqual({ ...parseForm("username=%ff") }, { username: "\ufffd" });
  assert.throws(
    () => parseForm("password=one&password=two"),
    (error: Error) => {
      assert.match(error.message, /'password' is given twice/);
      assert.doesNotMatch(error.message, /one|two/);
      return true;
    },
  );
});

test("a form cannot reach an object's prototype", () => {
  const form = parseForm("__proto__=x&constructor=y");
  assert.equal(Object.getPrototypeOf(form), null);
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
});

test("each route's schema is one, although it is compiled for the first request only", async () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  let looked = 0;
  await using t = await testApp({
    upstreams: [{}],
    beforeReady: (app) =>
      app.setValidatorCompiler(({ schema }) => {
        ajv.compile(schema as Record<string, unknown>);
        looked += 1;
        return () => true;
      }),
  });
  assert.equal((await t.app.inject("/healthz")).statusCode, 200);
  assert.ok(looked > 20, String(looked));
});

test("a request without a body is answered like one with an empty one, by every route", async () => {
  await using t = await testApp();
  const posts = pathsOf(t.app.printRoutes({ commonPrefix: false }), "POST");
  assert.ok(posts.includes("/login") && posts.includes("/account/keys"), posts.join(" "));
  const { access_token } = await t.login("alice");
  const FORM = { "content-type": "application/x-www-form-urlencoded" };
  for (const url of posts) {
    for (const headers of [{}, { "content-length": "0" }, FORM, { ...bearer(access_token) }]) {
      const { statusCode } = await t.call({ method: "POST", url, headers });
      assert.ok(statusCode < 500, `${url} ${JSON.stringify(Object.keys(headers))}: ${statusCode}`);
    }
  }
  const login = { method: "POST", url: "/login" } as const;
  assert.equal((await t.call(login)).statusCode, 403);
  assert.equal((await t.call({ ...login, headers: FORM, payload: "" })).statusCode, 403);
});

/** Of the tree of all routes, which Fastify draws with four columns for each level. */
function pathsOf(tree: string, method: string): string[] {
  const above: string[] = [];
  const paths: string[] = [];
  for (const [, indent = "", part = "", methods = ""] of tree.matchAll(/^(.*?)── (\S+)(?: \((.*)\))?/gm)) {
    above.length = Math.floor(indent.length / 4);
    above.push(part);
    if (methods.split(", ").includes(method)) paths.push(above.join("").replaceAll("//", "/"));
  }
  return paths;
}
