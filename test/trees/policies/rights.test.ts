import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessPolicy } from "../../../src/trees/policies/contract.ts";
import { rightsOf } from "../../../src/trees/policies/rights.ts";
import { user } from "./support.ts";

const NODE = { path: ["a"], tags: ["x", "y"], family: "array", metadata: {} } as const;

test("a policy never gives more than the caller's own scopes", async () => {
  const policy: AccessPolicy = {
    kind: "access_policy",
    scopesOn: () => ["read:metadata", "admin:apikeys", "made:up"],
    tagsWith: () => "all",
  };
  const rights = rightsOf(policy, user("ann", { scopes: new Set(["read:metadata", "read:data"]) }));
  assert.deepEqual(await rights.scopesOn(NODE), new Set(["read:metadata"]));
  assert.equal(rights.tagsWith("read:metadata"), "all");
  assert.deepEqual(rights.tagsWith("admin:apikeys"), new Set());
});

test("a policy sees only the key's tags, and is not called for a node without them", async () => {
  const told: unknown[] = [];
  const policy: AccessPolicy = {
    kind: "access_policy",
    scopesOn: ({ tags }) => {
      told.push(tags);
      return ["read:metadata"];
    },
    tagsWith: () => new Set(["x", "z"]),
  };
  const rights = rightsOf(policy, user("ann", { accessTags: ["x", "q"] }));
  assert.deepEqual(await rights.scopesOn(NODE), new Set(["read:metadata"]));
  assert.deepEqual(await rights.scopesOn({ ...NODE, tags: ["y"] }), new Set());
  assert.deepEqual(await rights.scopesOn({ ...NODE, tags: [] }), new Set());
  assert.deepEqual(await rights.scopesOn({ ...NODE, tags: null }), new Set(["read:metadata"]));
  assert.deepEqual(told, [["x"], null]);
  assert.deepEqual(rights.tagsWith("read:metadata"), new Set(["x"]));
});

test("the same set of tags as long as the policy's is the same", () => {
  let tags = new Set(["x"]);
  const policy: AccessPolicy = { kind: "access_policy", scopesOn: () => [], tagsWith: () => tags };
  const rights = rightsOf(policy, user("ann", { accessTags: ["x", "y"] }));
  const before = rights.tagsWith("read:metadata");
  assert.equal(rights.tagsWith("read:metadata"), before);
  tags = new Set(["y"]);
  assert.deepEqual(rights.tagsWith("read:metadata"), new Set(["y"]));
});
