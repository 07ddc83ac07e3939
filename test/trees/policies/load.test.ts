import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Failure } from "../../../src/errors.ts";
import { loadPolicy } from "../../../src/trees/policies/load.ts";
import { POLICY_PREFIX } from "../../../src/vocabulary/policies.ts";
import { ConfigError } from "../../../src/yaml/problems.ts";
import { ANONYMOUS, DEFINITIONS, temporaryFile, user } from "./support.ts";

const PLACE = { file: "config.yml", line: 7, path: "access_control" };
const NODE = { path: ["a"], tags: ["x"], family: "array", metadata: {} } as const;

const OWN = `
export class MyPolicy {
  static args = { type: "object", properties: { open: { type: "array", items: { type: "string" } } }, required: ["open"], additionalProperties: false };
  kind = "access_policy";
  constructor(args, context) { this.args = args; this.context = context; }
  scopesOn({ path }, caller) { return this.args.open.includes(path[0]) ? ["read:metadata"] : []; }
}
export class Partial extends MyPolicy { static args = MyPolicy.args; tagsWith() { return new Set(["x"]); } }
export class NoKind extends MyPolicy { kind = "policy"; }
export class NoMethod extends MyPolicy { scopesOn = 5; }
export class NoSchema { kind = "access_policy"; scopesOn() { return []; } }
export class Fails extends MyPolicy { constructor() { super(); throw new TypeError("no such thing"); } }
export class Nonsense extends MyPolicy { scopesOn() { return "read:metadata"; } tagsWith() { return ["x"]; } }
export class Throws extends MyPolicy { async scopesOn() { throw new Error("broken backend"); } tagsWith() { throw new Error("gone"); } }
`;

function folderOf(t: TestContext): string {
  const { folder } = temporaryFile(t.after.bind(t), DEFINITIONS);
  writeFileSync(join(folder, "own.js"), OWN);
  return folder;
}

async function load(t: TestContext, accessPolicy: string, args: object = { open: ["a"] }) {
  const policy = await loadPolicy(
    { accessPolicy, args: args as Record<string, unknown>, place: PLACE },
    { directory: folderOf(t), warn: () => {} },
  );
  return policy ?? assert.fail();
}

async function refusal(t: TestContext, accessPolicy: string, args?: object): Promise<string> {
  try {
    await load(t, accessPolicy, args);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`).join("\n");
  }
  return assert.fail(`${accessPolicy} was not refused`);
}

test("a configuration without a policy has none", async () => {
  assert.equal(await loadPolicy(null, { directory: ".", warn: () => {} }), null);
});

test("the two of Tiled, by their names", async (t) => {
  const dummy = await load(t, `${POLICY_PREFIX}DummyAccessPolicy`, {});
  assert.deepEqual(new Set(await dummy.scopesOn(NODE, ANONYMOUS)), ANONYMOUS.scopes);
  assert.equal(dummy.tagsWith?.("read:data", ANONYMOUS), "all");
  const tagged = await load(t, `${POLICY_PREFIX}TagBasedAccessPolicy`, {
    provider: "toy",
    scopes: null,
    access_tags_parser: "tiled.access_control.access_tags:AccessTagsParser",
    tag_definitions: "./tags.yml",
  });
  assert.deepEqual([...(await tagged.scopesOn({ ...NODE, tags: ["data_B"] }, user("alice")))].sort(), [
    "read:data",
    "read:metadata",
  ]);
});

test("an operator's own, with its arguments", async (t) => {
  const policy = await load(t, "./own.js:MyPolicy");
  assert.deepEqual([...(await policy.scopesOn(NODE, ANONYMOUS))], ["read:metadata"]);
  assert.deepEqual([...(await policy.scopesOn({ ...NODE, path: ["b"] }, ANONYMOUS))], []);
  assert.equal(policy.tagsWith, undefined);
  assert.deepEqual((await load(t, "own.js:Partial")).tagsWith?.("read:data", ANONYMOUS), new Set(["x"]));
});

test("errors are reported with their position", async (t) => {
  for (const [name, args, expected] of [
    [`${POLICY_PREFIX}DummyAccessPolicy`, { a: 1 }, /^7 access_control\.args\.a: there is no such argument/],
    [
      `${POLICY_PREFIX}TagBasedAccessPolicy`,
      { scopes: ["read:datas"], groups: { a: "alice" }, access_tags_parser: "my.parser:Parser" },
      /provider: this argument is missing[\s\S]*tag_definitions: this argument is missing[\s\S]*scopes\[0\]: must be one of [\s\S]*Did you mean 'read:data'\?[\s\S]*groups\.a: must be a list/,
    ],
    [
      `${POLICY_PREFIX}TagBasedAccessPolicy`,
      { provider: "toy", tag_definitions: "./nowhere.yml" },
      /there is no such file/,
    ],
    [
      "./own.js:Nobody",
      {},
      /^7 access_control\.access_policy: .*does not export 'Nobody': it exports .*MyPolicy/,
    ],
    ["./nowhere.js:MyPolicy", {}, /There is no file/],
    ["./own.js:MyPolicy", {}, /^7 access_control\.args\.open: this argument is missing/],
    ["./own.js:NoKind", undefined, /its 'kind' must be "access_policy"/],
    ["./own.js:NoMethod", undefined, /no method 'scopesOn'/],
    ["./own.js:NoSchema", undefined, /has no schema of its arguments/],
    ["./own.js:Fails", undefined, /its constructor failed: .*no such thing/],
    [
      "my.policies:Mine",
      undefined,
      /is a Python class, and this server cannot run Python.*docs\/how-to\/access-control\.md/,
    ],
  ] as const) {
    assert.match(await refusal(t, name, args), expected, name);
  }
});

test("a policy that returns nonsense or throws is a broken backend", async (t) => {
  for (const [name, text] of [
    ["Nonsense", "must return a list or Set of scopes"],
    ["Throws", "threw broken backend"],
  ] as const) {
    const policy = await load(t, `./own.js:${name}`);
    await assert.rejects(
      async () => policy.scopesOn(NODE, ANONYMOUS),
      (error) => error instanceof Failure && error.code === "internal" && error.message.includes(text),
    );
    assert.throws(() => policy.tagsWith?.("read:data", ANONYMOUS), Failure);
  }
});
