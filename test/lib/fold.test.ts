import assert from "node:assert/strict";
import { test } from "node:test";
import { foldName } from "../../src/lib/fold.ts";

test("spellings of one name", () => {
  for (const [left, right] of [
    ["alice", "ALICE"],
    ["Straße", "STRASSE"],
    ["zo\u00eb", "ZOE\u0308"],
    ["\uff41lice", "Alice"],
    ["ΟΔΥΣΣΕΥΣ", "οδυσσευς"],
    ["ς", "Σ"],
    ["ﬁeld", "FIELD"],
    ["\u212aim", "kim"],
    ["alice", " alice "],
    ["alice", "al\u00adice"],
    ["alice", "alice\u200b"],
    ["alice", "al\ufe00ice"],
    ["ada lovelace", "Ada \u00a0Lovelace"],
    ["ada@example.org", "Ada@Example.ORG"],
  ] as const) {
    assert.equal(foldName(left), foldName(right), `${left} ${right}`);
    assert.equal(foldName(foldName(left)), foldName(left));
  }
});

test("other names", () => {
  for (const [left, right] of [
    ["alice", "alice2"],
    ["zoe", "zo\u00eb"],
    ["\u0131lker", "ilker"],
    ["a b", "ab"],
  ] as const) {
    assert.notEqual(foldName(left), foldName(right), `${left} ${right}`);
  }
});
