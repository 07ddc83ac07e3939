import assert from "node:assert/strict";
import { test } from "node:test";
import { mapConcurrently, Semaphore } from "../../src/lib/semaphore.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

class TooLate extends Error {}

function scene(permits: number) {
  const semaphore = new Semaphore({ permits, timeout: 5000, onTimeout: () => new TooLate() });
  const begun: { readonly name: string; end(): void; fail(error: Error): void }[] = [];
  const run = (name: string) =>
    semaphore.run(() => new Promise<string>((end, fail) => begun.push({ name, end: () => end(name), fail })));
  return { semaphore, begun, run, names: () => begun.map(({ name }) => name) };
}

test("at most so many at a time, the others in the order of their arrival", async () => {
  const { begun, run, names } = scene(2);
  const all = ["a", "b", "c", "d"].map(run);
  await turn();
  assert.deepEqual(names(), ["a", "b"]);
  begun[1]?.fail(new Error("no"));
  await assert.rejects(all[1] ?? Promise.resolve(), /no/);
  await turn();
  assert.deepEqual(names(), ["a", "b", "c"]);
  begun[0]?.end();
  await turn();
  assert.deepEqual(names(), ["a", "b", "c", "d"]);
  for (const { end } of begun) end();
  assert.deepEqual(await Promise.all([all[0], all[2], all[3]]), ["a", "c", "d"]);
});

test("a caller that waited too long gets an error, and takes no other caller's place", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { begun, run, names } = scene(1);
  const first = run("a");
  const late = ["b", "c"].map((name) => run(name).catch((error: unknown) => error));
  t.mock.timers.tick(4999);
  const next = run("d");
  t.mock.timers.tick(1);
  // At the very moment when they give up.
  begun[0]?.end();
  assert.equal(await first, "a");
  for (const failure of await Promise.all(late)) assert.ok(failure instanceof TooLate);
  await turn();
  assert.deepEqual(names(), ["a", "d"]);
  begun[1]?.end();
  assert.equal(await next, "d");
  const last = run("e");
  begun[2]?.end();
  assert.equal(await last, "e");
});

test("a permit is given back once, however often it is released", async () => {
  const { semaphore, run, names } = scene(1);
  const release = await semaphore.acquire();
  void run("a").catch(() => undefined);
  void run("b").catch(() => undefined);
  release();
  release();
  await turn();
  assert.deepEqual(names(), ["a"]);
});

test("a list is mapped a few items at a time, and no further after a failure", async () => {
  let busy = 0;
  let most = 0;
  const items = Array.from({ length: 100 }, (_, item) => item);
  const doubled = await mapConcurrently(items, 7, async (item) => {
    busy += 1;
    most = Math.max(most, busy);
    await turn();
    busy -= 1;
    return item * 2;
  });
  assert.equal(most, 7);
  assert.deepEqual(
    doubled,
    items.map((item) => item * 2),
  );
  let begun = 0;
  const failing = mapConcurrently(items, 2, async (item) => {
    begun += 1;
    await turn();
    if (item === 4) throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  await turn();
  await turn();
  assert.ok(begun < 10);
});
