/** Lines that are written past pino are pino's lines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type LoggerOptions, pino } from "pino";
import { eventLines, INFO, jsonText } from "../../src/lib/log-lines.ts";

const PATHS = ["/api/v1/", '/a"b\\c\n\u2028\ud800\u00e9\u007f\u0000', "\u009b31m\u202e", ""];

function bothWays(options: LoggerOptions, bindings = {}): readonly [string[], string[]] {
  const lines: string[] = [];
  const logger = pino(options, { write: (line) => void lines.push(line) }).child(bindings);
  for (const path of PATHS) logger.info({ path, status: 200, address: null }, "request");
  const theirs = lines.splice(0);
  const ours = eventLines(logger, "request");
  for (const path of PATHS)
    if (ours.writes(INFO)) ours.write(INFO, `"path":${jsonText(path)},"status":200,"address":null`);
  return [theirs, lines];
}

for (const [what, options, bindings] of [
  ["as it is", { base: null, timestamp: () => ',"time":1' }, {}],
  ["with times as texts", { base: null, timestamp: () => ',"time":"2026-01-01T00:00:00.000Z"' }, {}],
  ["without times", { base: null, timestamp: false }, {}],
  ["with a name, and a child's facts", { base: { name: "x" }, timestamp: false }, { worker: 1 }],
] as const) {
  test(`a line is the same as pino's: ${what}`, () => {
    const [theirs, ours] = bothWays(options, bindings);
    assert.equal(theirs.length, PATHS.length);
    assert.deepEqual(
      ours.map((line) => JSON.parse(line)),
      theirs.map((line) => JSON.parse(line)),
    );
    assert.deepEqual(Object.keys(JSON.parse(ours[0] ?? "")), Object.keys(JSON.parse(theirs[0] ?? "")));
    for (const line of ours) assert.match(line, /^[^\p{Cc}\p{Cf}\p{Zl}]+\n$/u);
  });
}

test("nothing is written where the level leaves it out", () => {
  assert.deepEqual(bothWays({ base: null, level: "warn" }), [[], []]);
  assert.deepEqual(bothWays({ base: null, level: "silent" }), [[], []]);
});
