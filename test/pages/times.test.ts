import assert from "node:assert/strict";
import { test } from "node:test";
import { day, past, waitText } from "../../src/pages/times.ts";

const NOW = Date.parse("2026-01-31T12:00:00Z");

test("what is near is told from now, what is far by its date", () => {
  const cases: readonly (readonly [seconds: number, text: string])[] = [
    [-5, "less than a minute ago"],
    [0, "less than a minute ago"],
    [60, "1 minute ago"],
    [3599, "59 minutes ago"],
    [3600, "1 hour ago"],
    [86_399, "23 hours ago"],
    [86_400, "1 day ago"],
    [30 * 86_400, "30 days ago"],
    [31 * 86_400, "on 31 December 2025"],
  ];
  for (const [seconds, text] of cases) {
    const { text: shown } = past(new Date(NOW - seconds * 1000), NOW);
    assert.equal(shown.replaceAll(/<[^>]+>/g, ""), text, String(seconds));
  }
});

test("the moment itself is there for programs, in UTC", () => {
  assert.equal(
    day(new Date("2026-03-01T23:30:00-05:00")).text,
    '<time datetime="2026-03-02T04:30:00Z">2 March 2026</time>',
  );
});

test("a wait is never shorter than it is said to be", () => {
  assert.deepEqual([1, 59, 60, 61, 300, 3600, 3601].map(waitText), [
    "in 1 second",
    "in 59 seconds",
    "in 1 minute",
    "in 2 minutes",
    "in 5 minutes",
    "in 1 hour",
    "in 2 hours",
  ]);
});
