import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn, Turns } from "../../src/lib/turns.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

class TooLate extends Error {}

function scene(atATime: number, waiting?: number) {
  const limits = { atATime, patience: 5000, refusal: () => new TooLate() };
  const turns = new Turns(waiting === undefined ? limits : { ...limits, waiting });
  const begun: { readonly name: string; end(): void; fail(error: Error): void }[] = [];
  const run = (name: string) =>
    turns.run(() => new Promise<string>((end, fail) => begun.push({ name, end: () => end(name), fail })));
  return { turns, begun, run, names: () => begun.map(({ name }) => name) };
}

test("so many at a time, the others in the order in which they came", async () => {
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

test("who has waited for too long is told so, and takes nobody's place", async (t) => {
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

test("a caller that comes when too many wait gets the error at once", async () => {
  const { begun, run } = scene(1, 1);
  const [first, second, third] = ["a", "b", "c"].map((name) => run(name));
  await assert.rejects(third ?? Promise.resolve(), TooLate);
  begun[0]?.end();
  await first;
  await turn();
  begun[1]?.end();
  assert.equal(await second, "b");
});

test("a turn that is taken ends once, however often that is said", async () => {
  const { turns, run, names } = scene(1);
  const end = await turns.take();
  void run("a").catch(() => undefined);
  void run("b").catch(() => undefined);
  end();
  end();
  await turn();
  assert.deepEqual(names(), ["a"]);
});

test("a list is worked on a few at a time, and no further after a failure", async () => {
  let busy = 0;
  let most = 0;
  const items = Array.from({ length: 100 }, (_, item) => item);
  const doubled = await inTurn(items, 7, async (item) => {
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
  const failing = inTurn(items, 2, async (item) => {
    begun += 1;
    await turn();
    if (item === 4) throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  await turn();
  await turn();
  assert.ok(begun < 10);
});
