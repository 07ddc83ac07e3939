import assert from "node:assert/strict";
import { test } from "node:test";
import { batched } from "../../src/store/batcher.ts";

function scene() {
  const loads: { keys: readonly number[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const find = batched<number, string>(
    (keys) =>
      new Promise((resolve, reject) => {
        const answer = () => resolve(keys.map((key) => (key % 2 === 0 ? `value ${key}` : undefined)));
        loads.push({ keys, answer, fail: reject });
      }),
  );
  return { loads, find };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a single look-up runs at once, concurrent ones run together, each with its own answer", async () => {
  const { loads, find } = scene();
  const asked = Array.from({ length: 6 }, (_, key) => find(key));
  assert.deepEqual(
    loads.map(({ keys }) => keys),
    [[0], [1]],
  );
  loads[1]?.answer();
  await turn();
  assert.deepEqual(loads[2]?.keys, [2, 3, 4, 5]);
  loads[0]?.answer();
  loads[2]?.answer();
  assert.deepEqual(await Promise.all(asked), [
    "value 0",
    undefined,
    "value 2",
    undefined,
    "value 4",
    undefined,
  ]);
});

test("however many there are, two look-ups are under way, of at most 200 keys", async () => {
  const { loads, find } = scene();
  const asked = Array.from({ length: 500 }, (_, key) => find(key));
  for (let done = 0; done < loads.length; done++) {
    assert.ok(loads.length - done <= 2);
    loads[done]?.answer();
    await turn();
  }
  assert.deepEqual(
    loads.map(({ keys }) => keys.length),
    [1, 1, 200, 200, 98],
  );
  assert.equal((await Promise.all(asked))[498], "value 498");
});

test("a look-up that fails does so for those in it only", async () => {
  const { loads, find } = scene();
  const [first, second, third] = [find(0), find(2), find(4)];
  loads[0]?.fail(new Error("away"));
  await assert.rejects(first, /away/);
  await turn();
  loads[1]?.answer();
  loads[2]?.answer();
  assert.deepEqual(await Promise.all([second, third]), ["value 2", "value 4"]);
});
