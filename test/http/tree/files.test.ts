/** A folder behind the API: its names in URLs, and what no URL reaches. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { testApp } from "../../support/app.ts";
import { type Content, Folder, npy, open as openFolder } from "../../trees/files/support.ts";

async function served(t: TestContext, content: Content, directory = ".") {
  const folder = new Folder(t.after.bind(t), content);
  const { tree } = await openFolder(folder, { directory });
  const app = await testApp({ tree, providers: false, authentication: { allowAnonymousAccess: true } });
  t.after(() => app.close());
  return { app, folder };
}

test("links work for names of every kind", async (t) => {
  const names = [
    "a.b.c",
    "größe 日本 😀",
    "100%",
    "a%2Fb",
    "%2e%2e",
    "a\\b",
    "x\ny",
    "a?b#c&d=e",
    "__proto__",
    "+",
    "e\u0301",
  ];
  const { app } = await served(
    t,
    Object.fromEntries(names.map((name, index) => [`sub/${name}.npy`, npy([index])])),
  );
  const { data } = (await app.call("/api/v1/search/sub")).json<{
    data: { id: string; links: Record<string, string> }[];
  }>();
  assert.deepEqual(new Set(data.map(({ id }) => id)), new Set(names));
  for (const { id, links } of data) {
    for (const link of ["self", "full"]) {
      const { pathname } = new URL(links[link] ?? "");
      assert.equal((await app.call(pathname)).statusCode, 200, `${id} ${pathname}`);
    }
    const bytes = (await app.call(new URL(links["full"] ?? "").pathname)).rawPayload;
    assert.equal(bytes.readInt32LE(), names.indexOf(id), id);
  }
});

test("a path of any length, as far as there is one", async (t) => {
  const deep = `${"folder/".repeat(100)}a.npy`;
  const { app } = await served(t, { [deep]: npy([7]) });
  const response = await app.call(`/api/v1/array/full/${"folder/".repeat(100)}a`);
  assert.equal(response.rawPayload.readInt32LE(), 7);
  assert.equal((await app.call(`/api/v1/metadata/${"folder/".repeat(1000)}a`)).statusCode, 404);
});

test("no URL leads out of the folder", async (t) => {
  const { app, folder } = await served(
    t,
    { "in/a.npy": npy([1]), "in/sub/b.npy": npy([2]), "secret.npy": npy([666]), "out/x.npy": npy([667]) },
    "in",
  );
  symlinkSync("../secret.npy", folder.at("in/link.npy"));
  symlinkSync("../out", folder.at("in/linked"));
  for (const path of [
    "../secret",
    "sub/../../secret",
    "%2e%2e/secret",
    "sub/%2e%2e/%2e%2e/secret",
    "..%2fsecret",
    "%2e%2e%2fsecret",
    "..%5csecret",
    "..\\secret",
    "sub/..%252f..%252fsecret",
    "link",
    "linked/x",
    "%00",
    "a%00.npy",
    "a.npy",
    "//etc/passwd",
    encodeURIComponent(folder.at("secret")),
    "sub%2fb%2f..%2f..%2fsecret",
    "file:%2f%2f%2fetc%2fpasswd",
  ]) {
    for (const route of ["metadata", "array/full", "search", "table/full", "container/full", "distinct"]) {
      const response = await app.call(`/api/v1/${route}/${path}`);
      assert.ok(
        response.statusCode === 404 || response.statusCode === 400,
        `${route} ${path}: ${response.statusCode}`,
      );
      assert.ok(!response.rawPayload.includes(Buffer.from(Int32Array.of(666).buffer)));
      assert.ok(!response.body.includes(folder.path), response.body);
    }
  }
});

test("a list leaves out an unreadable file", async (t) => {
  const { app, folder } = await served(t, {
    "a.npy": npy([1]),
    "b.npy": "no array",
    "c.csv": "a\n1,2\n",
    "d.csv": "a\n1\n",
  });
  const list = async () => {
    const { data, meta } = (await app.call("/api/v1/search/")).json<{
      data: { id: string }[];
      meta: { count: number };
    }>();
    return [meta.count, data.map(({ id }) => id)];
  };
  assert.deepEqual(await list(), [4, ["a", "d"]]);
  assert.deepEqual(await list(), [2, ["a", "d"]]);
  for (const path of ["metadata/b", "array/full/b", "metadata/c", "table/full/c"])
    assert.equal((await app.call(`/api/v1/${path}`)).statusCode, 404, path);
  folder.write({ "b.npy": npy([5]) });
  assert.deepEqual(await list(), [3, ["a", "b", "d"]]);
});

test("tables and their columns, in every format", async (t) => {
  const { app } = await served(t, { "t.csv": 'n,x,word,flag\n1,0.5,"a,b",True\n2,,,False\n' });
  for (const [path, body] of [
    ["table/full/t?format=json", '{"n":[1,2],"x":[0.5,null],"word":["a,b",null],"flag":[true,false]}'],
    ["table/full/t?format=csv", 'n,x,word,flag\n1,0.5,"a,b",True\n2,nan,,False\n'],
    ["array/full/t/word?format=json", '["a,b",""]'],
    ["array/full/t/flag?format=json", "[true,false]"],
    ["array/full/t/n?format=json&slice=::-1", "[2,1]"],
  ] as const) {
    const response = await app.call(`/api/v1/${path}`);
    assert.equal(response.body, body, path);
  }
  const { tableFromIPC } = await import("apache-arrow");
  const table = tableFromIPC((await app.call("/api/v1/table/full/t?format=arrow")).rawPayload);
  assert.deepEqual(
    table.schema.fields.map(({ name, type }) => `${name} ${type}`),
    ["n Int64", "x Float64", "word Utf8", "flag Bool", "__index_level_0__ Int64"],
  );
  assert.deepEqual(
    table.toArray().map((row) => Object.values((row as { toJSON(): object }).toJSON())),
    [
      [1n, 0.5, "a,b", true, 0n],
      [2n, Number.NaN, null, false, 1n],
    ],
  );
});
