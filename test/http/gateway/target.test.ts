import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readingsOf } from "../../../src/http/gateway/target.ts";

function readings(path: string) {
  const reasons: string[] = [];
  const read = readingsOf(path, (reason) => reasons.push(reason));
  return read ?? reasons;
}

describe("a path is read", () => {
  for (const [path, normal, ...others] of [
    ["/api/v1/metadata/A", "/api/v1/metadata/A"],
    ["/", "/"],
    ["/a.b/...c/.d./x", "/a.b/...c/.d./x"],
    ["/api/v1/metadata//box///gone", "/api/v1/metadata/box/gone"],
    ["/a%20b/%C3%A4", "/a b/ä"],
    ["/a%2Fb", "/a/b"],
    ["/100%25", "/100%"],
    ["/a%252Fb", "/a%2Fb", "/a/b"],
    ["/a;x=1/b", "/a;x=1/b", "/a/b"],
    ["/a%3Bx/b", "/a;x/b", "/a/b"],
  ] as const) {
    test(path, () => {
      assert.deepEqual(readings(path), {
        normal,
        all: [normal, ...others].map((reading) => reading.toLowerCase()),
      });
    });
  }
});

describe("a path that servers read differently is refused", () => {
  for (const [path, reason] of [
    ["/a/../b", /'\.' or '\.\.'/],
    ["/a/./b", /'\.' or '\.\.'/],
    ["/..", /'\.' or '\.\.'/],
    ["/a/..", /'\.' or '\.\.'/],
    ["/a/%2e%2e/b", /'\.' or '\.\.'/],
    ["/a/.%2E/b", /'\.' or '\.\.'/],
    ["/a%2f..%2fb", /'\.' or '\.\.'/],
    ["/a/%252e%252e/b", /'\.' or '\.\.'/],
    ["/a/..;x/b", /'\.' or '\.\.'/],
    ["/a/..%3b/b", /'\.' or '\.\.'/],
    ["/a\\b", /backslash/],
    ["/a%5Cb", /backslash/],
    ["/a%255Cb", /backslash/],
    ["/a%25/%252e%252e/b", /'\.' or '\.\.'/],
    ["/a%25ff/%252e%252e/b", /'\.' or '\.\.'/],
    ["/a%00", /NUL/],
    ["/a%2500", /NUL/],
    ["/a%zz", /percent-encoded/],
    ["/a%ff", /percent-encoded/],
    ["/a%", /percent-encoded/],
    ["/a\u00e4", /characters/],
    ["/a b", /characters/],
    ["/a#b", /characters/],
    ["a", /characters/],
    ["", /characters/],
  ] as const) {
    test(JSON.stringify(path), () => {
      const [why] = readings(path) as string[];
      assert.match(why ?? "", reason);
    });
  }
});
