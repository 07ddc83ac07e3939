import assert from "node:assert/strict";
import { test } from "node:test";
import { testApp } from "../../support/app.ts";

const open = () => testApp({ providers: false, authentication: { allowAnonymousAccess: true } });

interface Page {
  readonly data: readonly {
    readonly id: string;
    readonly attributes: { readonly ancestors: readonly string[] };
  }[];
  readonly links: { readonly self: string; readonly first: string; readonly next: string | null };
  readonly meta: { readonly count: number };
}

const API = "http://localhost:80/api/v1";

function filter(name: string, fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([field, value]) => `filter[${name}][condition][${field}]=${encodeURIComponent(value)}`)
    .join("&");
}

test("a page has the links to the next and to the first one", async () => {
  await using t = await open();
  const page = async (query: string) => {
    const response = await t.call(`/api/v1/search/?fields=&${query}`);
    assert.equal(response.headers["cache-control"], "must-revalidate");
    const { data, links, meta } = response.json<Page>();
    const short = (link: string | null) => link?.replace(`${API}/search/?`, "");
    return [
      data.map(({ id }) => id).join(""),
      short(links.self),
      short(links.first),
      short(links.next),
      meta.count,
    ];
  };
  for (const [query, expected] of [
    ["", ["ABCD", "page[limit]=100", "page[limit]=100", undefined, 4]],
    ["page[limit]=3", ["ABC", "page[limit]=3", "page[limit]=3", "page[offset]=3&page[limit]=3", 4]],
    [
      "page%5Boffset%5D=1&page%5Blimit%5D=2&sort=_",
      ["BC", "page[offset]=1&page[limit]=2", "page[limit]=2", "page[offset]=3&page[limit]=2", 4],
    ],
    ["page[offset]=2&page[limit]=2", ["CD", "page[offset]=2&page[limit]=2", "page[limit]=2", undefined, 4]],
    ["page[offset]=9", ["", "page[offset]=9&page[limit]=100", "page[limit]=100", undefined, 4]],
    ["page[limit]=0", ["", "page[limit]=0", "page[limit]=0", undefined, 4]],
    ["page[limit]=300", ["ABCD", "page[limit]=300", "page[limit]=300", undefined, 4]],
    ["sort=-_&page[limit]=1", ["D", "page[limit]=1", "page[limit]=1", "page[offset]=1&page[limit]=1", 4]],
    ["sort=&sort=-color", ["DCBA", "page[limit]=100", "page[limit]=100", undefined, 4]],
  ] as const) {
    assert.deepEqual(await page(query), expected, query);
  }
});

test("pages that cannot be are refused", async () => {
  await using t = await open();
  for (const [query, status, type] of [
    ["page[limit]=301", 422, "less_than_equal"],
    ["page[limit]=-1", 422, "greater_than_equal"],
    ["page[limit]=x", 422, "int_parsing"],
    ["page[limit]=", 422, "int_parsing"],
    ["page[limit]=1.5", 422, "int_parsing"],
    ["page[offset]=-1", 422, "greater_than_equal"],
    ["page[offset]=99999999999999999999", 422, "less_than_equal"],
    ["page[cursor]=1", 400, null],
    ["page[cursor]=1&page[offset]=1", 400, null],
    ["sort=a%20b", 422, "string_pattern_mismatch"],
    ["sort=x&sort=-x", 400, null],
    ["sort=-&sort=x", 400, null],
    ["fields=nope", 422, "enum"],
    ["max_depth=6", 422, "less_than_equal"],
  ] as const) {
    const response = await t.call(`/api/v1/search/?${query}`);
    assert.equal(response.statusCode, status, query);
    if (type === null) continue;
    const { detail } = response.json<{ detail: readonly { type: string; loc: readonly string[] }[] }>();
    assert.deepEqual([detail[0]?.type, detail[0]?.loc[0], detail.length], [type, "query", 1], query);
  }
  assert.equal((await t.call("/api/v1/search/A")).statusCode, 404);
  assert.equal((await t.call("/api/v1/search/C")).statusCode, 404);
});

