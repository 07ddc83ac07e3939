import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seconds } from "../../src/yaml/durations.ts";

// The readings of the reference (pydantic), but "900", which it refuses.
const READ: readonly (readonly [string | number, number])[] = [
  [900, 900],
  [1.5, 1.5],
  ["900", 900],
  [" 900 ", 900],
  ["PT15M", 900],
  ["P7D", 604_800],
  ["P1W", 604_800],
  ["P1M", 2_592_000],
  ["P1Y", 31_536_000],
  ["P1Y2M3DT4H", 36_993_600],
  ["PT0.5H", 1800],
  ["P0.5D", 43_200],
  ["PT1.5S", 1.5],
  ["00:15:00", 900],
  ["24:00:00", 86_400],
  ["15:00", 54_000],
  ["PT1,5S", 1.5],
  ["00:00:00.5", 0.5],
  ["7 days, 00:00:00", 604_800],
  ["7 days 00:00:00", 604_800],
  ["7 days", 604_800],
  ["7days, 00:00:00", 604_800],
  ["7D, 00:00:00", 604_800],
  ["1 day, 01:00:00", 90_000],
  ["365 d 00:00:00", 31_536_000],
];

const REFUSED: readonly (string | number)[] = [
  0,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  4e9,
  "",
  " ",
  "0",
  "-900",
  "1e3",
  "PT0S",
  "-PT5M",
  "P",
  "PT",
  "pt5m",
  "00:90:00",
  "00:00:61",
  "7 00:00:00",
  "7 weeks",
  "P101Y",
  "99999999999999999999",
  "PT15M; rm",
  `P${"9".repeat(80)}D`,
];

describe("durations", () => {
  for (const [value, expected] of READ) {
    it(`${JSON.stringify(value)} is ${expected} s`, () => assert.equal(seconds(value), expected));
  }
  for (const value of REFUSED) {
    it(`${JSON.stringify(value)} is none`, () => assert.equal(seconds(value), undefined));
  }
});
