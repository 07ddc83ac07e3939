import assert from "node:assert/strict";
import { test } from "node:test";
import { constantArray, container, spec } from "../../../src/trees/memory/memory.ts";
import type { Entry } from "../../../src/trees/model/contract.ts";
import { FILTERS } from "../../../src/trees/search/filters.ts";
import { isOwnOrder, rankedBy, sortRanked } from "../../../src/trees/search/sorting.ts";

const ENTRIES: readonly Entry[] = [
  [
    "red",
    constantArray(1, [2], {
      metadata: { color: "red", n: 3, sample: { name: "Au Foil", tags: ["a", "b"] } },
    }),
  ],
  [
    "blue",
    constantArray(1, [2], { metadata: { color: "blue", n: 1, nothing: null }, specs: [spec("image")] }),
  ],
  ["none", container([], { metadata: { n: "text" }, specs: [spec("image"), spec("scan")] })],
];

function found(name: string, values: Readonly<Record<string, string>>): string {
  const filter = FILTERS[name]?.make(values);
  assert.ok(typeof filter === "function", name);
  return ENTRIES.filter(filter)
    .map(([key]) => key)
    .join(" ");
}

test("each kind of filter finds what it names", () => {
  for (const [name, values, expected] of [
    ["fulltext", { text: "foil" }, "red"],
    ["fulltext", { text: "FOIL blue" }, "red blue"],
    ["fulltext", { text: "foi" }, ""],
    ["fulltext", { text: " " }, ""],
    ["lookup", { key: "blue" }, "blue"],
    ["keys_filter", { keys: '["none","red","no such"]' }, "red none"],
    ["eq", { key: "color", value: '"red"' }, "red"],
    ["eq", { key: "sample.name", value: '"Au Foil"' }, "red"],
    ["eq", { key: "sample.tags", value: '["a","b"]' }, "red"],
    ["eq", { key: "nothing", value: "null" }, "blue"],
    ["eq", { key: "color.length", value: "3" }, ""],
    ["eq", { key: "__proto__", value: "{}" }, ""],
    ["eq", { key: "", value: "{}" }, ""],
    ["noteq", { key: "color", value: '"red"' }, "blue"],
    ["comparison", { operator: "lt", key: "n", value: "3" }, "blue"],
    ["comparison", { operator: "le", key: "n", value: "3" }, "red blue"],
    ["comparison", { operator: "gt", key: "n", value: "1" }, "red"],
    ["comparison", { operator: "ge", key: "n", value: '"a"' }, "none"],
    ["contains", { key: "sample.tags", value: '"b"' }, "red"],
    ["contains", { key: "color", value: '"r"' }, ""],
    ["in", { key: "n", value: "[1, 2]" }, "blue"],
    ["notin", { key: "n", value: "[1, 2]" }, "red none"],
    ["keypresent", { key: "nothing", exists: "true" }, "blue"],
    ["keypresent", { key: "nothing", exists: "False" }, "red none"],
    ["specs", { include: '["image"]', exclude: '["scan"]' }, "blue"],
    ["specs", { include: "[]", exclude: "[]" }, "red blue none"],
    ["structure_family", { value: "container" }, "none"],
    ["structure_family", { value: "sparse" }, ""],
  ] as const) {
    assert.equal(found(name, values), expected, `${name} ${JSON.stringify(values)}`);
  }
});

test("an invalid value is reported by its field", () => {
  for (const [name, values, field] of [
    ["eq", { key: "a", value: "{" }, "value"],
    ["in", { key: "a", value: "1" }, "value"],
    ["keys_filter", { keys: "a" }, "keys"],
    ["specs", { include: "[]", exclude: "1" }, "exclude"],
    ["comparison", { operator: "toString", key: "a", value: "1" }, "operator"],
    ["keypresent", { key: "a", exists: "" }, "exists"],
    ["keypresent", { key: "a", exists: "constructor" }, "exists"],
    ["structure_family", { value: "" }, "value"],
  ] as const) {
    const unreadable = FILTERS[name]?.make(values);
    assert.ok(typeof unreadable === "object", name);
    assert.equal(unreadable.field, field, name);
  }
});

test("sorting is stable, and puts entries without the key last", () => {
  const order = (...items: readonly [string, 1 | -1][]) => {
    const sorting = items.map(([key, direction]) => ({ key, direction }));
    const ranked = ENTRIES.map((entry) => rankedBy(sorting, entry));
    return sortRanked(ranked, sorting)
      .map(({ key }) => key)
      .join(" ");
  };
  assert.equal(order(), "red blue none");
  assert.equal(order(["_", -1]), "none blue red");
  assert.equal(order(["color", 1]), "blue red none");
  assert.equal(order(["color", -1]), "none red blue");
  // Numbers before texts.
  assert.equal(order(["n", 1]), "blue red none");
  assert.equal(order(["missing", 1], ["_", -1]), "none blue red");
  assert.ok(isOwnOrder([{ key: "_", direction: 1 }]));
  assert.ok(!isOwnOrder([{ key: "_", direction: -1 }]));
  assert.ok(!isOwnOrder([{ key: "color", direction: 1 }]));
});
