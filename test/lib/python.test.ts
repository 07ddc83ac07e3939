import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonList, pythonString, pythonTuple } from "../../src/lib/python.ts";

test("texts are quoted as Python's repr quotes them", () => {
  for (const [text, expected] of [
    ["nope", "'nope'"],
    ["", "''"],
    ["it's", `"it's"`],
    [`it's "x"`, `'it\\'s "x"'`],
    [`"x"`, `'"x"'`],
    ["a\\b", "'a\\\\b'"],
    ["\n\r\t\x00\x7f", "'\\n\\r\\t\\x00\\x7f'"],
    ["\u00a0\u00ad\u2028", "'\\xa0\\xad\\u2028'"],
    ["\u00e9 \u{1f600}", "'\u00e9 \u{1f600}'"],
    ["\u{e0001}", "'\\U000e0001'"],
  ] as const) {
    assert.equal(pythonString(text), expected);
  }
  assert.equal(pythonList(["A", "x"]), "['A', 'x']");
  assert.equal(pythonList([]), "[]");
});

test("a tuple of one keeps its comma", () => {
  assert.equal(pythonTuple([]), "()");
  assert.equal(pythonTuple([3]), "(3,)");
  assert.equal(pythonTuple([100, 100]), "(100, 100)");
});
