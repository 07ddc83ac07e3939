import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILURES, type FailureCode } from "../../src/errors.ts";
import { type Begun, loginFailed } from "../../src/pages/external.ts";

const SITE = { title: "Tiled", logo: null, contact: "help@example.org", version: "1" };

test("every failure has a page that says what to do next, with the request's id and whom to ask", () => {
  for (const [code, { status }] of Object.entries(FAILURES)) {
    for (const begun of ["program", "browser", "page", "account"] as const) {
      const { text } = loginFailed({
        site: SITE,
        basePath: "",
        provider: "orcid",
        begun,
        onward: null,
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

test("where to begin again depends on where the login began; our own pages lead there", () => {
  const words = (begun: Begun, onward: string | null = null) =>
    loginFailed({
      site: SITE,
      basePath: "",
      provider: "orcid",
      begun,
      onward,
      code: "provider_invalid",
      status: 401,
      requestId: "x",
    }).text;
  assert.match(words("program"), /start the login again in your program/);
  assert.match(words("browser"), /go back to where you started/);
  assert.ok(!words("browser").includes('class="button"'));
  assert.match(words("page", "/login?next=%2Fx"), /href="\/login\?next=%2Fx">Log in again</);
  assert.match(words("account", "/account"), /nothing was added.*href="\/account">Back to your account</s);
});

test("what comes from outside is shown as text", () => {
  const failure = { site: SITE, basePath: "", begun: "page", code: "bad_gateway", status: 502 } as const;
  const { text } = loginFailed({
    ...failure,
    provider: "<script>",
    requestId: "<script>",
    onward: '"><script>',
  });
  assert.ok(!text.includes("<script>"));
});
