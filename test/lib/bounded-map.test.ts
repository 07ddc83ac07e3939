import assert from "node:assert/strict";
import { test } from "node:test";
import { setBounded } from "../../src/lib/bounded-map.ts";

test("a full map drops its oldest entry for a new one, and none for one that is there", () => {
  const map = new Map<string, number>();
  for (const [key, value] of [
    ["a", 1],
    ["b", 2],
    ["b", 3],
    ["c", 4],
  ] as const)
    setBounded(map, key, value, 2);
  assert.deepEqual(
    [...map],
    [
      ["b", 3],
      ["c", 4],
    ],
  );
});
