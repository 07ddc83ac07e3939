/** A tree with tags over the wire: nodes that a caller may not see do not exist for that caller, in any answer. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { PasswordAuthenticator } from "../../../src/domain/ports/authenticator.ts";
import { constantArray, container, spec, table, valuesArray } from "../../../src/trees/memory/memory.ts";
import { int64 } from "../../../src/trees/model/columns.ts";
import type { Entry } from "../../../src/trees/model/contract.ts";
import type { AccessPolicy } from "../../../src/trees/policies/contract.ts";
import { DummyAccessPolicy } from "../../../src/trees/policies/dummy.ts";
import { TagBasedAccessPolicy } from "../../../src/trees/policies/tag-based.ts";
import { apikey, bearer, type TestApp, testApp } from "../../support/app.ts";
import { DEFINITIONS, temporaryFile } from "../../trees/policies/support.ts";

const { folder } = temporaryFile(after, DEFINITIONS);

function tagged() {
  return new TagBasedAccessPolicy(
    { provider: "toy", tag_definitions: "tags.yml", groups: { group_A: ["alice", "bob"] } },
    { directory: folder, warn: () => {} },
  );
}

const tags = (...accessTags: string[]) => ({ accessTags });

function dataset(time: string, temperature: string): Entry {
  const along = { dims: ["time"] };
  return [
    "set",
    container(
      [
        ["time", valuesArray(int64(BigInt64Array.of(1n, 2n)), [2], { ...along, ...tags(time) })],
        [
          "temperature",
          valuesArray(int64(BigInt64Array.of(7n, 8n)), [2], { ...along, ...tags(temperature) }),
        ],
      ],
      { specs: [spec("xarray_dataset")], inlined: true, ...tags("public") },
    ),
  ];
}

/** Each entry is called after the tag that it bears; `cc` is data_C's. */
function tree() {
  const columns = [{ name: "x", values: int64(BigInt64Array.of(1n, 2n, 3n)) }];
  const box = (tag: string) =>
    container(
      [
        ["x", constantArray(1, [3], { metadata: { secret: tag, word: "needle" }, ...tags(tag) })],
        ["inherits", constantArray(1, [3])],
      ],
      { metadata: { owner: tag }, ...tags(tag) },
    );
  return {
    root: container(
      [
        ["a", box("data_A")],
        ["b", box("data_B")],
        ["cc", box("data_C")],
        ["d", box("data_D")],
        ["p", box("public")],
        ["none", container([["x", constantArray(1, [3], tags("public"))]], { accessTags: [] })],
        ["table", table(columns, 1, tags("data_C"))],
        dataset("data_A", "data_C"),
      ],
      { metadata: { title: "the root" }, ...tags("public") },
    ),
  };
}

type Open = TestApp & AsyncDisposable;

function open(policy: AccessPolicy = tagged()): Promise<Open> {
  return testApp({ tree: tree(), policy, authentication: { allowAnonymousAccess: true } });
}

type Credential = Record<string, string>;

async function who(t: Open, name: "alice" | "bob" | "cara" | "nobody"): Promise<Credential> {
  return name === "nobody" ? {} : bearer((await t.login(name)).access_token);
}

async function keyOf(
  t: Open,
  name: "alice" | "bob" | "cara",
  accessTags: readonly string[],
): Promise<Credential> {
  const scopes = ["read:metadata", "read:data"];
  return apikey(await t.makeKey((await t.login(name)).access_token, { scopes, access_tags: accessTags }));
}

const get = (t: Open, path: string, headers: Credential) => t.call({ url: `/api/v1/${path}`, headers });

async function keys(t: Open, headers: Credential, path = "search/") {
  const { data, meta } = (await get(t, path, headers)).json<{
    data: { id: string }[];
    meta: { count: number };
  }>();
  assert.equal(meta.count, data.length);
  return data.map(({ id }) => id);
}

const ALL = ["a", "b", "cc", "d", "p", "none", "table", "set"];

