import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { SCOPES } from "../../../src/domain/model/scopes.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import type { PolicyCaller } from "../../../src/trees/policies/contract.ts";
import { TagBasedAccessPolicy } from "../../../src/trees/policies/tag-based.ts";
import { ConfigError } from "../../../src/yaml/problems.ts";
import { eventually } from "../../support/eventually.ts";
import {
  ANONYMOUS,
  admin,
  DEFINITIONS,
  SINGLE_USER,
  service,
  temporaryFile,
  USER_SCOPES,
  user,
} from "./support.ts";

type Args = ConstructorParameters<typeof TagBasedAccessPolicy>[0];

function make(t: TestContext, { text = DEFINITIONS, ...args }: Partial<Args> & { text?: string } = {}) {
  const { folder, path, write } = temporaryFile(t.after.bind(t), text);
  const warnings: string[] = [];
  const policy = new TagBasedAccessPolicy(
    {
      provider: "toy",
      tag_definitions: "tags.yml",
      groups: { group_A: ["alice", "bob"], admins: [] },
      ...args,
    },
    { directory: folder, warn: (message) => void warnings.push(message) },
  );
  return { policy, folder, path, write, warnings };
}

function scopes(policy: TagBasedAccessPolicy, caller: PolicyCaller, tags: readonly string[] | null) {
  const node = { path: ["a"], tags, family: "array", metadata: {} } as const;
  return [...policy.scopesOn(node, caller)].sort();
}

const READ = ["read:data", "read:metadata"];
const ALL = [...SCOPES].sort();

describe("a caller's scopes on a node", () => {
  test("are the union of the grants of its tags to the caller's name", (t) => {
    const { policy } = make(t);
    assert.deepEqual(scopes(policy, user("alice"), ["data_A"]), READ);
    assert.deepEqual(scopes(policy, user("bob"), ["data_B"]), []);
    assert.deepEqual(scopes(policy, user("bob"), ["data_C"]), ["read:metadata"]);
    assert.deepEqual(scopes(policy, user("bob"), ["data_C", "data_A", "nope"]), READ);
    assert.deepEqual(scopes(policy, user("cara"), ["data_A"]), READ);
    assert.deepEqual(scopes(policy, user("bob"), ["data_E"]), [...READ, "write:data"]);
    assert.deepEqual(scopes(policy, user("alice"), []), []);
  });

  test("public tags let everyone read", (t) => {
    const { policy } = make(t);
    for (const caller of [ANONYMOUS, user("nobody"), service(newUuid())]) {
      for (const tag of ["public", "data_D", "data_E"]) assert.deepEqual(scopes(policy, caller, [tag]), READ);
      assert.deepEqual(scopes(policy, caller, ["data_A"]), []);
    }
  });

  test("nodes without a notion of tags are the policy's scopes' alone", (t) => {
    const { policy } = make(t, { scopes: READ, text: "tags: {}" });
    for (const caller of [ANONYMOUS, user("alice"), admin()])
      assert.deepEqual(scopes(policy, caller, null), READ);
  });

  test("administrators and the single user see everything, within the policy's scopes", (t) => {
    const wide = make(t).policy;
    assert.deepEqual(scopes(wide, admin(), []), ALL);
    assert.deepEqual(scopes(wide, SINGLE_USER, ["data_A"]), ALL);
    assert.deepEqual(
      scopes(make(t, { scopes: ["metrics", ...READ], text: "tags: {}" }).policy, admin(), []),
      ["metrics", ...READ],
    );
  });

  test("a user's own tag grants the scopes of the credential", (t) => {
    const { policy } = make(t);
    const uuid = newUuid();
    assert.deepEqual(scopes(policy, user("alice"), ["user:alice"]), [...USER_SCOPES].sort());
    assert.deepEqual(scopes(policy, user("bob"), ["user:alice"]), []);
    assert.deepEqual(scopes(policy, user("alice"), ["service:alice"]), []);
    assert.deepEqual(scopes(policy, user("alice"), ["USER:alice"]), []);
    for (const tag of [`user:${uuid}`, `service:${uuid}`]) {
      assert.deepEqual(scopes(policy, service(uuid), [tag]), [...USER_SCOPES].sort());
      assert.deepEqual(scopes(policy, service(newUuid()), [tag]), []);
    }
    assert.deepEqual(scopes(policy, ANONYMOUS, ["user:", "user:null", "user:undefined"]), []);
    const narrow = make(t, { scopes: READ, text: "tags: {}" }).policy;
    assert.deepEqual(scopes(narrow, user("alice"), ["user:alice"]), READ);
  });

  test("a person without an identity at the policy's provider has public access only", (t) => {
    const { policy } = make(t);
    const stranger = user("", { identities: [{ provider: "elsewhere", id: "alice" }] });
    assert.deepEqual(scopes(policy, stranger, ["data_B", "user:alice"]), []);
    assert.deepEqual(scopes(policy, stranger, ["public"]), READ);
    const both = user("", {
      identities: [
        { provider: "elsewhere", id: "x" },
        { provider: "toy", id: "alice" },
      ],
    });
    assert.deepEqual(scopes(policy, both, ["data_B"]), READ);
  });

  test("services are named by their uuid", (t) => {
    const uuid = newUuid();
    const { policy } = make(t, { text: `tags: {a: {users: [{name: ${uuid}, scopes: ["read:data"]}]}}\n` });
    assert.deepEqual(scopes(policy, service(uuid), ["a"]), ["read:data"]);
  });

  test("groups that the login named, and no others", (t) => {
    const { policy } = make(t, { groups: null, groups_claim: "memberOf" });
    assert.equal(policy.stateFrom, "toy");
    const member = (memberOf: unknown) => user("dora", { state: { memberOf } });
    assert.deepEqual(scopes(policy, member(["group_A", "other"]), ["data_A"]), READ);
    assert.deepEqual(scopes(policy, member("group_A"), ["data_A"]), READ);
    for (const claim of [["GROUP_A"], "", null, 5, { group_A: true }, [["group_A"]]])
      assert.deepEqual(scopes(policy, member(claim), ["data_A"]), []);
    assert.deepEqual(scopes(policy, user("dora", { state: { groups: ["group_A"] } }), ["data_A"]), []);
    assert.equal(make(t).policy.stateFrom, null);
    assert.deepEqual(scopes(make(t).policy, user("x", { state: { memberOf: ["group_A"] } }), ["data_A"]), []);
  });
});

