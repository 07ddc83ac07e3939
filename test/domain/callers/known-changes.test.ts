/** A cache in front of a store that knows what has changed: nothing is read twice while nothing changes, and nothing old is used. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CacheOptions, ReadThroughCache } from "../../../src/domain/callers/read-through-cache.ts";
import { Failure } from "../../../src/errors.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";
import { ScriptedChanges } from "../../support/changes.ts";
import { ManualClock } from "../../support/clock.ts";

interface Value {
  readonly owner: string;
  readonly text: string;
}

/** Values of the owner that the key begins with. `answer` answers the oldest reading under way. */
function scene(options: CacheOptions<Value> = {}) {
  const clock = new ManualClock();
  const changes = new ScriptedChanges();
  const waiting: {
    readonly key: string;
    readonly resolve: (value: Value) => void;
    fail(error: Error): void;
  }[] = [];
  let reads = 0;
  const cache = new ReadThroughCache<string, Value>(
    (key) => {
      reads += 1;
      return new Promise((resolve, fail) => waiting.push({ key, resolve, fail }));
    },
    clock,
    { changes, ownerOf: ({ owner }) => owner as Uuid, ...options },
  );
  const answer = (text: string) => {
    const reading = waiting.shift();
    reading?.resolve({ owner: reading.key.slice(0, 1), text });
  };
  const fail = (code: "store_unavailable") => waiting.shift()?.fail(new Failure(code));
  const read = async (key: string, text: string) => {
    const reading = cache.get(key);
    answer(text);
    return await reading;
  };
  const know = () => {
    changes.told = clock.now();
  };
  know();
  return { clock, changes, cache, answer, fail, read, know, reads: () => reads };
}

test("a value is read once for as long as the store knows of no change", async () => {
  const { clock, cache, read, know, reads } = scene();
  const first = await read("a1", "one");
  for (let second = 0; second < 100; second++) {
    clock.advance(1);
    know();
    assert.equal(cache.get("a1"), first);
    assert.equal(cache.peek("a1"), first);
  }
  assert.equal(reads(), 1);
});

test("half a second after the store last knew, a value is read again", async () => {
  const { clock, cache, read, know } = scene();
  const first = await read("a1", "one");
  clock.advance(10);
  know();
  clock.advance(0.4);
  assert.equal(cache.get("a1"), first);
  clock.advance(0.1);
  assert.equal(cache.peek("a1"), undefined);
  assert.equal((await read("a1", "two"))?.text, "two");
});

test("a clock that is set back does not make the store know for longer", async () => {
  const { clock, cache, read, know } = scene();
  await read("a1", "one");
  clock.advance(10);
  know();
  clock.advance(-3600);
  assert.ok(cache.get("a1") instanceof Promise);
});

test("what was read in an earlier era is read again, and stays the same object if it is the same", async () => {
  const { clock, changes, cache, read, know } = scene({ isSame: (one, other) => one.text === other.text });
  const first = await read("a1", "one");
  clock.advance(1);
  changes.beginEra();
  know();
  assert.ok(cache.get("a1") instanceof Promise);
  // The same reading, since it is under way.
  assert.equal(await read("a1", "one"), first);
});

test("a reading that began before an era ends with it", async () => {
  const { clock, changes, cache, answer, know } = scene();
  const reading = cache.get("a1");
  changes.beginEra();
  answer("old");
  assert.equal((await reading)?.text, "old");
  clock.advance(0.5);
  know();
  assert.ok(cache.get("a1") instanceof Promise);
});

test("a change drops what belongs to its principal, and nothing else", async () => {
  const { changes, cache, read } = scene();
  for (const key of ["a1", "a2", "b1"]) await read(key, "one");
  changes.tell("a");
  for (const key of ["a1", "a2"]) assert.ok(cache.get(key) instanceof Promise, key);
  assert.equal((cache.get("b1") as Value).text, "one");
});

