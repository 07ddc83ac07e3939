import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget, type Holder } from "../../src/lib/budget.ts";

class Refused extends Error {}

const known = (key: string): Holder => ({ key, known: true });
const unknown = (key: string): Holder => ({ key, known: false });
const turn = () => new Promise((resolve) => setImmediate(resolve));

function budget(bytes = 100, waiting = { each: 4, all: 6 }) {
  return new Budget({ bytes, timeout: 5000, waiting, refusal: () => new Refused() });
}

/** Whether it is taken at once. */
async function taken(turnOf: Promise<unknown>): Promise<boolean> {
  const waits = Symbol();
  return (await Promise.race([turnOf, turn().then(() => waits)])) !== waits;
}

test("bytes given back go to answers that wait, and count once", async () => {
  const all = budget();
  const releases = await Promise.all(["a", "b", "c", "d"].map((key) => all.take(25, known(key))));
  const fifth = all.take(20, known("e"));
  assert.equal(await taken(fifth), false);
  releases[0]?.();
  releases[0]?.();
  const release = await fifth;
  assert.equal(all.used, 95);
  release();
  for (const end of releases) end();
  assert.equal(all.used, 0);
});

test("one holder has a quarter, or a single answer", async () => {
  const all = budget();
  const large = await all.take(60, known("a"));
  assert.equal(await taken(all.take(1, known("a"))), false);
  assert.equal(await taken(all.take(20, known("b"))), true);
  assert.equal(await taken(all.take(10, known("b"))), false);
  large();
});

test("unknown holders share half of it, so that known ones get in", async () => {
  const all = budget();
  for (const key of ["a", "b"]) await all.take(25, unknown(key));
  assert.equal(await taken(all.take(1, unknown("c"))), false);
  assert.equal(await taken(all.take(25, known("d"))), true);
});

test("an answer larger than the whole budget runs alone", async () => {
  const all = budget();
  const large = await all.take(500, unknown("a"));
  assert.equal(await taken(all.take(1, known("b"))), false);
  large();
  await turn();
  assert.equal(all.used, 1);
});

test("an answer that waits too long, or comes when too many wait, is refused", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const all = budget();
  await all.take(100, known("a"));
  const waiting = Array.from({ length: 4 }, () => all.take(1, known("b")));
  await assert.rejects(all.take(1, known("b")), Refused);
  waiting.push(all.take(1, known("c")), all.take(1, known("d")));
  await assert.rejects(all.take(1, known("e")), Refused);
  t.mock.timers.tick(5000);
  for (const one of waiting) await assert.rejects(one, Refused);
  assert.equal(all.used, 100);
});
