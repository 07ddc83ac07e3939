import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nearest } from "../../src/config/suggest.ts";

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