test("a value that was read before a change of its principal is not kept after it", async () => {
  const { changes, cache, answer } = scene();
  // Whose it is, only the answer tells.
  const before = cache.get("a1");
  changes.tell("a");
  const after = cache.get("a1");
  assert.notEqual(after, before);
  answer("old");
  await before;
  assert.ok(cache.get("a1") instanceof Promise);
  answer("new");
  assert.equal((await after)?.text, "new");
  assert.equal((cache.get("a1") as Value).text, "new");
});

test("a value read in another way before a change or an era is not used after it", async () => {
  const { clock, changes, cache, know } = scene();
  const changed = cache.mark();
  changes.tell("b");
  cache.keep("a1", { owner: "a", text: "old" }, changed);
  assert.equal(cache.peek("a1"), undefined);
  const aged = cache.mark();
  changes.beginEra();
  cache.keep("a1", { owner: "a", text: "old" }, aged);
  clock.advance(0.5);
  know();
  assert.equal(cache.peek("a1"), undefined);
});

test("changes that do not concern a cache leave it as it is", async () => {
  const { changes, cache, read } = scene({ concerns: ({ what }) => what === "anything" });
  const first = await read("a1", "one");
  changes.tell("a", "document");
  assert.equal(cache.get("a1"), first);
});

test("a value that ends by itself is read again then", async () => {
  const clock = new ManualClock();
  const end = clock.now() + 60_000;
  const changes = new ScriptedChanges();
  const cache = new ReadThroughCache<string, string>(async (key) => key, clock, {
    changes,
    endOf: () => end,
  });
  await cache.get("a");
  for (const [seconds, known] of [
    [59, true],
    [1, false],
  ] as const) {
    clock.advance(seconds);
    changes.told = clock.now();
    assert.equal(cache.get("a") === "a", known);
  }
});

test("if the store goes away, what it knew a moment ago counts for a minute from then", async () => {
  const { clock, cache, read, know, fail } = scene();
  const first = await read("a1", "one");
  clock.advance(3600);
  know();
  clock.advance(59);
  const reading = cache.get("a1");
  fail("store_unavailable");
  assert.equal(await reading, first);
  clock.advance(2);
  const late = cache.get("a1");
  fail("store_unavailable");
  await assert.rejects(async () => await late, { code: "store_unavailable" });
});

test("the same holds for what was known until an era began", async () => {
  const { clock, changes, cache, read, know, fail } = scene();
  const first = await read("a1", "one");
  clock.advance(3600);
  know();
  changes.beginEra();
  clock.advance(50);
  const reading = cache.get("a1");
  fail("store_unavailable");
  assert.equal(await reading, first);
});

test("entries take so many bytes and no more; the oldest go first", async () => {
  const { cache, read } = scene({ maxBytes: 10_000, sizeOf: ({ text }) => text.length });
  for (const key of ["a1", "b1", "c1"]) await read(key, "x".repeat(3000));
  for (const key of ["a1", "b1", "c1"]) assert.ok(cache.has(key), key);
  await read("d1", "x".repeat(3000));
  assert.deepEqual(
    ["a1", "b1", "c1", "d1"].map((key) => cache.has(key)),
    [false, true, true, true],
  );
  // One that takes more than all may is not kept, and drops no other.
  await read("e1", "x".repeat(20_000));
  assert.deepEqual(
    ["b1", "c1", "d1", "e1"].map((key) => cache.has(key)),
    [true, true, true, false],
  );
});

test("dropped entries free their bytes", async () => {
  const { changes, cache, read } = scene({ maxBytes: 10_000, sizeOf: ({ text }) => text.length });
  await read("z1", "x".repeat(3000));
  for (let round = 0; round < 20; round++) {
    await read("a1", "x".repeat(3000));
    changes.tell("a");
    await read("b1", "x".repeat(3000));
    cache.drop("b1");
  }
  assert.ok(cache.has("z1"));
});