test("lists, counts and paths contain only visible nodes", async () => {
  await using t = await open();
  for (const [name, visible] of [
    ["nobody", ["d", "p", "set"]],
    ["bob", ["a", "cc", "d", "p", "table", "set"]],
    ["cara", ["a", "d", "p", "set"]],
    ["alice", ALL],
  ] as const) {
    const headers = await who(t, name);
    assert.deepEqual(await keys(t, headers), visible, name);
    assert.deepEqual(await keys(t, headers, "search/?fields=&sort=_"), visible, name);
    const { data } = (await get(t, "metadata/", headers)).json<{
      data: { attributes: { structure: { count: number }; access_tags: string[] } };
    }>();
    assert.equal(data.attributes.structure.count, visible.length, name);
    assert.deepEqual(data.attributes.access_tags, ["public"]);
    for (const key of ALL) {
      const status = (visible as readonly string[]).includes(key) ? 200 : 404;
      for (const path of key === "table" || key === "set" ? [key] : [key, `${key}/x`]) {
        const response = await get(t, `metadata/${path}`, headers);
        assert.equal(response.statusCode, status, `${name} ${path}`);
        if (status === 404)
          assert.equal(
            response.json<{ detail: string }>().detail,
            `No such entry: [${path
              .split("/")
              .map((part) => `'${part}'`)
              .join(", ")}]`,
          );
      }
    }
    // What is below something hidden is hidden, whatever its own tags say.
    assert.equal((await get(t, "array/full/none/x", headers)).statusCode, name === "alice" ? 200 : 404);
    const nowhere = await get(t, "metadata/nowhere", headers);
    assert.equal(nowhere.body, '{"detail":"No such entry: [\'nowhere\']"}');
  }
});

test("pages count only visible nodes, and their links lead to them", async () => {
  await using t = await open();
  const bob = await who(t, "bob");
  const seen: string[] = [];
  for (let url: string | null = "/api/v1/search/?page[limit]=2"; url !== null; ) {
    const page: { data: { id: string }[]; links: { next: string | null }; meta: { count: number } } = (
      await t.call({ url, headers: bob })
    ).json();
    assert.equal(page.meta.count, 6);
    seen.push(...page.data.map(({ id }) => id));
    url = page.links.next && new URL(page.links.next).pathname + new URL(page.links.next).search;
  }
  assert.deepEqual(seen, ["a", "cc", "d", "p", "table", "set"]);
});

test("searches, distinct values and walks find nothing hidden", async () => {
  await using t = await open();
  const nobody = await who(t, "nobody");
  const condition = "filter[eq][condition][key]=owner&filter[eq][condition][value]=%22data_A%22";
  assert.deepEqual(await keys(t, nobody, `search/?${condition}`), []);
  assert.deepEqual(await keys(t, await who(t, "bob"), `search/?${condition}`), ["a"]);
  assert.deepEqual(await keys(t, nobody, "search/?sort=-owner"), ["set", "p", "d"]);
  assert.deepEqual(await keys(t, nobody, "search/?filter[lookup][condition][key]=a"), []);
  const deep = await get(t, "search-deep/?filter[fulltext][condition][text]=needle", nobody);
  assert.deepEqual(
    deep
      .json<{ data: { links: { self: string } }[] }>()
      .data.map(({ links }) => links.self.split("/metadata/")[1]),
    ["d/x", "p/x"],
  );
  const distinct = await get(t, "distinct/?metadata=owner&structure_families=true&counts=true", nobody);
  assert.deepEqual(distinct.json(), {
    metadata: {
      owner: [
        { value: "data_D", count: 1 },
        { value: "public", count: 1 },
      ],
    },
    structure_families: [{ value: "container", count: 3 }],
    specs: null,
  });
  for (const name of ["nobody", "bob", "cara"] as const) {
    for (const path of [
      "search/",
      "search-deep/",
      "container/full/",
      "metadata/",
      "metadata/set",
      "distinct/?metadata=owner",
    ]) {
      const { body } = await get(t, path, await who(t, name));
      assert.doesNotMatch(body, /data_B|"b"/, `${name} ${path}`);
    }
  }
});

test("inlined contents and exports leave out hidden nodes", async () => {
  await using t = await open();
  const contents = async (headers: Credential) =>
    Object.keys(
      (await get(t, "metadata/set", headers)).json<{
        data: { attributes: { structure: { contents: object; count: number } } };
      }>().data.attributes.structure.contents,
    );
  assert.deepEqual(await contents(await who(t, "nobody")), []);
  assert.deepEqual(await contents(await who(t, "cara")), ["time"]);
  assert.deepEqual(await contents(await who(t, "bob")), ["time", "temperature"]);
  const csv = async (name: "bob" | "alice") =>
    (await get(t, "container/full/set?format=csv", await who(t, name))).body;
  // Bob may know of the temperature, but not read it.
  assert.equal(await csv("bob"), "\n\n\n");
  assert.equal(await csv("alice"), "temperature\n7\n8\n");
  const outline = (await get(t, "container/full/?format=json", await who(t, "nobody"))).json<{
    contents: object;
  }>();
  assert.deepEqual(Object.keys(outline.contents), ["d", "p", "set"]);
});

