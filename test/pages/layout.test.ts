import assert from "node:assert/strict";
import { test } from "node:test";
import { html } from "../../src/lib/html.ts";
import { ICON_ASSET, STYLE_ASSET } from "../../src/pages/assets.ts";
import { page, type Site } from "../../src/pages/layout.ts";

const SITE: Site = { title: "Tiled", logo: null, contact: null, version: "0.1.0" };

function render(site: Partial<Site>, basePath = ""): string {
  return page({ site: { ...SITE, ...site }, basePath, title: "Login", main: html`<h1>Login</h1>` }).text;
}

test("every path starts with the prefix that the server is mounted at", () => {
  const text = render({ logo: "/assets/logo.0123456789ab.png" }, "/data");
  const paths = [...text.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map((match) => match[1]);
  assert.deepEqual(paths, [
    `/data${ICON_ASSET.path}`,
    `/data${STYLE_ASSET.path}`,
    "/data/",
    "/data/assets/logo.0123456789ab.png",
  ]);
});

test("no script, no inline style, nothing from another server", () => {
  const text = render({ contact: "help@example.org" });
  assert.doesNotMatch(text, /<script|<style|style=| on\w+=|(?:src|href)="(?:https?:)?\/\//i);
});

test("a contact is a link only where it is plainly an address or an http(s) URL", () => {
  assert.match(
    render({ contact: "help@example.org" }),
    /<a href="mailto:help@example\.org">help@example\.org<\/a>/,
  );
  assert.match(render({ contact: "mailto:help@example.org" }), /<a href="mailto:help@example\.org">/);
  assert.match(
    render({ contact: "https://example.org/help?a=1&b=2" }),
    /<a href="https:\/\/example\.org\/help\?a=1&amp;b=2">/,
  );
  assert.match(render({ contact: "Room 7, phone 42" }), /<p>Contact: Room 7, phone 42<\/p>/);
  for (const contact of ["javascript:alert(1)", "data:text/html,x", "javascript:x@y"]) {
    assert.doesNotMatch(render({ contact }), /href="(javascript|data|mailto)/);
  }
});

test("what the operator writes is text, never markup", () => {
  const text = render({ title: "<b>&\"'", contact: "<img src=x>" });
  assert.match(text, /<title>Login · &lt;b&gt;&amp;&quot;&#39;<\/title>/);
  assert.doesNotMatch(text, /<b>|<img src=x>/);
});
