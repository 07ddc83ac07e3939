import assert from "node:assert/strict";
import { test } from "node:test";
import { printable, printableJson } from "../../src/lib/printable.ts";

test("foreign text cannot move the cursor, break the line or change the reading direction", () => {
  assert.equal(printable("alice"), "alice");
  assert.equal(printable("Ünï 測試 🙂"), "Ünï 測試 🙂");
  assert.equal(printable("a\u001b[2Jb\n\u009bc"), "a\\u{1b}[2Jb\\u{a}\\u{9b}c");
  assert.equal(printable("\u202Ebob\u2028\uFEFF\uD800"), "\\u{202e}bob\\u{2028}\\u{feff}\\u{d800}");
});

test("nor can it as JSON, which means the same and keeps its lines", () => {
  const texts = [
    "alice",
    "Ünï 測試 🙂",
    "\u007f\u0080\u009b31m\u009d0;owned\u009c\u009f",
    "\\\u009b\\n\n",
    "\u202Ebob\u202C\u2066\u2069\u200F\u2028\u2029\uFEFF\u00AD",
    "\u{E0041}\u{F0000}\uE000\uFFFF\u{10FFFF}",
    "\uD800",
  ];
  for (const json of [
    JSON.stringify(texts),
    JSON.stringify({ "\u009b": texts }, null, 2),
    `"a"\n"\u009b"\n`,
  ]) {
    const shown = printableJson(json);
    assert.equal(printable(shown.replaceAll("\n", "")), shown.replaceAll("\n", ""));
    assert.deepEqual(shown.trim().split("\n").length, json.trim().split("\n").length);
    if (!json.endsWith("\n")) assert.deepEqual(JSON.parse(shown), JSON.parse(json));
  }
  assert.equal(printableJson('"\u009b\u{E0041}Ü🙂"'), '"\\u009b\\udb40\\udc41Ü🙂"');
});
