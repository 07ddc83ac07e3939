import assert from "node:assert/strict";
import { test } from "node:test";
import { chain } from "../../src/lib/maybe-promise.ts";

test("a known value is used at once", () => {
  assert.equal(
    chain(2, (value) => value + 1),
    3,
  );
});

test("a promised value is used when it arrives", async () => {
  const result = chain(Promise.resolve(2), (value) => value + 1);
  assert.ok(result instanceof Promise);
  assert.equal(await result, 3);
});

test("a rejected promise goes to the handler of failures", async () => {
  const failing: Promise<number> = Promise.reject(new Error("no"));
  const result = chain<number, string>(failing, String, (error) => String(error));
  assert.equal(await result, "Error: no");
});
