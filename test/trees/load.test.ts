import assert from "node:assert/strict";
import { test } from "node:test";
import { OperatorError } from "../../src/errors.ts";
import { loadTrees } from "../../src/trees/load.ts";
import type { TreeNode } from "../../src/trees/model/contract.ts";
import { ManualClock } from "../support/clock.ts";

const MINIMAL = "tiled.examples.generated_minimal:tree";
const at = (path: string, tree = MINIMAL) => ({ path, tree, args: {}, accessTags: null });
const CONTEXT = { directory: ".", clock: new ManualClock(), warn: () => {} };

async function keys(node: TreeNode | undefined): Promise<readonly string[]> {
  assert.ok(node?.family === "container");
  return (await node.entries({ offset: 0, limit: 100 })).map(([key]) => key);
}

test("one tree is the root, several are mounted in containers", async () => {
  const { root } = await loadTrees([at("/")], CONTEXT);
  assert.deepEqual(await keys(root), ["A", "B", "C", "D"]);
  assert.deepEqual(root.metadata, { thing: "stuff" });

  const several = (await loadTrees([at("/b/c"), at("a/"), at("/b/d/e"), at("/2"), at("/1")], CONTEXT)).root;
  assert.deepEqual(await keys(several), ["b", "a", "2", "1"]);
  assert.deepEqual(several.metadata, {});
  assert.equal(await several.count(), 4);
  const b = await several.child("b");
  assert.deepEqual(await keys(b), ["c", "d"]);
  assert.ok(b?.family === "container");
  assert.deepEqual(await keys(await b.child("c")), ["A", "B", "C", "D"]);
  assert.equal(await several.child("constructor"), undefined);
  assert.deepEqual(await keys((await loadTrees([], CONTEXT)).root), []);
});

test("a tree's tags are those of its root, and listed", async () => {
  const accessTags = ["public"];
  const tree = await loadTrees([{ ...at("/a"), accessTags }, at("/b")], CONTEXT);
  assert.deepEqual(tree.tags?.(), accessTags);
  assert.equal(tree.root.accessTags, null);
  assert.deepEqual((await tree.root.child("a"))?.accessTags, accessTags);
  assert.equal((await tree.root.child("b"))?.accessTags, null);
});

test("trees that cannot be served stop the start with the reason", async () => {
  for (const [entries, message] of [
    [[at("/x", "my_package:tree")], /my_package:tree \(at \/x\).*run it in a real Tiled.*generated_minimal/],
    [[at("/", "constructor")], /real Tiled/],
    [[at("/"), at("/a")], /\/a overlaps another one/],
    [[at("/a"), at("/")], /overlaps another one/],
    [[at("/a/b"), at("/a")], /overlaps another one/],
    [[at("/a"), at("/a")], /overlaps another one/],
    [[at("/a"), at("/a/b/c")], /overlaps another one/],
  ] as const) {
    await assert.rejects(
      loadTrees(entries, CONTEXT),
      (error) => error instanceof OperatorError && message.test(error.message),
    );
  }
});
