/** JSON in a script element: it stays data, whatever is in it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { handOverPage, scriptJson } from "../../../src/pages/cave/hand-over.ts";

test("no text ends the script element, and every text comes back as it was", () => {
  for (const text of [
    "</script>",
    "<!--<script>",
    "]]>",
    "&lt;",
    "\u2028\u2029",
    '"\\',
    "é\u{1f512}",
    "__proto__",
  ]) {
    const json = scriptJson({ [text]: [text] }).text;
    assert.doesNotMatch(json, /[<>&\u2028\u2029]/);
    assert.deepEqual(JSON.parse(json), { [text]: [text] });
  }
});

test("the page has one block of data and one script of ours, and names the person as text", () => {
  const page = handOverPage({
    site: { title: "Tiled", logo: null, contact: null, version: "0" },
    basePath: "/sticky_auth",
    tokensHref: "https://cave.example.org/sticky_auth/settings/tokens",
    person: "<script>alert(1)</script>",
    message: { token: "0123456789abcdef0123456789abcdef", app_urls: ["https://a.example</script>"] },
    origins: ["https://a.example"],
  }).text;
  assert.equal(page.match(/<script/g)?.length, 2);
  assert.equal(page.match(/<\/script>/g)?.length, 2);
  assert.match(page, /&lt;script&gt;alert/);
  assert.doesNotMatch(page, / on[a-z]+=|style=/);
});
