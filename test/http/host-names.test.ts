import assert from "node:assert/strict";
import { test } from "node:test";
import { isHost, rememberedHosts } from "../../src/http/host-names.ts";

test("remembering hosts changes no answer, however many are asked for and in which order", () => {
  const remembers = rememberedHosts();
  const numbered = Array.from({ length: 600 }, (_, index) => `host${index}.test`);
  const texts = [
    "tiled.test",
    "tiled.test:99999",
    "1.2.3.256",
    "",
    "a b",
    "[::1]:80",
    `${"a.".repeat(200)}b`,
  ];
  for (const text of [...texts, ...texts, ...numbered, ...texts, ...numbered])
    assert.equal(remembers(text), isHost(text), text);
});
