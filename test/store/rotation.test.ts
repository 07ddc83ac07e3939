import assert from "node:assert/strict";
import { test } from "node:test";
import { decideRotation } from "../../src/store/rotation.ts";

const known = { generation: 3, exchanged: "t2" };

for (const [what, presented, decision] of [
  [
    "the newest generation, any token of it",
    { generation: 3, tokenId: "x" },
    { kind: "exchange", generation: 4 },
  ],
  [
    "the generation before, the exchanged token",
    { generation: 2, tokenId: "t2" },
    { kind: "retry", generation: 3 },
  ],
  ["the generation before, another token", { generation: 2, tokenId: "x" }, { kind: "reuse" }],
  ["an older generation, even with the remembered id", { generation: 1, tokenId: "t2" }, { kind: "reuse" }],
  ["a generation to come", { generation: 4, tokenId: "t2" }, { kind: "reuse" }],
  [
    "a token of the real Tiled, whose session was rotated",
    { generation: null, tokenId: "x" },
    { kind: "reuse" },
  ],
] as const) {
  test(`${what}: ${decision.kind}`, () => {
    assert.deepEqual(decideRotation(known, presented, true), decision);
  });
  test(`${what}, without rotation: kept`, () => {
    assert.deepEqual(decideRotation(known, presented, false), { kind: "keep", generation: 3 });
  });
}

test("a session without a row is at generation 0", () => {
  assert.deepEqual(decideRotation(undefined, { generation: 0, tokenId: "x" }, true), {
    kind: "exchange",
    generation: 1,
  });
  assert.deepEqual(decideRotation(undefined, { generation: null, tokenId: "x" }, true), {
    kind: "exchange",
    generation: 1,
  });
  assert.deepEqual(decideRotation(undefined, { generation: -1, tokenId: "x" }, true), { kind: "reuse" });
  assert.deepEqual(decideRotation(undefined, { generation: 9, tokenId: "x" }, false), {
    kind: "keep",
    generation: 0,
  });
});

test("a token of the real Tiled may be retried after its exchange", () => {
  const once = { generation: 1, exchanged: "digest" };
  assert.deepEqual(decideRotation(once, { generation: null, tokenId: "digest" }, true), {
    kind: "retry",
    generation: 1,
  });
  assert.deepEqual(decideRotation(once, { generation: null, tokenId: "other" }, true), { kind: "reuse" });
});
