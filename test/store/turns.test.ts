import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/errors.ts";
import { Turns } from "../../src/store/turns.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

function scene(atATime: number) {
  const turns = new Turns(atATime);
  const begun: { readonly name: string; end(): void; fail(error: Error): void }[] = [];
  const run = (name: string) =>
    turns.run(() => new Promise<string>((end, fail) => begun.push({ name, end: () => end(name), fail })));
  return { begun, run, names: () => begun.map(({ name }) => name) };
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
  for (const failure of await Promise.all(late)) assert.ok(failure instanceof Failure);
  await turn();
  assert.deepEqual(names(), ["a", "d"]);
  begun[1]?.end();
  assert.equal(await next, "d");
  const last = run("e");
  begun[2]?.end();
  assert.equal(await last, "e");
});
