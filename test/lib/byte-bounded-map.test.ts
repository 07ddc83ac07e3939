import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteBoundedMap } from "../../src/lib/byte-bounded-map.ts";

/** Each entry counts 100 bytes more than its size. */
const ROOM_FOR_TWO = 2 * (100 + 50);

function kept(map: ByteBoundedMap<string, number>) {
  return ["a", "b", "c", "d"].filter((key) => map.get(key) !== undefined).join("");
}

test("the oldest entries go when all take more than the bound; a large one makes more of them go", () => {
  const map = new ByteBoundedMap<string, number>(ROOM_FOR_TWO);
  for (const key of ["a", "b", "c"]) map.set(key, 1, 50);
  assert.equal(kept(map), "bc");
  map.set("d", 1, 150);
  assert.equal(kept(map), "d");
});

test("a replaced or deleted entry makes room, and one larger than the bound is not kept", () => {
  const map = new ByteBoundedMap<string, number>(ROOM_FOR_TWO);
  for (const value of [1, 2, 3]) map.set("a", value, 50);
  map.set("b", 1, 50);
  assert.deepEqual([map.get("a"), kept(map)], [3, "ab"]);
  map.delete("a");
  map.set("c", 1, 50);
  assert.equal(kept(map), "bc");
  map.set("c", 1, 201);
  assert.equal(kept(map), "b");
});
