import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { loadWhole } from "../../src/cli/config/check.ts";
import { SCOPES } from "../../src/domain/model/scopes.ts";
import { readTagRules } from "../../src/trees/folder/tag-rules.ts";
import { constantArray, container } from "../../src/trees/memory/memory.ts";
import { readDefinitions } from "../../src/trees/policies/definitions.ts";
import { loadPolicy } from "../../src/trees/policies/load.ts";
import { bearer, testApp } from "../support/app.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TEXT = readFileSync(`${ROOT}docs/how-to/access-control.md`, "utf8");
const folder = await mkdtemp(join(tmpdir(), "tiled-docs-"));
after(() => rm(folder, { recursive: true }));

/** The page's blocks of a language, in order. */
function blocks(language: string): readonly string[] {
  return [...TEXT.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, text]) => text ?? "",
  );
}

const place = { file: "config.yml", line: 1, path: "access_control" };

test("the page's configuration, tags and definitions are right", async () => {
  const [config = "", tags = "", definitions = ""] = blocks("yaml");
  await writeFile(join(folder, "tag_definitions.yml"), definitions);
  await writeFile(join(folder, "data_tags.yml"), tags);
  await writeFile(join(folder, "config.yml"), config);
  const loaded = await loadWhole(join(folder, "config.yml"), { env: {}, out: () => {}, err: () => {} });
  assert.deepEqual(loaded.trees[0]?.accessTags, ["public"]);
  const { rules } = readTagRules(join(folder, "data_tags.yml"));
  assert.deepEqual(
    ["", "run1", "run1/a", "run1/overview", "run2"].map((path) => rules?.tagsOf(path)),
    [["public"], ["chemistry"], ["chemistry"], ["chemistry", "public"], ["public"]],
  );
  const { definitions: compiled, warnings } = readDefinitions(join(folder, "tag_definitions.yml"), {
    scopes: new Set(SCOPES),
    groups: new Map([["chemists", ["alice", "bob"]]]),
    groupsFromLogins: false,
  });
  assert.deepEqual(warnings, []);
  assert.ok(compiled?.publicTags.has("published"));
  assert.deepEqual(compiled?.users.get("dora")?.get("chemistry"), new Set(["read:metadata", "read:data"]));
});

test("the page's arguments are those that the policy has", async () => {
  const { TagBasedAccessPolicy } = await import("../../src/trees/policies/tag-based.ts");
  const named = [...TEXT.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name);
  assert.deepEqual(named.sort(), Object.keys(TagBasedAccessPolicy.args.properties).sort());
});

test("the page's policy works", async () => {
  const [js = ""] = blocks("js");
  await writeFile(join(folder, "my_policy.mjs"), js);
  const policy = await loadPolicy(
    { accessPolicy: "./my_policy.mjs:MyPolicy", args: {}, place },
    { directory: folder, warn: () => {} },
  );
  const node = { path: ["open"], tags: null, family: "array", metadata: {} } as const;
  const caller = {
    kind: "anonymous",
    uuid: null,
    identities: [],
    scopes: new Set<string>(),
    accessTags: null,
    state: {},
  } as const;
  assert.deepEqual([...((await policy?.scopesOn(node, caller)) ?? [])], ["read:metadata", "read:data"]);
});

test("the example of an own policy shows to each team what is theirs", async () => {
  const policy = await loadPolicy(
    { accessPolicy: "./my_policy.js:MyPolicy", args: { provider: "toy" }, place },
    { directory: `${ROOT}example_configs`, warn: () => {} },
  );
  const box = (team: readonly string[]) => container([["x", constantArray(1, [2])]], { metadata: { team } });
  const tree = {
    root: container([
      ["a", box(["bob"])],
      ["b", box(["cara", "bob"])],
      ["c", box([])],
    ]),
  };
  await using t = await testApp({ tree, policy: policy ?? assert.fail() });
  for (const [name, keys] of [
    ["bob", ["a", "b"]],
    ["cara", ["b"]],
  ] as const) {
    const headers = bearer((await t.login(name)).access_token);
    const { data } = (await t.call({ url: "/api/v1/search/", headers })).json<{ data: { id: string }[] }>();
    assert.deepEqual(
      data.map(({ id }) => id),
      keys,
    );
    assert.equal((await t.call({ url: "/api/v1/array/full/b/x", headers })).statusCode, 200);
    assert.equal((await t.call({ url: "/api/v1/array/full/c/x", headers })).statusCode, 404);
  }
});

test("the files that the page links to are there", () => {
  for (const [, path = ""] of TEXT.matchAll(/\]\(((?:\.\.\/)*[\w/.-]+\.(?:md|yml|js))\)/g))
    assert.ok(readFileSync(join(ROOT, "docs/how-to", path)), path);
  assert.ok(parse(readFileSync(`${ROOT}example_configs/partly_public.yml`, "utf8")));
});
