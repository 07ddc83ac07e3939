import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutParameters } from "../../src/http/query.ts";

const NAMES = new Set(["api_key", "access_token"]);

for (const [url, expected] of [
  ["/x", "/x"],
  ["/x?", "/x?"],
  ["/x?a=1&b=%20+&c", "/x?a=1&b=%20+&c"],
  ["/x?api_key=1", "/x"],
  ["/x?a=%5B1%5D&api_key=1&b=2&access_token=3", "/x?a=%5B1%5D&b=2"],
  ["/x?api%5Fkey=1&a=1", "/x?a=1"],
  ["/x?%61pi_key=1&a=1", "/x?a=1"],
  ["/x?api_key&api_key=&a", "/x?a"],
  ["/x?API_KEY=1&my_api_key=2&api_key2=3", "/x?API_KEY=1&my_api_key=2&api_key2=3"],
  ["/x?a=api_key=1&%zz=api_key", "/x?a=api_key=1&%zz=api_key"],
  ["//x?a=1?api_key=2&api_key=3", "//x?a=1?api_key=2"],
] as const) {
  test(`${url} becomes ${expected}`, () => assert.equal(withoutParameters(url, NAMES), expected));
}
