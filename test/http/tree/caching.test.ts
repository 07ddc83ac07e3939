/** Caching headers of the tree's answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, testApp } from "../../support/app.ts";

const PATHS = [
  "/api/v1/metadata/A",
  "/api/v1/search/",
  "/api/v1/search-deep/",
  "/api/v1/distinct/?structure_families=true",
  "/api/v1/array/full/A?slice=0,0",
  "/api/v1/array/block/A?block=0,0",
  "/api/v1/table/partition/C?partition=0",
  "/api/v1/table/full/C",
  "/api/v1/container/full/D",
  "/api/v1/metadata/nope",
];

test("an answer to a known caller is that caller's alone, an anonymous one is not", async () => {
  await using t = await testApp({ authentication: { allowAnonymousAccess: true } });
  const headers = bearer((await t.login("alice")).access_token);
  for (const url of PATHS) {
    const known = await t.call({ url, headers });
    assert.match(String(known.headers["cache-control"]), /\bprivate\b/, url);
    assert.equal(known.headers["vary"], "Accept, Authorization, Cookie", url);
    const anonymous = await t.call(url);
    assert.doesNotMatch(String(anonymous.headers["cache-control"]), /\bprivate\b/, url);
    assert.equal(anonymous.headers["vary"], "Accept, Authorization, Cookie", url);
  }
});

test("the origin stays in Vary", async () => {
  await using t = await testApp({
    authentication: { allowAnonymousAccess: true },
    allowOrigins: ["https://app.example.org"],
  });
  assert.equal((await t.call("/api/v1/metadata/A")).headers["vary"], "Origin, Accept, Authorization, Cookie");
});
