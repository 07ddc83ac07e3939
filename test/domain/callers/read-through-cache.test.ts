import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadThroughCache } from "../../../src/domain/callers/read-through-cache.ts";
import { Failure } from "../../../src/errors.ts";
import { ManualClock } from "../../support/clock.ts";

function scene() {
  const clock = new ManualClock();
  const loads: string[] = [];
  const waiting: ((value: string | undefined) => void)[] = [];
  const cache = new ReadThroughCache<string, string>((key) => {
    loads.push(key);
    return new Promise((resolve) => waiting.push(resolve));
  }, clock);
  return { clock, loads, cache, answer: (value: string | undefined) => waiting.shift()?.(value) };
}

test("a value is read once, answered synchronously while fresh and read again after half a second", async () => {
  const { clock, loads, cache, answer } = scene();
  const [first, second] = [cache.get("a"), cache.get("a")];
  answer("one");
  assert.deepEqual(await Promise.all([first, second]), ["one", "one"]);
  clock.advance(0.4);
  assert.equal(cache.get("a"), "one");
  clock.advance(0.2);
  const again = cache.get("a");
  answer("two");
  assert.equal(await again, "two");
  assert.deepEqual(loads, ["a", "a"]);
});

test("a value read before a change is never returned after it", async () => {
  const { cache, answer } = scene();
  const before = cache.get("a");
  cache.drop("a");
  const after = cache.get("a");
  answer("old");
  assert.equal(await before, "old");
  answer("new");
  assert.equal(await after, "new");
  assert.equal(cache.get("a"), "new");
});

test("a value read in another way does not replace one that was read later", async () => {
  const { clock, cache, answer } = scene();
  const mark = cache.mark();
  clock.advance(0.1);
  const later = cache.get("a");
  answer("new");
  await later;
  cache.keep("a", "old", mark);
  assert.equal(cache.get("a"), "new");
  cache.keep("a", "newest", cache.mark());
  assert.equal(cache.get("a"), "newest");
});

test("a missing value and a failed reading are not kept", async () => {
  const clock = new ManualClock();
  const answers = [
    () => Promise.resolve(undefined),
    () => Promise.reject(new Error("away")),
    () => Promise.resolve("there"),
  ];
  const cache = new ReadThroughCache<string, string>(
    () => answers.shift()?.() ?? Promise.resolve(undefined),
    clock,
  );
  assert.equal(await cache.get("a"), undefined);
  await assert.rejects(async () => await cache.get("a"), /away/);
  assert.equal(await cache.get("a"), "there");
});

test("a clock that is set back does not make an entry live longer", async () => {
  const { clock, cache, answer } = scene();
  const first = cache.get("a");
  answer("one");
  await first;
  clock.advance(-3600);
  assert.ok(cache.get("a") instanceof Promise);
});

/** Loads each key as itself, until `leave`. */
function leaving() {
  const clock = new ManualClock();
  let away = false;
  const cache = new ReadThroughCache<string, string>(async (key) => {
    if (away) throw new Failure("store_unavailable");
    return key;
  }, clock);
  return {
    clock,
    cache,
    leave: () => {
      away = true;
    },
  };
}

test("while the store is away, the last known value counts for a minute; a dropped one does not", async () => {
  const { clock, cache, leave } = leaving();
  await cache.get("a");
  await cache.get("b");
  leave();
  clock.advance(30);
  assert.equal(await cache.get("a"), "a");
  assert.equal(cache.get("a"), "a");
  cache.drop("b");
  await assert.rejects(async () => await cache.get("b"), { code: "store_unavailable" });
  clock.advance(31);
  await assert.rejects(async () => await cache.get("a"), { code: "store_unavailable" });
});

test("a clock that is set back does not make the last known value count for longer", async () => {
  const { clock, cache, leave } = leaving();
  await cache.get("a");
  leave();
  clock.advance(-3600);
  await assert.rejects(async () => await cache.get("a"), { code: "store_unavailable" });
});

test("a busy store is not unavailable: cached values do not live longer", async () => {
  const clock = new ManualClock();
  let failure: "store_busy" | "store_full" | undefined;
  const cache = new ReadThroughCache<string, string>(async (key) => {
    if (failure !== undefined) throw new Failure(failure);
    return key;
  }, clock);
  await cache.get("a");
  for (failure of ["store_busy", "store_full"] as const) {
    clock.advance(1);
    await assert.rejects(async () => await cache.get("a"), { code: failure });
  }
});

/** A store that takes its time to be found away. */
async function foundAway() {
  const clock = new ManualClock();
  const looks: {
    answer: (value: string) => void;
    fail: (code: "store_unavailable" | "store_busy") => void;
  }[] = [];
  const cache = new ReadThroughCache<string, string>(
    () => new Promise((answer, reject) => looks.push({ answer, fail: (code) => reject(new Failure(code)) })),
    clock,
  );
  const first = cache.get("a");
  looks.shift()?.answer("old");
  await first;
  clock.advance(10);
  const waiting = cache.get("a");
  assert.ok(waiting instanceof Promise);
  looks.shift()?.fail("store_unavailable");
  assert.equal(await waiting, "old");
  return { clock, looks, cache };
}

test("once the store is known to be unavailable, no call waits for the next attempt", async () => {
  const { clock, looks, cache } = await foundAway();
  clock.advance(0.6);
  assert.equal(cache.get("a"), "old");
  assert.equal(looks.length, 1);
  clock.advance(20);
  assert.equal(cache.get("a"), "old");
  assert.equal(looks.length, 1);
  looks.shift()?.answer("new");
  await Promise.resolve();
  // It has taken too long to be cache.
  const again = cache.get("a");
  looks.shift()?.answer("newer");
  assert.equal(await again, "newer");
});

test("a minute after it was read nothing counts, though the store is still looked for", async () => {
  const { clock, cache } = await foundAway();
  clock.advance(0.6);
  assert.equal(cache.get("a"), "old");
  clock.advance(50);
  assert.ok(cache.get("a") instanceof Promise);
});

test("a store that was away a while ago is waited for, and one that is busy since", async () => {
  const later = await foundAway();
  later.clock.advance(1.1);
  assert.ok(later.cache.get("a") instanceof Promise);
  const busy = await foundAway();
  busy.clock.advance(0.6);
  assert.equal(busy.cache.get("a"), "old");
  busy.looks.shift()?.fail("store_busy");
  await Promise.resolve();
  await Promise.resolve();
  assert.ok(busy.cache.get("a") instanceof Promise);
});

test("matching values are dropped, even while being read", async () => {
  const clock = new ManualClock();
  const loads: string[] = [];
  const cache = new ReadThroughCache<string, string>(async (key) => {
    loads.push(key);
    return key;
  }, clock);
  for (const key of ["aa 1", "aa 2", "bb 1"]) await cache.get(key);
  const reading = cache.get("aa 3");
  cache.dropWhere((key) => key.startsWith("aa"));
  assert.equal(await reading, "aa 3");
  for (const key of ["aa 1", "aa 2", "aa 3"]) assert.ok(cache.get(key) instanceof Promise, key);
  assert.equal(cache.get("bb 1"), "bb 1");
});

test("lookups of unknown names evict nothing", async () => {
  const clock = new ManualClock();
  let reads = 0;
  const cache = new ReadThroughCache<string, string>(async (key) => {
    reads++;
    return key === "known" ? "value" : undefined;
  }, clock);
  await cache.get("known");
  for (let index = 0; index < 25_000; index++) await cache.get(`unknown ${index}`);
  assert.equal(cache.get("known"), "value");
  assert.equal(reads, 25_001);
});