test("filters narrow the list and the count, together with others", async () => {
  await using t = await open();
  const array = filter("structure_family", { value: "array" });
  for (const [query, found] of [
    [filter("fulltext", { text: "stuff" }), ""],
    [filter("eq", { key: "attrs", value: "{}" }), "D"],
    [filter("eq", { key: "x", value: "1" }), ""],
    [filter("lookup", { key: "A" }), "A"],
    [`${filter("lookup", { key: "A" })}&${filter("lookup", { key: "B" })}`, ""],
    [`${filter("lookup", { key: "A" })}&${array}`, "A"],
    [`${filter("lookup", { key: "C" })}&${array}`, ""],
    [array, "AB"],
    [filter("specs", { include: '["dataframe"]', exclude: "[]" }), "C"],
    [filter("keys_filter", { keys: '["D","A"]' }), "AD"],
    [`${array}&sort=-_`, "BA"],
    [`${array}&page[offset]=1`, "B"],
  ] as const) {
    const { data } = (await t.call(`/api/v1/search/?fields=&${query}`)).json<Page>();
    assert.equal(data.map(({ id }) => id).join(""), found, query);
  }
  const count = (await t.call(`/api/v1/search/?fields=count&${array}`)).json<Page>();
  assert.deepEqual([count.data, count.meta], [[], { count: 2 }]);
});

test("filters that are not known, not supported or not readable are refused, without their values", async () => {
  await using t = await open();
  for (const [query, status] of [
    [filter("nope", { text: "secretive" }), 422],
    [filter("fulltext", { nope: "secretive" }), 422],
    [filter("constructor", { key: "secretive" }), 422],
    ["filter[eq]=secretive", 422],
    ["filter=secretive", 422],
    [filter("eq", { key: "secretive" }), 422],
    [filter("eq", { key: "x", value: "secretive" }), 422],
    [`${filter("eq", { key: "x", value: "1" })}&${filter("eq", { key: "secretive" })}`, 422],
    [filter("in", { key: "x", value: '"secretive"' }), 422],
    [filter("comparison", { operator: "secretive", key: "x", value: "1" }), 422],
    [filter("comparison", { operator: "constructor", key: "x", value: "1" }), 422],
    [filter("keypresent", { key: "x", exists: "secretive" }), 422],
    [filter("structure_family", { value: "secretive" }), 422],
    [filter("like", { key: "x", pattern: '"secretive"' }), 400],
    [filter("regex", { key: "x", pattern: "(secretive+)+$", case_sensitive: "true" }), 400],
  ] as const) {
    const response = await t.call(`/api/v1/search/?${query}`);
    assert.equal(response.statusCode, status, query);
    assert.doesNotMatch(response.body, /secretive/, query);
  }
});

test("a deep search walks down, with paths in the links", async () => {
  await using t = await open();
  const ids = async (query: string) => {
    const page = (await t.call(`/api/v1/search-deep/${query}`)).json<Page>();
    return page.data.map(({ id, attributes }) => [...attributes.ancestors, id].join("/"));
  };
  assert.deepEqual(await ids(""), ["A", "B", "C", "D", "D/temperature", "D/time"]);
  assert.deepEqual(await ids("?max_depth=1"), ["A", "B", "C", "D"]);
  assert.deepEqual(await ids("?page[offset]=3&page[limit]=2&fields="), ["D", "D/temperature"]);
  assert.deepEqual(await ids("D"), ["D/temperature", "D/time"]);
  assert.deepEqual(await ids(`?${filter("specs", { include: '["xarray_coord"]', exclude: "[]" })}`), [
    "D/time",
  ]);
  for (const [query, status] of [
    ["?sort=_", 400],
    ["?max_depth=0", 422],
    ["?max_depth=65", 422],
    ["A", 404],
  ] as const) {
    assert.equal((await t.call(`/api/v1/search-deep/${query}`)).statusCode, status, query);
  }
});

test("distinct values are counted on request", async () => {
  await using t = await open();
  const distinct = async (query: string) => (await t.call(`/api/v1/distinct/${query}`)).json<unknown>();
  const frame = { name: "dataframe", version: null };
  const dataset = { name: "xarray_dataset", version: null };
  assert.deepEqual(await distinct(""), { metadata: null, structure_families: null, specs: null });
  assert.deepEqual(await distinct("?structure_families=true&counts=true&metadata=attrs&metadata=x"), {
    metadata: { attrs: [{ value: {}, count: 1 }], x: [] },
    structure_families: [
      { value: "array", count: 2 },
      { value: "table", count: 1 },
      { value: "container", count: 1 },
    ],
    specs: null,
  });
  assert.deepEqual(await distinct("?specs=true"), {
    metadata: null,
    structure_families: null,
    specs: [
      { value: [], count: null },
      { value: [frame], count: null },
      { value: [dataset], count: null },
    ],
  });
  assert.deepEqual(await distinct(`?specs=true&${filter("lookup", { key: "D" })}`), {
    metadata: null,
    structure_families: null,
    specs: [{ value: [dataset], count: null }],
  });
  assert.equal((await t.call("/api/v1/distinct/A")).statusCode, 404);
});
