import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fromSqlite,
  readList,
  readTime,
  toSqlite,
  writeList,
  writeState,
  writeTime,
} from "../../../src/store/base/codec.ts";

test("lists are written as Python's json.dumps writes them", () => {
  assert.equal(writeList([]), "[]");
  assert.equal(writeList(["a", "b"]), '["a", "b"]');
  // json.dumps(["é", "\U0001F511", "\x7f", "\x00", '"', "\\", "\n", "/", "\u2028"])
  assert.equal(
    writeList(["é", "\u{1F511}", "\x7f", "\x00", '"', "\\", "\n", "/", "\u2028"]),
    '["\\u00e9", "\\ud83d\\udd11", "\x7f", "\\u0000", "\\"", "\\\\", "\\n", "/", "\\u2028"]',
  );
});

test("lists are read back, and nothing else is taken for one", () => {
  const list = ["é", "\u{1F511}", "\0", '"\\', ""];
  assert.deepEqual(readList(writeList(list)), list);
  for (const text of ["{}", "null", '"a"', "1"]) assert.throws(() => readList(text), TypeError);
  assert.throws(() => readList("[1"), SyntaxError);
});

test("in a login's state only characters that PostgreSQL cannot store are replaced", () => {
  const kept = { "é\u{1F511}": ['\u0001\n\t"\\', "\\u0000", "\\\\ud800", "\ufffd", 1, null, { a: true }] };
  assert.deepEqual(JSON.parse(writeState(kept)), kept);
  assert.equal(writeState(kept), JSON.stringify(kept));
  const broken = { "a\0": ["\ud800", "b\udc00\ud800c", "\\\0\\\udfff", { "\udbff": "\0\0" }] };
  assert.deepEqual(JSON.parse(writeState(broken)), {
    "a\ufffd": ["\ufffd", "b\ufffd\ufffdc", "\\\ufffd\\\ufffd", { "\ufffd": "\ufffd\ufffd" }],
  });
});

test("times are written with microseconds and read with and without", () => {
  const time = new Date("2026-01-31T02:03:04.056Z");
  assert.equal(writeTime(time), "2026-01-31 02:03:04.056000");
  assert.deepEqual(readTime("2026-01-31 02:03:04.056000"), time);
  assert.deepEqual(readTime("2026-01-31 02:03:04.056789"), time);
  assert.deepEqual(readTime("2026-01-31 02:03:04"), new Date("2026-01-31T02:03:04Z"));
  assert.throws(() => writeTime(new Date("+010000-01-01T00:00:00Z")), RangeError);
  assert.throws(() => writeTime(new Date(Number.NaN)), RangeError);
});

test("values are decoded by the declared type of their column", () => {
  assert.deepEqual(fromSqlite("DATETIME")?.("2026-01-31 02:03:04"), new Date("2026-01-31T02:03:04Z"));
  assert.equal(fromSqlite("datetime")?.(null), null);
  assert.deepEqual(
    [fromSqlite("BOOLEAN")?.(1), fromSqlite("BOOLEAN")?.(0), fromSqlite("BOOLEAN")?.(null)],
    [true, false, null],
  );
  assert.deepEqual(fromSqlite("JSON")?.('{"a":[1]}'), { a: [1] });
  assert.equal(fromSqlite("JSON")?.(null), null);
  for (const type of ["VARCHAR(36)", "INTEGER", "BLOB", null]) assert.equal(fromSqlite(type), undefined);
  assert.deepEqual(
    [toSqlite(true), toSqlite(false), toSqlite(null), toSqlite("a"), toSqlite(1)],
    [1, 0, null, "a", 1],
  );
  assert.equal(toSqlite(new Date("2026-01-31T02:03:04Z")), "2026-01-31 02:03:04.000000");
});
