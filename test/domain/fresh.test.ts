import assert from "node:assert/strict";
import { test } from "node:test";
import { FreshCache } from "../../src/domain/fresh.ts";
import { Failure } from "../../src/errors.ts";
import { ManualClock } from "../../src/lib/clock.ts";

function cache() {
  const clock = new ManualClock();
  const loads: string[] = [];
  const waiting: ((value: string | undefined) => void)[] = [];
  const fresh = new FreshCache<string, string>((key) => {
    loads.push(key);
    return new Promise((resolve) => waiting.push(resolve));
  }, clock);
  return { clock, loads, fresh, answer: (value: string | undefined) => waiting.shift()?.(value) };
}

test("a value is read once, answered synchronously while fresh and read again after half a second", async () => {
  const { clock, loads, fresh, answer } = cache();
  const [first, second] = [fresh.get("a"), fresh.get("a")];
  answer("one");
  assert.deepEqual(await Promise.all([first, second]), ["one", "one"]);
  clock.advance(0.4);
  assert.equal(fresh.get("a"), "one");
  clock.advance(0.2);
  const again = fresh.get("a");
  answer("two");
  assert.equal(await again, "two");
  assert.deepEqual(loads, ["a", "a"]);
});

test("what was read before a change is never answered after it", async () => {
  const { fresh, answer } = cache();
  const before = fresh.get("a");
  fresh.drop("a");
  const after = fresh.get("a");
  answer("old");
  assert.equal(await before, "old");
  answer("new");
  assert.equal(await after, "new");
  assert.equal(fresh.get("a"), "new");
});

test("a missing value and a failed reading are not kept", async () => {
  const clock = new ManualClock();
  const answers = [
    () => Promise.resolve(undefined),
    () => Promise.reject(new Error("away")),
    () => Promise.resolve("there"),
  ];
  const fresh = new FreshCache<string, string>(
    () => answers.shift()?.() ?? Promise.resolve(undefined),
    clock,
  );
  assert.equal(await fresh.get("a"), undefined);
  await assert.rejects(async () => await fresh.get("a"), /away/);
  assert.equal(await fresh.get("a"), "there");
});

test("a clock that is set back does not make an entry live longer", async () => {
  const { clock, fresh, answer } = cache();
  const first = fresh.get("a");
  answer("one");
  await first;
  clock.advance(-3600);
  assert.ok(fresh.get("a") instanceof Promise);
});

test("while the store is away, the last known value counts for a minute; a dropped one does not", async () => {
  const clock = new ManualClock();
  let away = false;
  const fresh = new FreshCache<string, string>(async (key) => {
    if (away) throw new Failure("store_unavailable");
    return key;
  }, clock);
  await fresh.get("a");
  await fresh.get("b");
  away = true;
  clock.advance(30);
  assert.equal(await fresh.get("a"), "a");
  assert.equal(fresh.get("a"), "a");
  fresh.drop("b");
  await assert.rejects(async () => await fresh.get("b"), { code: "store_unavailable" });
  clock.advance(31);
  await assert.rejects(async () => await fresh.get("a"), { code: "store_unavailable" });
});
