import assert from "node:assert/strict";
import { test } from "node:test";
import { Recent } from "../../../src/trees/files/recent.ts";

test("the least recently used values are evicted first, by weight", () => {
  const recent = new Recent<number>(10);
  recent.set("a", 1, 4);
  recent.set("b", 2, 4);
  assert.equal(recent.get("a"), 1);
  recent.set("c", 3, 4);
  assert.deepEqual([recent.get("a"), recent.get("b"), recent.get("c")], [1, undefined, 3]);
  recent.set("a", 5, 1);
  recent.set("d", 4, 5);
  assert.deepEqual([recent.get("a"), recent.get("c"), recent.get("d")], [5, 3, 4]);
  recent.set("e", 6, 100);
  assert.deepEqual([recent.get("a"), recent.get("d"), recent.get("e")], [undefined, undefined, 6]);
  recent.delete("e");
  recent.delete("e");
  recent.set("f", 7, 10);
  assert.equal(recent.get("f"), 7);
});
