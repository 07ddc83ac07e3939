/** Payloads of notifications between servers: what one writes, another reads, within PostgreSQL's limit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "../../../src/domain/ports/changes.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import { type Notice, parsePayload, payloads } from "../../../src/store/postgres/notices.ts";

const from = { origin: "0123456789abcdef", number: 7 };
const changes = (count: number): Change[] =>
  Array.from({ length: count }, (_, index) => ({
    principal: newUuid(),
    what: index % 2 === 0 ? "anything" : "document",
  }));
const read = (effect: Notice["effect"]) => payloads({ ...from, effect }).map(parsePayload);

test("each effect is read as it was written", () => {
  const some = changes(3);
  assert.deepEqual(read(some), [{ ...from, effect: some }]);
  assert.deepEqual(read(some[0]), [{ ...from, effect: [some[0]] }]);
  assert.deepEqual(read("unknown"), [{ ...from, effect: "unknown" }]);
  assert.deepEqual(read("hello"), [{ ...from, effect: "hello" }]);
  assert.deepEqual([read(undefined), read([])], [[], []]);
});

test("many changes are several payloads below 8000 bytes, and too many are told as anything", () => {
  const many = changes(1000);
  const sent = payloads({ ...from, effect: many });
  assert.equal(sent.length, 5);
  assert.ok(sent.every((payload) => payload.length < 8000));
  assert.deepEqual(
    sent.flatMap((payload) => parsePayload(payload).effect),
    many,
  );
  assert.deepEqual(read(changes(5000)), [{ ...from, effect: "unknown" }]);
});

test("a payload of another form means that anything may have changed", () => {
  for (const payload of ["", "x", "0a 1 z", "0a 1 a", "0a 1 a1,", "2 0a 1 aabc", `0a 1 a${"b".repeat(65)}`])
    assert.deepEqual(parsePayload(payload).effect, "unknown", payload);
});

test("an id that is no uuid is told as anything", () => {
  for (const principal of ["it's", "a,b", "", "x".repeat(65)])
    assert.deepEqual(
      read({ principal: principal as Change["principal"], what: "anything" }),
      [{ ...from, effect: "unknown" }],
      principal,
    );
});
