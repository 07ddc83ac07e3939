import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILURES, type FailureCode } from "../../src/errors.ts";
import { loginFailed } from "../../src/pages/external.ts";

const SITE = { title: "Tiled", logo: null, contact: "help@example.org", version: "1" };

test("every failure has a page that says what to do next, with the request's id and whom to ask", () => {
  for (const [code, [status]] of Object.entries(FAILURES)) {
    for (const begun of ["program", "browser"] as const) {
      const { text } = loginFailed({
        site: SITE,
        basePath: "",
        provider: "orcid",
        begun,
        code: code as FailureCode,
        status,
        requestId: "0123456789abcdef",
      });
      assert.match(text, /again|ask the operator/, code);
      assert.ok(text.includes("0123456789abcdef"), code);
      assert.ok(text.includes("mailto:help@example.org"), code);
      assert.ok(!/undefined|\[object/.test(text), code);
    }
  }
});

test("where to begin again depends on where the login began", () => {
  const words = (begun: "program" | "browser") =>
    loginFailed({
      site: SITE,
      basePath: "",
      provider: "orcid",
      begun,
      code: "provider_invalid",
      status: 401,
      requestId: "x",
    }).text;
  assert.match(words("program"), /start the login again in your program/);
  assert.match(words("browser"), /go back to where you began/);
});

test("what comes from outside is shown as text", () => {
  const failure = { site: SITE, basePath: "", begun: "browser", code: "bad_gateway", status: 502 } as const;
  const { text } = loginFailed({ ...failure, provider: "<script>", requestId: "<script>" });
  assert.ok(!text.includes("<script>"));
});
