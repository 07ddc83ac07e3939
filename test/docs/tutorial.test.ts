/** The configuration of docs/tutorial/first-server.md loads at each step, and its errors are those that the page shows. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { load } from "../config/support.ts";

const page = await readFile(new URL("../../docs/tutorial/first-server.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) => text);
const env = {
  ALICE_PASSWORD: "correct-horse",
  BOB_PASSWORD: "battery-staple",
  SECRET_KEY: "5ce1f0a97b3d2846".repeat(2),
};

test("each step's configuration loads without a warning", () => {
  assert.equal(blocks.length, 2);
  for (const steps of [blocks.slice(0, 1), blocks]) assert.deepEqual(load(steps.join(""), env).warnings, []);
});

test("the error on the page is the one that the check prints", () => {
  const [shown = ""] = /^config\.yml:\d+: (.*)$/m.exec(page)?.slice(1) ?? [];
  assert.throws(
    () => load(blocks[0] ?? "", {}),
    (error: Error) => error.message.includes(shown),
  );
});
