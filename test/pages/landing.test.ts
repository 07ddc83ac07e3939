import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccessMode, accessMode, landingPage } from "../../src/pages/landing.ts";

const SITE = { title: "Tiled", logo: null, contact: null, version: "0.1.0" };

function render(
  mode: AccessMode,
  options: { baseUrl?: string; basePath?: string; providers?: readonly string[]; writable?: boolean } = {},
): string {
  const { baseUrl = "http://127.0.0.1:8000", basePath = "", providers = [], writable = true } = options;
  return landingPage({
    site: SITE,
    baseUrl,
    basePath,
    mode,
    writable,
    providers,
    loggedIn: false,
    keyRefused: false,
  }).text;
}

test("the mode follows from the providers and from whether visitors may read", () => {
  assert.equal(accessMode(0, false), "single-user");
  assert.equal(accessMode(0, true), "public");
  assert.equal(accessMode(1, false), "private");
  assert.equal(accessMode(2, true), "mixed");
});

test("the Python lines fit the mode", () => {
  const uri = "from_uri(&quot;http://127.0.0.1:8000&quot;";
  assert.ok(render("single-user").includes(`c = ${uri}, api_key=&quot;THE KEY&quot;)`));
  for (const mode of ["public", "private", "mixed"] as const)
    assert.ok(render(mode).includes(`c = ${uri})`), mode);
  // The client asks by itself where a login is required, and not where it is not.
  for (const mode of ["single-user", "public", "private"] as const)
    assert.ok(!render(mode).includes("c.login()"), mode);
  assert.ok(render("mixed").includes("c.login()"));
});

test("the access is said in plain words", () => {
  assert.match(render("private"), /<dd>Anyone logged in, for the data they have access to<\/dd>/);
  assert.match(
    render("mixed"),
    /<dd>Anyone for public data; anyone logged in for the data they have access to<\/dd>/,
  );
  assert.match(render("public"), /<dd>Anyone, without a login<\/dd>/);
});

test("every provider is named, and nothing is said of logins where there are none", () => {
  const text = render("private", { providers: ["institute", "orcid"] });
  assert.match(text, /<li><code>institute<\/code><\/li><li><code>orcid<\/code><\/li>/);
  for (const mode of ["single-user", "public"] as const)
    assert.doesNotMatch(render(mode), /Log in with|logout/);
});

test("the address and every path are those that the browser used", () => {
  const text = render("private", { baseUrl: "https://tiled.example.org/data", basePath: "/data" });
  assert.match(text, /<code>https:\/\/tiled\.example\.org\/data<\/code>/);
  for (const path of ["docs", "openapi.json", "api/v1/"])
    assert.ok(text.includes(`href="/data/${path}"`), path);
});

test("a host name cannot break out of the page or of the Python string", () => {
  const text = render("mixed", { baseUrl: 'http://a"<script>' });
  assert.doesNotMatch(text, /<script>|a"/);
});

test("nothing is said of writing where everything is read-only", () => {
  for (const mode of ["single-user", "public", "private", "mixed"] as const) {
    assert.match(render(mode), /Write/);
    assert.doesNotMatch(render(mode, { writable: false }), /[Ww]rit/);
  }
});
