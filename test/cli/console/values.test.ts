import assert from "node:assert/strict";
import { test } from "node:test";
import { firstEight, port, since, whole } from "../../../src/cli/console/values.ts";

const REFUSED = { code: "commander.invalidArgument" };

test("whole numbers and ports", () => {
  assert.equal(whole("007"), 7);
  assert.equal(port("0"), 0);
  assert.equal(port("65535"), 65_535);
  for (const text of ["", "-1", "1.5", "1e3", "0x10", " 1", "9".repeat(16)]) {
    assert.throws(() => whole(text), REFUSED, text);
  }
  assert.throws(() => port("65536"), REFUSED);
});

test("a key is named by its first eight digits, in any case; a whole one will do", () => {
  assert.equal(firstEight("0123ABCD"), "0123abcd");
  assert.equal(firstEight(`0123abcd${"f".repeat(64)}`), "0123abcd");
  for (const text of ["", "0123abc", "0123abcg", "0123abcd-"]) {
    assert.throws(() => firstEight(text), REFUSED, text);
  }
});

test("a point in time is UTC unless it says otherwise, or so long ago", () => {
  const time = (text: string) => ({ kind: "time", time: new Date(text) });
  assert.deepEqual(since("2026-01-31"), time("2026-01-31T00:00:00Z"));
  assert.deepEqual(since("2026-01-31T12:00"), time("2026-01-31T12:00:00Z"));
  assert.deepEqual(since("2026-01-31T12:00:00"), time("2026-01-31T12:00:00Z"));
  assert.deepEqual(since("2026-01-31T12:00:00+02:00"), time("2026-01-31T10:00:00Z"));
  assert.deepEqual(since("2026-01-31 12:00:00.5+0200"), time("2026-01-31T10:00:00.500Z"));
  assert.deepEqual(since("2028-02-29"), time("2028-02-29T00:00:00Z"));
  assert.deepEqual(since("90s"), { kind: "ago", seconds: 90 });
  assert.deepEqual(since("2h"), { kind: "ago", seconds: 7_200 });
  assert.deepEqual(since("7d"), { kind: "ago", seconds: 604_800 });
  for (const text of [
    "",
    "yesterday",
    "5",
    "2026-13-01",
    "12:00",
    "7y",
    "2026-11-31",
    "2026-02-29T12:00",
    "2026-01-31T25:00",
    "2026-01-31 noon",
  ]) {
    assert.throws(() => since(text), REFUSED, text);
  }
});
