import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "@msgpack/msgpack";
import { testApp } from "../../support/app.ts";

const open = () => testApp({ providers: false, authentication: { allowAnonymousAccess: true } });

interface Node {
  readonly id: string;
  readonly attributes: Record<string, unknown>;
  readonly links: Record<string, string> | null;
}

const API = "http://localhost:80/api/v1";
const NOTHING = {
  ancestors: [],
  structure_family: null,
  specs: null,
  metadata: null,
  structure: null,
  access_tags: null,
  sorting: null,
  data_sources: null,
};

function variable(name: string, kind: string) {
  return {
    id: name,
    attributes: {
      ancestors: ["D"],
      structure_family: "array",
      specs: [{ name: kind, version: null }],
      metadata: { attrs: {} },
      structure: {
        data_type: { endianness: "little", kind: "i", itemsize: 8, dt_units: null },
        chunks: [[3]],
        shape: [3],
        dims: ["time"],
        resizable: false,
      },
      access_tags: null,
      sorting: null,
      data_sources: null,
    },
    links: {
      self: `${API}/metadata/D/${name}`,
      full: `${API}/array/full/D/${name}`,
      block: `${API}/array/block/D/${name}?block={0}`,
    },
    meta: null,
  };
}

test("a dataset includes its variables in its structure, unless too deep", async () => {
  await using t = await open();
  const get = async (path: string) => (await t.call(`/api/v1/metadata/${path}`)).json<{ data: Node }>().data;
  const contents = {
    temperature: variable("temperature", "xarray_data_var"),
    time: variable("time", "xarray_coord"),
  };
  assert.deepEqual((await get("D")).attributes["structure"], { contents, count: 2 });
  assert.deepEqual((await get("D?max_depth=0")).attributes["structure"], { contents: null, count: 2 });
  assert.deepEqual(await get("D/time"), contents.time);
  assert.deepEqual((await get("")).attributes["structure"], { contents: null, count: 4 });
});

test("only the requested fields are shown", async () => {
  await using t = await open();
  const attributes = async (query: string) => {
    const { data } = (await t.call(`/api/v1/metadata/${query}`)).json<{ data: Node }>();
    return data.attributes;
  };
  assert.deepEqual(await attributes("A?fields="), NOTHING);
  assert.deepEqual(await attributes("?fields="), { ...NOTHING, structure_family: "container" });
  assert.deepEqual(await attributes("?fields=metadata&fields=count"), {
    ...NOTHING,
    structure_family: "container",
    metadata: { thing: "stuff" },
    structure: { contents: null, count: 4 },
  });
  assert.deepEqual(await attributes("?fields=sorting"), {
    ...NOTHING,
    structure_family: "container",
    sorting: [{ key: "_", direction: 1 }],
  });
  assert.deepEqual(await attributes("C?fields=specs&fields=count"), {
    ...NOTHING,
    specs: [{ name: "dataframe", version: null }],
  });
  assert.deepEqual((await attributes("?select_metadata=thing"))["metadata"], { selected: "stuff" });
  assert.deepEqual((await attributes("A?select_metadata=thing.more"))["metadata"], { selected: null });
  assert.deepEqual((await attributes("?select_metadata=constructor"))["metadata"], { selected: null });
});

test("parameters that make no sense are refused, without their values", async () => {
  await using t = await open();
  for (const [query, status] of [
    ["fields=secretive", 422],
    ["fields=metadata&fields=secretive", 422],
    ["omit_links=secretive", 422],
    ["max_depth=secretive", 422],
    ["max_depth=6", 422],
    ["max_depth=-1", 422],
    ["select_metadata=secretive[", 400],
    ["select_metadata=", 400],
  ] as const) {
    const response = await t.call(`/api/v1/metadata/A?${query}`);
    assert.equal(response.statusCode, status, query);
    assert.doesNotMatch(response.body, /secretive/);
  }
});

test("the last of repeated parameters counts; unknown ones are ignored", async () => {
  await using t = await open();
  const query = "omit_links=true&omit_links=false&what=ever";
  const { data } = (await t.call(`/api/v1/metadata/A?${query}`)).json<{ data: Node }>();
  assert.equal(data.links?.["self"], `${API}/metadata/A`);
});

