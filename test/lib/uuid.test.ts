import assert from "node:assert/strict";
import { test } from "node:test";
import { newUuid, parseUuid, uuidHex } from "../../src/lib/uuid.ts";

test("a UUID is read with and without dashes, in any case, and becomes one form", () => {
  const canonical = "0189f7ea-ae2f-7d3c-8000-0123456789ab";
  for (const text of [canonical, canonical.toUpperCase(), canonical.replaceAll("-", "")]) {
    assert.equal(parseUuid(text), canonical);
  }
  assert.equal(parseUuid(newUuid())?.length, 36);
});

test("other texts are undefined, never an error", () => {
  const odd = [
    "",
    "xyz",
    "0189f7eaae2f-7d3c-8000-0123456789ab",
    `${"0".repeat(32)} `,
    `{${"0".repeat(32)}}`,
    5,
    null,
    undefined,
    {},
  ];
  for (const value of odd) assert.equal(parseUuid(value), undefined, String(value));
});

test("the hex form has 32 digits", () => {
  assert.match(uuidHex(newUuid()), /^[0-9a-f]{32}$/);
});
