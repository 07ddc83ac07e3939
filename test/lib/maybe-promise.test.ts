import assert from "node:assert/strict";
import { test } from "node:test";
import { chain } from "../../src/lib/maybe-promise.ts";

const double = (value: number) => value * 2;

test("a value at hand is gone on with at once, and its errors are thrown", () => {
  assert.equal(chain(2, double), 4);
  assert.throws(() => chain(2, () => assert.fail("no")), /no/);
});

test("a promise is waited for, and so is what comes of it", async () => {
  assert.equal(await chain(Promise.resolve(2), double), 4);
  assert.equal(await chain(2, async (value) => double(value)), 4);
  await assert.rejects(async () => chain(Promise.reject(new Error("gone")), double), /gone/);
});