describe("the tags with which a scope comes out", () => {
  const tags = (policy: TagBasedAccessPolicy, caller: PolicyCaller, scope = "read:metadata") => {
    const found = policy.tagsWith(scope, caller);
    return found === "all" ? found : [...found].sort();
  };

  test("are those that grant the scope alone", (t) => {
    const { policy } = make(t);
    const publicTags = ["data_D", "data_E", "public"];
    assert.deepEqual(tags(policy, user("alice")), ["data_A", "data_B", ...publicTags, "user:alice"]);
    assert.deepEqual(tags(policy, user("bob"), "read:data"), ["data_A", ...publicTags, "user:bob"]);
    assert.deepEqual(tags(policy, user("bob"), "write:data"), ["data_E", "user:bob"]);
    assert.deepEqual(tags(policy, ANONYMOUS), publicTags);
    assert.equal(tags(policy, admin()), "all");
    assert.deepEqual(tags(make(t, { scopes: ["read:data"], text: "tags: {}" }).policy, admin()), []);
  });

  test("agree with the scopes on a node", (t) => {
    const { policy } = make(t);
    for (const caller of [user("alice"), user("bob"), user("cara"), ANONYMOUS, service(newUuid())]) {
      for (const scope of ["read:metadata", "read:data", "write:data", "metrics"]) {
        const found = new Set(tags(policy, caller, scope));
        for (const tag of [
          "data_A",
          "data_B",
          "data_C",
          "data_D",
          "data_E",
          "data_admin",
          "public",
          "user:bob",
          "x",
        ])
          assert.equal(found.has(tag), scopes(policy, caller, [tag]).includes(scope), `${scope} ${tag}`);
      }
    }
  });

  test("are the same set as long as nothing has changed", (t) => {
    const { policy } = make(t);
    const alice = user("alice");
    assert.equal(policy.tagsWith("read:data", alice), policy.tagsWith("read:data", alice));
    policy.reload();
    assert.notEqual(policy.tagsWith("read:data", alice), undefined);
  });
});

test("undefined tags are reported, each once", (t) => {
  const { policy } = make(t, { text: DEFINITIONS.replace("tag_owners: {", "tag_owners: {owned: {}, ") });
  assert.deepEqual(policy.undefinedTags(["data_A", "public", "dat_A", "owned", "dat_A", "group_A"]), [
    "dat_A",
    "group_A",
  ]);
});

describe("the file of tag definitions", () => {
  test("a broken one stops the start", (t) => {
    assert.throws(
      () => make(t, { text: "tags: {a: {users: [{name: x}]}, b: {auto_tags: [{name: c}]}}\n" }),
      (error) => error instanceof ConfigError && error.problems.length === 2,
    );
  });

  test("a valid change takes effect; an invalid one is reported with all errors and changes nothing", (t) => {
    const { policy, write, warnings } = make(t);
    const alice = user("alice");
    write("tags: {data_B: {users: [{name: bob, scopes: [metrics]}]}}\n");
    policy.reload();
    assert.deepEqual(scopes(policy, alice, ["data_B"]), []);
    assert.deepEqual(scopes(policy, user("bob"), ["data_B"]), ["metrics"]);
    write("tags: {data_B: {users: [{name: alice}]}, x: {auto_tags: [{name: x}]}}\n");
    policy.reload();
    assert.deepEqual(scopes(policy, alice, ["data_B"]), []);
    assert.deepEqual(scopes(policy, user("bob"), ["data_B"]), ["metrics"]);
    assert.match(
      warnings.at(-1) ?? "",
      /are invalid; the previous ones stay in force.*\n.*data_B\.users\[0\].*\n.*circle: x -> x/,
    );
    write("");
    policy.reload();
    assert.deepEqual(scopes(policy, user("bob"), ["data_B"]), ["metrics"]);
    write(DEFINITIONS);
    policy.reload();
    assert.deepEqual(scopes(policy, alice, ["data_B"]), READ);
  });

  test("a change is found while the server runs: written in place, and replaced", {
    timeout: 30_000,
  }, async (t) => {
    const { policy, folder, path, write } = make(t);
    await policy.start();
    t.after(() => policy.stop());
    const eve = user("eve");
    write('tags: {a: {users: [{name: eve, scopes: ["read:data"]}]}}\n');
    assert.ok(await eventually(10, async () => scopes(policy, eve, ["a"]).length === 1));
    await writeFile(join(folder, "new.yml"), 'tags: {b: {users: [{name: eve, scopes: ["read:data"]}]}}\n');
    await rename(join(folder, "new.yml"), path);
    assert.ok(await eventually(10, async () => scopes(policy, eve, ["b"]).length === 1));
  });
});