test("visible but unreadable nodes are 403, as are their columns and descendants", async () => {
  await using t = await open();
  const bob = await who(t, "bob");
  for (const path of [
    "array/full/cc/x",
    "array/block/cc/x?block=0",
    "array/full/cc/inherits",
    "table/full/table",
    "table/partition/table?partition=0",
    "array/full/table/x",
    "container/full/cc",
  ]) {
    const response = await get(t, path, bob);
    assert.equal(response.statusCode, 403, path);
    assert.equal(
      response.json<{ detail: string }>().detail,
      "Not enough permissions to perform this action on this node. Requires scopes ['read:data']. Principal had scopes ['read:metadata'] on this node.",
    );
    assert.equal((await get(t, path, await who(t, "cara"))).statusCode, 404, path);
    assert.equal((await get(t, path, await who(t, "alice"))).statusCode, 200, path);
  }
  assert.equal((await get(t, "metadata/table/x", bob)).statusCode, 200);
  assert.equal((await get(t, "array/full/a/inherits", bob)).statusCode, 200);
  assert.equal((await get(t, "array/full/a/inherits", {})).statusCode, 404);
});

test("nodes without their own tags show the inherited ones", async () => {
  await using t = await open();
  const alice = await who(t, "alice");
  for (const [path, expected] of [
    ["a/inherits", ["data_A"]],
    ["table/x", ["data_C"]],
    ["none", []],
  ] as const) {
    const { data } = (await get(t, `metadata/${path}`, alice)).json<{
      data: { attributes: { access_tags: unknown } };
    }>();
    assert.deepEqual(data.attributes.access_tags, expected);
  }
});

test("a key with access tags is narrowed on the whole way down", async () => {
  await using t = await open();
  for (const [name, accessTags, visible] of [
    ["alice", ["data_A"], []],
    ["alice", [], []],
    ["alice", ["public"], ["p", "set"]],
    ["alice", ["data_A", "public"], ["a", "p", "set"]],
    ["bob", ["data_C", "public"], ["cc", "p", "table", "set"]],
    ["bob", ["data_B", "public", "user:alice"], ["p", "set"]],
    ["cara", ["Public", "PUBLIC"], []],
  ] as const) {
    const key = await keyOf(t, name, accessTags);
    assert.deepEqual(await keys(t, key), visible, accessTags.join());
    assert.equal((await get(t, "metadata/a/x", key)).statusCode, visible.includes("a" as never) ? 200 : 404);
    assert.equal((await get(t, "metadata/d/x", key)).statusCode, 404);
  }
});

test("groups that the login named count for tokens and keys, from the policy's provider alone", async () => {
  const groups: Record<string, readonly string[]> = { toy: ["chemists"], other: [] };
  const authenticator = (provider: string): PasswordAuthenticator => ({
    kind: "password",
    confirmationMessage: "",
    authenticate: async (id) => ({ id, state: { memberOf: groups[provider] } }),
  });
  const { folder: here } = temporaryFile(
    after,
    "tags: {data_A: {groups: [{name: chemists, scopes: ['read:metadata']}]}}\n",
  );
  const policy = new TagBasedAccessPolicy(
    { provider: "toy", tag_definitions: "tags.yml", groups_claim: "memberOf" },
    { directory: here, warn: () => {} },
  );
  await using t = await testApp({
    tree: tree(),
    policy,
    authenticators: new Map(["toy", "other"].map((name) => [name, authenticator(name)])),
  });
  const logIn = async (name: string, provider = "toy") => {
    const response = await t.form(`/api/v1/auth/provider/${provider}/token`, {
      username: name,
      password: "x",
    });
    return response.json<{ access_token: string }>().access_token;
  };
  const seen = ["a", "p", "set"];
  const token = await logIn("dora");
  const key = apikey(await t.makeKey(token));
  assert.deepEqual(await keys(t, bearer(token)), seen);
  assert.deepEqual(await keys(t, key), seen);
  groups["other"] = ["chemists"];
  assert.deepEqual(await keys(t, bearer(await logIn("dora", "other"))), ["p", "set"]);
  assert.deepEqual(await keys(t, bearer(token)), seen);
  groups["toy"] = ["physicists"];
  await logIn("dora");
  t.clock.advance(1);
  assert.deepEqual(await keys(t, bearer(token)), ["p", "set"]);
  assert.deepEqual(await keys(t, key), ["p", "set"]);
});

