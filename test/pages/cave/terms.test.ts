/** The pages of CAVE's terms of service from data alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { html } from "../../../src/lib/html.ts";
import { type TermsPage, termsAcceptedPage, termsPage } from "../../../src/pages/cave/terms.ts";

const SITE = { title: "Connectome", logo: null, contact: null, version: "0.1.0" };
const EVIL = `"><script>alert('1')</script>`;

function terms(changes: Partial<TermsPage> = {}): string {
  return termsPage({
    site: SITE,
    basePath: "",
    name: "microns",
    text: "Be kind.",
    action: "/sticky_auth/api/v1/tos/2/accept",
    csrf: html`<input type="hidden" name="csrf" value="c">`,
    person: "alice",
    accepted: false,
    unticked: false,
    destination: null,
    ...changes,
  }).text;
}

test("the text stands in paragraphs, and line breaks inside them stay", () => {
  const text = terms({ text: "\r\nFirst,\r\nsecond line.\r\n \t\r\n\r\n  - a point\n\n\n" });
  assert.match(text, /<p>First,\nsecond line\.<\/p>\n<p> {2}- a point<\/p>\n<\/section>/);
});

test("the form has a box that is not ticked, and the field against forgery", () => {
  const text = terms();
  assert.match(text, /<form method="post" action="\/sticky_auth\/api\/v1\/tos\/2\/accept">.*name="csrf"/);
  assert.match(text, /<input type="checkbox" name="tos_agree" value="true" required>/);
  assert.doesNotMatch(text, /role="alert"/);
});

test("a form without a tick asks for it", () => {
  assert.match(terms({ unticked: true }), /role="alert">Tick the box/);
});

test("terms that are accepted already need no tick", () => {
  const text = terms({ accepted: true });
  assert.match(text, /You have accepted these terms already\./);
  assert.match(text, /<input type="hidden" name="tos_agree" value="true">/);
});

test("the page names the host that it leads to", () => {
  assert.match(
    terms({ destination: "pcg.example.org" }),
    /continue to <strong>pcg\.example\.org<\/strong>, which can work as you/,
  );
});

test("names and texts stay text", () => {
  const evil = { name: EVIL, text: EVIL, person: EVIL, destination: EVIL };
  const thanks = termsAcceptedPage({ site: SITE, basePath: "", name: EVIL, toldOrigins: [EVIL] }).text;
  for (const text of [terms(evil), thanks]) assert.ok(!text.includes("<script>"), text);
});

test("a viewer that opened a popup is told of the acceptance by a script, other pages have none", () => {
  const at = { site: SITE, basePath: "/sticky_auth", name: "microns" };
  const text = termsAcceptedPage({ ...at, toldOrigins: ["https://viewer.example"] }).text;
  assert.ok(
    text.includes('id="handover">{"message":"success","origins":["https://viewer.example"]}</script>'),
  );
  assert.match(text, /<script src="\/sticky_auth\/assets\//);
  assert.doesNotMatch(termsAcceptedPage({ ...at, toldOrigins: null }).text, /<script/);
});