test("clients before 0.2.19 get access_blob, at every depth", async () => {
  await using t = await open();
  for (const [agent, older] of [
    ["python-tiled/0.2.18", true],
    ["python-tiled/0.2.19a1", true],
    ["python-tiled/0.2.19", false],
    ["python-tiled/1.0.0", false],
    ["python-tiled/garbage", false],
    ["Mozilla/5.0", false],
  ] as const) {
    for (const path of ["metadata/D", "metadata/D?fields=", "search/?fields=", "search/D"]) {
      const { body } = await t.call({ url: `/api/v1/${path}`, headers: { "user-agent": agent } });
      assert.equal(body.includes('"access_blob":null'), older, `${agent} ${path}`);
      assert.equal(body.includes("access_tags"), !older, `${agent} ${path}`);
    }
  }
});

test("unknown paths are 404 or 400, however they are written", async () => {
  await using t = await open();
  for (const [path, detail] of [
    ["nope", "No such entry: ['nope']"],
    ["A/x", "No such entry: ['A', 'x']"],
    ["D/time/x", "No such entry: ['D', 'time', 'x']"],
    ["C/nope", "No such entry: ['C', 'nope']"],
    ["it's", `No such entry: ["it's"]`],
    ["it's%22", `No such entry: ['it\\'s"']`],
    ["a%5Cb%00%0A", "No such entry: ['a\\\\b\\x00\\n']"],
    ["%C3%A9", "No such entry: ['\u00e9']"],
    ["__proto__", "No such entry: ['__proto__']"],
    ["C/constructor", "No such entry: ['C', 'constructor']"],
  ] as const) {
    const response = await t.call(`/api/v1/metadata/${path}`);
    assert.equal(response.statusCode, 404, path);
    assert.deepEqual(response.json(), { detail });
  }
  for (const path of ["%", "%zz", "%E9", "x/".repeat(3000), "y".repeat(6000)]) {
    const { statusCode } = await t.call(`/api/v1/metadata/${path}`);
    assert.ok(statusCode === 404 || statusCode === 400, `${path.slice(0, 9)}: ${statusCode}`);
  }
  for (const same of ["A/", "/A", "A//", "%41"]) {
    const { data } = (await t.call(`/api/v1/metadata/${same}`)).json<{ data: Node }>();
    assert.equal(data.links?.["self"], `${API}/metadata/A`, same);
  }
});

test("both formats say the same, and an unchanged document is not sent again", async () => {
  await using t = await open();
  for (const path of ["", "A", "B", "C", "D", "C/x"]) {
    const url = `/api/v1/metadata/${path}`;
    const json = await t.call(url);
    const msgpack = await t.call({ url, headers: { accept: "application/x-msgpack" } });
    assert.equal(msgpack.headers["content-type"], "application/x-msgpack");
    assert.deepEqual(decode(msgpack.rawPayload), json.json(), path);
    const again = await t.call({ url, headers: { "if-none-match": String(json.headers.etag) } });
    assert.equal(again.statusCode, 304);
    assert.equal(again.body, "");
  }
});

test("other methods are refused with the ones that are allowed", async () => {
  await using t = await open();
  for (const path of ["metadata/A", "search/", "array/full/A", "table/partition/C", "container/full/D"]) {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"] as const) {
      const response = await t.call({ method, url: `/api/v1/${path}` });
      assert.equal(response.statusCode, 405, `${method} ${path}`);
      assert.match(String(response.headers.allow), /^GET\b/);
    }
  }
});

test("metadata need read:metadata, data need read:data", async () => {
  await using t = await testApp({ providers: false });
  for (const [path, scope] of [
    ["metadata/A", "read:metadata"],
    ["search/", "read:metadata"],
    ["search-deep/", "read:metadata"],
    ["distinct/", "read:metadata"],
    ["array/full/A", "read:data"],
    ["array/block/A?block=0,0", "read:data"],
    ["table/partition/C?partition=0", "read:data"],
    ["table/full/C", "read:data"],
    ["container/full/D", "read:data"],
    // Refused before it is looked at.
    ["array/full/nope?slice=x", "read:data"],
  ] as const) {
    const response = await t.call(`/api/v1/${path}`);
    assert.equal(response.statusCode, 401, path);
    assert.equal(response.headers["www-authenticate"], `Bearer scope="${scope}"`, path);
  }
});
