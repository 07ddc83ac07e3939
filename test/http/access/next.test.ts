import assert from "node:assert/strict";
import { test } from "node:test";
import { readNext } from "../../../src/http/access/next.ts";

const RULES = { base: "https://tiled.example.org", hosts: ["data.example.org", "data.example.org:8443"] };
const to = (text: string, rules = RULES) => readNext(text, rules)?.href ?? null;

test("paths of this server are where a login leads", () => {
  const own = "https://tiled.example.org";
  assert.equal(to("/"), `${own}/`);
  assert.equal(to("/account?a=1&b=%2F#keys"), `${own}/account?a=1&b=%2F#keys`);
  assert.equal(to("/ui/browse//x"), `${own}/ui/browse//x`);
  assert.equal(to(`${own}/account`), `${own}/account`);
});

test("hosts that the operator names are, with their port, and no less safe than we are", () => {
  assert.equal(to("https://data.example.org/x?y=1"), "https://data.example.org/x?y=1");
  assert.equal(to("https://DATA.example.org/"), "https://data.example.org/");
  assert.equal(to("https://data.example.org:443/"), "https://data.example.org/");
  assert.equal(to("https://data.example.org:8443/"), "https://data.example.org:8443/");
  assert.equal(to("https://data.example.org:9999/"), null);
  assert.equal(to("http://data.example.org/"), null);
  const plain = { base: "http://tiled.lan:8000", hosts: ["data.lan:80"] };
  assert.equal(to("http://data.lan/", plain), "http://data.lan/");
  assert.equal(to("http://tiled.lan/", plain), null);
});

test("nothing else is: strangers, in every spelling that a browser might follow", () => {
  const strangers = [
    "",
    "evil.example",
    "account",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "//evil.example/%2f..",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https://evil.example",
    "https://evil.example/?https://tiled.example.org",
    "https://tiled.example.org.evil.example",
    "https://tiled.example.org@evil.example",
    "https://tiled.example.org:x@evil.example/",
    "https://someone@tiled.example.org/",
    "https://tiled.example.org\\.evil.example",
    "https://evil.example\\@tiled.example.org",
    "https://evil.example#@tiled.example.org",
    "https://data.example.org.evil.example/",
    "http://tiled.example.org/",
    "javascript:alert(1)",
    "data:text/html,x",
    "%2f%2fevil.example",
    "/%2f%2fevil.example",
    "/%2Fevil.example",
    "/%5cevil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%2e%2e//evil.example",
    "/\u0000/evil.example",
    "/\u2028evil.example",
    "\uff0f\uff0fevil.example",
    `/${"a".repeat(2048)}`,
  ];
  for (const text of strangers) assert.equal(to(text), null, JSON.stringify(text));
  assert.equal(readNext(undefined, RULES), null);
  assert.equal(readNext(null, RULES), null);
});

test("below a prefix only its own paths are ours", () => {
  const rules = { base: "https://example.org/data", hosts: [] };
  assert.equal(to("/data/account", rules), "https://example.org/data/account");
  assert.equal(to("/data", rules), "https://example.org/data");
  assert.equal(to("/account", rules), null);
  assert.equal(to("/database", rules), null);
  assert.equal(to("/data/../wiki", rules), null);
});
