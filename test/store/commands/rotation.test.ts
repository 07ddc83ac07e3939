import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decideRotation,
  type KnownRotation,
  type PresentedToken,
} from "../../../src/store/commands/steps/rotation.ts";

const THEN = new Date("2026-12-01T12:00:00Z");
const after = (seconds: number) => new Date(THEN.getTime() + seconds * 1000);
const NOW = after(30);
const known = { generation: 3, exchanged: "t2", rotatedAt: THEN, shared: false };

type Presented = Omit<PresentedToken, "now"> & Partial<PresentedToken>;

function decide(rotation: KnownRotation | undefined, presented: Presented, rotate = true) {
  return decideRotation(rotation, { now: NOW, ...presented }, { rotate, grace: 60 });
}

for (const [what, presented, decision] of [
  [
    "the newest generation, any token of it",
    { generation: 3, tokenId: "x" },
    { kind: "rotate", generation: 4, rotatedAt: NOW },
  ],
  [
    "the generation before, the exchanged token",
    { generation: 2, tokenId: "t2" },
    { kind: "retry", generation: 3, rotatedAt: THEN },
  ],
  [
    "the same at the end of the grace period",
    { generation: 2, tokenId: "t2", now: after(60) },
    { kind: "retry", generation: 3, rotatedAt: THEN },
  ],
  [
    "the same by the clock of another server, which is behind",
    { generation: 2, tokenId: "t2", now: after(-2) },
    { kind: "retry", generation: 3, rotatedAt: THEN },
  ],
  [
    "the same after the grace period",
    { generation: 2, tokenId: "t2", now: after(60.001) },
    { kind: "reuse" },
  ],
  [
    "the same by a clock that was set back by an hour",
    { generation: 2, tokenId: "t2", now: after(-3600) },
    { kind: "reuse" },
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
    assert.deepEqual(decide(known, presented), decision);
  });
  test(`${what}, without rotation: kept`, () => {
    assert.deepEqual(decide(known, presented, false), { kind: "keep", generation: 3 });
  });
}

test("a session without a row is at generation 0", () => {
  assert.deepEqual(decide(undefined, { generation: 0, tokenId: "x" }), {
    kind: "rotate",
    generation: 1,
    rotatedAt: NOW,
  });
  assert.deepEqual(decide(undefined, { generation: null, tokenId: "x" }), {
    kind: "rotate",
    generation: 1,
    rotatedAt: NOW,
  });
  assert.deepEqual(decide(undefined, { generation: -1, tokenId: "x" }), { kind: "reuse" });
  assert.deepEqual(decide(undefined, { generation: 9, tokenId: "x" }, false), {
    kind: "keep",
    generation: 0,
  });
});

test("a token of the real Tiled may be retried after its exchange", () => {
  const once = { generation: 1, exchanged: "digest", rotatedAt: THEN, shared: false };
  assert.deepEqual(decide(once, { generation: null, tokenId: "digest" }), {
    kind: "retry",
    generation: 1,
    rotatedAt: THEN,
  });
  assert.deepEqual(decide(once, { generation: null, tokenId: "other" }), { kind: "reuse" });
});

test("an exchange without a time is not retried", () => {
  const row = { generation: 1, exchanged: "t0", rotatedAt: null, shared: false };
  assert.deepEqual(decide(row, { generation: 0, tokenId: "t0" }), { kind: "reuse" });
});

test("the newest token of programs that share a login stays for the grace period, then it is exchanged", () => {
  const shared = { ...known, shared: true };
  const newest = { generation: 3, tokenId: "t3" };
  const exchanged = (now: Date) => ({ kind: "rotate", generation: 4, rotatedAt: now });
  assert.deepEqual(decide(shared, { ...newest, now: after(60) }), { kind: "stay", generation: 3 });
  assert.deepEqual(decide(shared, { ...newest, now: after(60.001) }), exchanged(after(60.001)));
  assert.deepEqual(decide(known, { ...newest, now: after(0.9) }), exchanged(after(0.9)));
});
