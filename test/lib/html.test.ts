import assert from "node:assert/strict";
import { test } from "node:test";
import { html } from "../../src/lib/html.ts";

test("values are escaped, also in attributes and in lists", () => {
  const evil = `"><script>alert('1')</script>&`;
  const page = html`<a href="${evil}">${[evil, html`<b>${evil}</b>`]}</a>`.text;
  assert.doesNotMatch(page, /<script/);
  assert.equal(page.match(/&quot;&gt;&lt;script&gt;alert\(&#39;1&#39;\)&lt;\/script&gt;&amp;/g)?.length, 3);
  assert.match(page, /<b>/);
});

test("nothing is shown for null, undefined and false; numbers are", () => {
  assert.equal(html`${null}${undefined}${false}${0}`.text, "0");
});
