import assert from "node:assert/strict";
import { test } from "node:test";
import { matcher } from "../../../src/trees/folder/glob.ts";

test("a star stays within a name, two cross names", () => {
  for (const [pattern, matching, others] of [
    ["run1/A", ["run1/A"], ["run1/a", "run1/AB", "run1", "x/run1/A", ""]],
    ["*", ["", "run1", "a.b"], ["run1/A"]],
    ["run*/A", ["run/A", "run12/A"], ["run/x/A", "run1/A/A", "run1"]],
    ["run1/*", ["run1/A", "run1/"], ["run1", "run1/A/B"]],
    ["run1/**", ["run1/A", "run1/A/B"], ["run1", "run12/A"]],
    ["**", ["", "run1", "run1/A/B"], []],
    ["**/A", ["A", "x/A", "x/y/A"], ["xA", "x/A/B", ""]],
    ["run1/**/A", ["run1/A", "run1/x/A", "run1/x/y/A"], ["run1A", "run1/xA"]],
    ["**/*_raw/**", ["a_raw/x", "q/a_raw/x/y"], ["a_raw", "a/x_raw"]],
    ["a**b", ["ab", "a/b", "axx/yb"], ["a", "b", "ab/"]],
    ["*a*a*b", ["aab", "xaxaxb"], ["ab", "aa", "a/ab"]],
    ["***", ["", "a/b"], []],
    ["a?[x]{y,z}.+()|^$\\", ["a?[x]{y,z}.+()|^$\\"], ["aX[x]{y,z}", "ax"]],
    ["größe/😀*", ["größe/😀", "größe/😀x"], ["größe/x"]],
  ] as const) {
    for (const path of matching) assert.ok(matcher(pattern)(path), `${pattern} should match ${path}`);
    for (const path of others) assert.ok(!matcher(pattern)(path), `${pattern} should not match ${path}`);
  }
});

test("no pattern takes long, whatever the path", () => {
  const started = performance.now();
  assert.equal(matcher(`${"*a".repeat(30)}b`)("a".repeat(4000)), false);
  assert.equal(matcher(`${"**/*".repeat(20)}b`)("a/".repeat(2000)), false);
  assert.ok(performance.now() - started < 5000);
});
