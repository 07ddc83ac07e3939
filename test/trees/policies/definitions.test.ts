import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { SCOPES } from "../../../src/domain/model/scopes.ts";
import { type DefinitionRules, readDefinitions } from "../../../src/trees/policies/definitions.ts";
import { ConfigError } from "../../../src/yaml/problems.ts";
import { DEFINITIONS, temporaryFile } from "./support.ts";

const RULES: DefinitionRules = {
  scopes: new Set(SCOPES),
  groups: new Map([["group_A", ["alice", "bob"]]]),
  groupsFromLogins: false,
};

function read(t: TestContext, text: string, rules: Partial<DefinitionRules> = {}) {
  const { path } = temporaryFile(t.after.bind(t), text);
  return readDefinitions(path, { ...RULES, ...rules });
}

function grants(t: TestContext, text: string, name: string, rules: Partial<DefinitionRules> = {}) {
  const { definitions, problems } = read(t, text, rules);
  assert.deepEqual(problems, []);
  const found = definitions?.users.get(name) ?? new Map<string, ReadonlySet<string>>();
  return Object.fromEntries([...found].map(([tag, scopes]) => [tag, [...scopes].sort()]));
}

/** `line path: message` of all that is wrong. */
function wrong(t: TestContext, text: string, rules: Partial<DefinitionRules> = {}): readonly string[] {
  const { definitions, problems } = read(t, text, rules);
  assert.equal(definitions, undefined);
  return new ConfigError(problems).problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

const READ = ["read:data", "read:metadata"];

describe("the grants of tags", () => {
  test("include users, groups, and the grants of other tags", (t) => {
    assert.deepEqual(grants(t, DEFINITIONS, "alice"), { data_A: READ, data_B: READ });
    assert.deepEqual(grants(t, DEFINITIONS, "bob"), {
      data_A: READ,
      data_C: ["read:metadata"],
      data_E: ["write:data"],
    });
    assert.deepEqual(grants(t, DEFINITIONS, "cara"), { data_A: READ, data_admin: READ });
    assert.deepEqual(grants(t, DEFINITIONS, "nobody"), {});
    assert.deepEqual(grants(t, DEFINITIONS, "group_A"), {});
    assert.deepEqual([...(read(t, DEFINITIONS).definitions?.publicTags ?? [])].sort(), [
      "data_D",
      "data_E",
      "public",
    ]);
  });

  test("a user who is named several times has all grants", (t) => {
    const text = `tags:
  a: {users: [{name: x, scopes: ["read:data"]}, {name: x, scopes: ["read:metadata"]}], auto_tags: [{name: b}, {name: b}]}
  b: {users: [{name: x, scopes: [register]}], groups: [{name: group_A, scopes: [metrics]}]}
`;
    assert.deepEqual(grants(t, text, "x"), {
      a: ["read:data", "read:metadata", "register"],
      b: ["register"],
    });
    assert.deepEqual(grants(t, text, "bob"), { a: ["metrics"], b: ["metrics"] });
  });

  test("the grants of an included tag do not change with the tags that include it", (t) => {
    const text = `tags:
  a: {users: [{name: x, scopes: [metrics]}], auto_tags: [{name: b}]}
  b: {users: [{name: x, scopes: [register]}]}
`;
    assert.deepEqual(grants(t, text, "x")["b"], ["register"]);
  });

  test("tags that are empty, in every way to write that", (t) => {
    const text = "tags:\n  a:\n  b: {}\n  c: {users: , groups: [], auto_tags: }\nroles:\ntag_owners: {}\n";
    assert.deepEqual(read(t, text).problems, []);
  });

  test("the public tag in any case, and through others", (t) => {
    const text = "tags: {a: {auto_tags: [{name: PuBlIc}]}, b: {auto_tags: [{name: a}]}, c: {}}\n";
    assert.deepEqual([...(read(t, text).definitions?.publicTags ?? [])].sort(), ["a", "b", "public"]);
  });

  test("groups that logins name", (t) => {
    const { definitions, warnings } = read(t, DEFINITIONS, { groups: new Map(), groupsFromLogins: true });
    assert.deepEqual(warnings, []);
    assert.deepEqual([...(definitions?.groups.get("group_A")?.get("data_A") ?? [])].sort(), READ);
  });

  test("names of Object.prototype have no meaning", (t) => {
    const text = `tags:
  constructor: {users: [{name: toString, scopes: [metrics]}]}
  __proto__: {users: [{name: x, scopes: [register]}], auto_tags: [{name: constructor}]}
`;
    assert.deepEqual(grants(t, text, "toString"), { constructor: ["metrics"], ["__proto__"]: ["metrics"] });
    assert.deepEqual(
      wrong(t, "tags: {a: {auto_tags: [{name: constructor}], users: [{name: x, role: toString}]}}\n"),
      [
        "1 tags.a.users[0].role: the role 'toString' is not defined.",
        "1 tags.a.auto_tags[0].name: the tag 'constructor' is not defined.",
      ],
    );
  });
});

describe("errors in tag definitions", () => {
  test("are all reported at once, with line and key path", (t) => {
    const text = `roles:
  none: {scopes: []}
  odd: {scopes: ["read:data", "read:everything"]}
tags:
  Public: {users: [{name: x, scopes: [metrics]}]}
  a:
    users:
    - {name: x}
    - {name: x, role: odd, scopes: [metrics]}
    - {name: x, role: missing}
    - {name: x, scopes: []}
    - {name: x, scopes: ["read:datas"]}
    - {scopes: [metrics]}
    - {name: 5, scopes: [metrics]}
    auto_tags: [{name: b}]
    user: []
tag_owners:
  "User:x": {users: [{name: x}]}
extra: 1
`;
    const found = wrong(t, text);
    const expected = [
      "2 roles.none.scopes: the list is empty",
      "3 roles.odd.scopes[1]: 'read:everything' is not a scope",
      "5 tags.Public: the tag 'public' cannot be redefined",
      "8 tags.a.users[0]: neither 'role' nor 'scopes' is given",
      "9 tags.a.users[1]: both 'role' and 'scopes' are given",
      "10 tags.a.users[2].role: the role 'missing' is not defined.",
      "11 tags.a.users[3].scopes: the list is empty",
      "12 tags.a.users[4].scopes[0]: 'read:datas' is not a scope. Did you mean 'read:data'?",
      "13 tags.a.users[5]: the key 'name' is missing",
      "14 tags.a.users[6].name: 5 is not allowed here",
      "15 tags.a.auto_tags[0].name: the tag 'b' is not defined.",
      "16 tags.a.user: unknown key 'user'. Did you mean 'users'?",
      "18 tag_owners['User:x']: tags that begin with 'user:' or 'service:' have no owners",
      "19 extra: unknown key 'extra'",
    ];
    assert.equal(found.length, expected.length, found.join("\n"));
    for (const [index, start] of expected.entries())
      assert.ok(found[index]?.startsWith(start), `${found[index]}\n${start}`);
  });

  test("scopes beyond those of the policy", (t) => {
    const scopes = new Set(["read:metadata"]);
    assert.deepEqual(wrong(t, 'roles: {r: {scopes: ["read:data"]}}\ntags: {}\n', { scopes }), [
      "1 roles.r.scopes[0]: the scope 'read:data' is not among the policy's own (access_control.args.scopes): read:metadata",
    ]);
  });

  test("each circle is reported once and completely, wherever it is in the file", (t) => {
    const tag = (name: string, ...others: readonly string[]) =>
      `  ${name}: {auto_tags: [${others.map((other) => `{name: ${other}}`).join(", ")}]}\n`;
    const text = `tags:\n${tag("z", "a")}${tag("a", "b")}${tag("b", "c", "p")}${tag("c", "a")}${tag("p")}${tag("self", "self")}`;
    assert.deepEqual(wrong(t, text), [
      "3 tags.a.auto_tags: the tags form a circle: a -> b -> c -> a",
      "7 tags.self.auto_tags: the tags form a circle: self -> self",
    ]);
  });

  test("five levels are the most, in whatever order the file has them", (t) => {
    const names = ["t0", "t1", "t2", "t3", "t4", "t5", "t6"];
    const chain = names.map((name, index) =>
      index + 1 < names.length
        ? `  ${name}: {auto_tags: [{name: ${names[index + 1]}}]}\n`
        : `  ${name}: {auto_tags: [{name: public}]}\n`,
    );
    for (const order of [chain, chain.toReversed(), chain.toSorted()]) {
      const found = wrong(t, `tags:\n${order.join("")}`);
      assert.equal(found.length, 1);
      assert.match(
        found[0] ?? "",
        /tags\.t0\.auto_tags: there are more than 5 levels: t0 -> t1 -> .* -> t6$/,
      );
    }
    assert.deepEqual(read(t, `tags:\n${chain.slice(1).join("")}`).problems, []);
  });

  test("a long chain is reported once, without a stack overflow", (t) => {
    const text = `tags:\n${Array.from({ length: 3000 }, (_, index) => `  t${index}: {auto_tags: [{name: t${index + 1}}]}\n`).join("")}  t3000: {}\n`;
    const found = wrong(t, text);
    assert.equal(found.length, 1);
    assert.match(found[0] ?? "", /^2996 tags\.t2994\.auto_tags: there are more than 5 levels/);
  });

  test("files without valid YAML", (t) => {
    assert.match(wrong(t, "")[0] ?? "", /the file is empty/);
    assert.match(wrong(t, "- a\n")[0] ?? "", /must be a mapping .*, not a list/);
    assert.match(wrong(t, "roles: {}\n")[0] ?? "", /the key 'tags' is missing/);
    assert.match(wrong(t, "tags: {a: {}, a: {}}\n")[0] ?? "", /the key 'a' is given twice/);
    const gone = readDefinitions("/nowhere/tags.yml", RULES);
    assert.match(gone.problems[0]?.message ?? "", /there is no such file/);
  });

  test("an undefined group is a warning, and its grant is skipped", (t) => {
    const text = DEFINITIONS.replace("cara}]}}", "cara}], groups: [{name: owners}]}}");
    const { definitions, warnings } = read(t, text, { groups: new Map() });
    assert.deepEqual(
      warnings.map((line) => line.replace(/^.*tags\.yml/, "")),
      [
        ":4: the group 'group_A' is not defined; its grants are skipped.",
        ":10: the group 'owners' is not defined; its grants are skipped.",
      ],
    );
    assert.equal(definitions?.users.get("alice")?.has("data_A"), false);
    assert.equal(definitions?.users.get("cara")?.has("data_A"), true);
  });
});
