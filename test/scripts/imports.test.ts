import assert from "node:assert/strict";
import { test } from "node:test";
import { circlesIn, type Graph, grouped, importsOf, roomOf, upwardIn } from "../../scripts/imports.ts";

const graph = (arrows: Readonly<Record<string, readonly string[]>>): Graph =>
  new Map(Object.entries(arrows).map(([from, to]) => [from, new Set(to)]));

test("an import is found in each of its forms, types included; packages and texts do not count", () => {
  const text = `
    import a from "./a.ts";
    import type { B } from "../b.ts";
    import { type C } from "./c/c.ts";
    export { d } from "./d.ts";
    export * from "./e.ts";
    export type { F } from "./f.ts";
    import "./g.ts";
    import ajv from "ajv";
    const h = await import("./h.ts");
    const text = 'import i from "./i.ts"'; // import j from "./j.ts"
  `;
  const found = [...importsOf("src/x/y.ts", text)].sort();
  assert.deepEqual(found, [
    "src/b.ts",
    "src/x/a.ts",
    "src/x/c/c.ts",
    "src/x/d.ts",
    "src/x/e.ts",
    "src/x/f.ts",
    "src/x/g.ts",
    "src/x/h.ts",
  ]);
});

test("a folder is a room apart from those inside it, and a file directly in src is one", () => {
  const paths = ["src/app.ts", "src/http/links.ts", "src/http/tree/walk.ts", "migrations/index.ts"];
  assert.deepEqual(paths.map(roomOf), ["app.ts", "http", "http/tree", "migrations"]);
});

test("a folder and one inside it that import each other are a circle, though no files are", () => {
  const files = graph({
    "src/http/a.ts": ["src/http/tree/b.ts"],
    "src/http/tree/b.ts": [],
    "src/http/tree/c.ts": ["src/http/d.ts"],
    "src/http/d.ts": [],
    "src/lib/e.ts": [],
  });
  assert.deepEqual(circlesIn(files), []);
  assert.deepEqual(circlesIn(grouped(files, roomOf)), [["http", "http/tree"]]);
});

test("a long circle is found once, beside others and what only leads to it", () => {
  const rooms = graph({ a: ["b"], b: ["c"], c: ["d", "e"], d: ["b"], e: ["f"], f: ["e"], g: ["g2"], g2: [] });
  assert.deepEqual(circlesIn(rooms), [
    ["b", "c", "d"],
    ["e", "f"],
  ]);
});

test("an arrow upward is found; a room inside another has its row, and one without a row is told", () => {
  const rows = [["cli"], ["http/people"], ["http", "store"], ["lib"]];
  const rooms = graph({
    cli: ["http/people", "lib"],
    "http/people": ["http", "http/tree"],
    "http/tree": ["http/people", "store"],
    store: ["http", "cli"],
    lib: [],
    attic: ["lib"],
  });
  assert.deepEqual(upwardIn(rooms, rows), [
    ["http/tree", "http/people"],
    ["store", "cli"],
    ["attic", "lib"],
  ]);
});
