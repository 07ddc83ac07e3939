/** The reference of the configuration is that of today's schema, and each key in it is described. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { configurationPage, PAGE } from "../../scripts/configuration-page.ts";

test("the page is made from today's schema", async () => {
  assert.equal(await readFile(PAGE, "utf8"), configurationPage(), "run: npm run docs");
});

test("every key has a description", () => {
  const bare = configurationPage()
    .split("\n")
    .filter((line) => /^\| `.*\| +\|$/.test(line));
  assert.deepEqual(bare, []);
});