test("a hidden root is an empty container without metadata", async () => {
  await using t = await open();
  const key = await keyOf(t, "alice", ["data_A"]);
  const { data } = (await get(t, "metadata/", key)).json<{ data: { attributes: Record<string, unknown> } }>();
  assert.deepEqual(data.attributes["metadata"], {});
  assert.equal(data.attributes["access_tags"], null);
  assert.deepEqual(data.attributes["structure"], { contents: null, count: 0 });
  assert.deepEqual((await get(t, "container/full/?format=json", key)).json(), { contents: {}, metadata: {} });
});

test("a change of roles or tags takes effect at once", async () => {
  const { folder: here, write } = temporaryFile(after, DEFINITIONS);
  const policy = new TagBasedAccessPolicy(
    { provider: "toy", tag_definitions: "tags.yml" },
    { directory: here, warn: () => {} },
  );
  await using t = await open(policy);
  const cara = await who(t, "cara");
  assert.deepEqual(await keys(t, cara), ["a", "d", "p", "set"]);
  write("tags: {data_B: {users: [{name: cara, scopes: ['read:metadata']}]}}\n");
  policy.reload();
  assert.deepEqual(await keys(t, cara), ["b", "p", "set"]);
  assert.equal((await get(t, "array/full/b/x", cara)).statusCode, 403);
});

test("credentials that may do less are not widened by a policy", async () => {
  await using t = await open({
    kind: "access_policy",
    scopesOn: () => ["read:metadata", "read:data", "admin:apikeys"],
  });
  const token = (await t.login("bob")).access_token;
  const narrow = apikey(await t.makeKey(token, { scopes: ["read:metadata"] }));
  assert.equal((await get(t, "metadata/a", narrow)).statusCode, 200);
  assert.equal((await get(t, "array/full/a/x", narrow)).statusCode, 401);
  const forTags = apikey(await t.makeKey(token, { scopes: ["read:metadata"], access_tags: ["data_A"] }));
  assert.equal((await get(t, "metadata/a", forTags)).statusCode, 404);
  assert.deepEqual(await keys(t, forTags), []);
});

test("a policy of one's own may look at more than tags", async () => {
  const asked: string[] = [];
  await using t = await open({
    kind: "access_policy",
    scopesOn: async ({ path, metadata }, caller) => {
      asked.push(path.join("/"));
      if (path.length === 0) return ["read:metadata"];
      return metadata["owner"] === "data_B" || caller.kind === "user" ? caller.scopes : [];
    },
  });
  assert.deepEqual(await keys(t, {}), ["b"]);
  // The root, each of its children once, and what is below the one that is shown.
  assert.deepEqual(asked, ["", ...ALL, "b/x", "b/inherits"]);
  assert.deepEqual(await keys(t, await who(t, "cara")), ALL);
});

test("the policy that restricts nothing leaves a key's own tags in force", async () => {
  await using t = await open(new DummyAccessPolicy());
  assert.deepEqual(await keys(t, {}), ALL);
  assert.equal((await get(t, "array/full/none/x", {})).statusCode, 200);
  assert.deepEqual(await keys(t, await keyOf(t, "bob", ["data_A", "public"])), ["a", "p", "set"]);
});

test("a policy that fails shows nothing", async () => {
  await using t = await open({
    kind: "access_policy",
    scopesOn: () => {
      throw new Error("broken");
    },
  });
  for (const path of ["metadata/", "metadata/a", "search/", "array/full/p/x"])
    assert.equal((await get(t, path, {})).statusCode, 500, path);
});

test("without anonymous access even public nodes need a credential", async () => {
  await using t = await testApp({ tree: tree(), policy: tagged() });
  assert.equal((await get(t, "metadata/p", {})).statusCode, 401);
  assert.equal((await get(t, "search/", {})).statusCode, 401);
});
