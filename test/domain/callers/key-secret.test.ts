import assert from "node:assert/strict";
import { test } from "node:test";
import { KnownDigests, newKeySecret, readApiKey } from "../../../src/domain/callers/key-secret.ts";

test("a digest is remembered for keys that exist only, so that guesses cannot replace those in use", () => {
  const digests = new KnownDigests();
  const { secret } = newKeySecret(36);
  const read = digests.read(secret);
  assert.deepEqual(read, readApiKey(secret));
  assert.ok(read);
  assert.notEqual(digests.read(secret), read);
  digests.keep(secret, read);
  assert.equal(digests.read(secret), read);
  for (let guess = 0; guess < 20_000; guess++) digests.read(guess.toString(16).padStart(72, "0"));
  assert.equal(digests.read(secret), read);
});
