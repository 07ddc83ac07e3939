import assert from "node:assert/strict";
import { test } from "node:test";
import { parseForm, problemsOf } from "../../src/http/validation.ts";

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
