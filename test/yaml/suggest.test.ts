import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { didYouMean, nearest } from "../../src/yaml/suggest.ts";

const KNOWN = ["providers", "tiled_admins", "secret_keys", "host", "port", "path"];

describe("the nearest known name", () => {
  for (const [name, expected] of [
    ["provders", "providers"],
    ["Providers", "providers"],
    ["provdiers", "providers"],
    ["secret-keys", "secret_keys"],
    ["secretkeys", "secret_keys"],
    ["hots", "host"],
    ["prot", "port"],
    ["pat", "path"],
    ["tiled_admin", "tiled_admins"],
    ["colour", undefined],
    ["x", undefined],
    ["", undefined],
    ["providers".repeat(50), undefined],
  ] as const) {
    it(`of ${name.slice(0, 20)}: ${expected}`, () => assert.equal(nearest(name, KNOWN), expected));
  }
});

describe("what was meant", () => {
  for (const [name, known, expected] of [
    ["toyy", ["toy", "lab"], " Did you mean 'toy'?"],
    ["users", ["users_to_passwords", "confirmation_message"], " Did you mean 'users_to_passwords'?"],
    ["TagPolicy", ["tiled.policies:TagPolicy"], " Did you mean 'tiled.policies:TagPolicy'?"],
    [
      "read:everything",
      ["read:data", "read:metadata", "register"],
      " Did you mean 'read:data' or 'read:metadata'?",
    ],
    ["colour", ["toy", "lab"], ""],
    ["", ["toy"], ""],
    ["", [], ""],
  ] as const) {
    it(`by '${name}'`, () => assert.equal(didYouMean(name, known), expected));
  }
});
