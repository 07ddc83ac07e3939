import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { generated } from "../../../src/trees/memory/generated.ts";
import { randomNumber } from "../../../src/trees/memory/random-array.ts";
import type { ContainerNode, TreeNode } from "../../../src/trees/model/contract.ts";
import { parseSlices, select, selectBlock } from "../../../src/trees/model/selection.ts";
import { ManualClock } from "../../support/clock.ts";

async function dataAt(root: ContainerNode, path: string) {
  let node: TreeNode | undefined = root;
  for (const key of path.split("/")) node = node?.family === "container" ? await node.child(key) : undefined;
  assert.ok(node?.family === "array", path);
  return (await node.open()) ?? assert.fail();
}

async function read(root: ContainerNode, path: string, slices: string): Promise<Uint8Array<ArrayBuffer>> {
  const data = await dataAt(root, path);
  return new Uint8Array(await data.read(select(data.shape, parseSlices(slices) ?? []) ?? assert.fail()));
}

test("random numbers are spread evenly, and differ by seed and by index", () => {
  const numbers = Array.from({ length: 10_000 }, (_, index) => randomNumber(1, index));
  const tenths = new Array<number>(10).fill(0);
  for (const number of numbers) tenths[Math.floor(number * 10)] = (tenths[Math.floor(number * 10)] ?? 0) + 1;
  assert.ok(
    tenths.every((count) => count > 850 && count < 1150),
    `${tenths}`,
  );
  assert.ok(new Set(numbers).size > 9_990);
  assert.notEqual(randomNumber(2, 0), numbers[0]);
});

describe("the larger example", () => {
  const clock = new ManualClock();
  const { root } = generated(clock);

  test("its images are made as far as they are read", async () => {
    const [first, second] = new Float64Array(
      (await read(root, "nested/images/big_image", "3,9000:9010:7")).buffer,
    );
    assert.deepEqual([first, second], [randomNumber(1, 39_000), randomNumber(1, 39_007)]);
    const corner = new Float64Array((await read(root, "nested/images/big_image", "-1,::-9999")).buffer);
    assert.deepEqual([...corner], [randomNumber(1, 99_999_999), randomNumber(1, 99_990_000)]);
    const cube = await dataAt(root, "nested/cubes/tiny_hypercube");
    const block = selectBlock(cube.chunks, [1, 1, 1, 1, 1]) ?? assert.fail();
    assert.deepEqual(
      block.map(({ start, length }) => [start, length]),
      new Array(5).fill([27, 23]),
    );
  });

  test("its whole numbers are between -10 and 9", async () => {
    const numbers = new Set(new BigInt64Array((await read(root, "high_entropy", "")).buffer));
    assert.deepEqual(
      [...numbers].map(Number).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index - 10),
    );
  });

  test("one array changes every three seconds", async () => {
    const value = async () => new Float64Array((await read(root, "dynamic", "0,0")).buffer)[0];
    assert.equal(await value(), 1);
    clock.advance(2.9);
    assert.equal(await value(), 1);
    clock.advance(0.2);
    assert.equal(await value(), 2);
    clock.advance(3600);
    assert.equal(await value(), 1202);
  });

  test("other requests have their turn while a large part is made", async () => {
    let turns = 0;
    const interval = setInterval(() => {
      turns += 1;
    }, 0);
    await read(root, "nested/images/big_image", ":200");
    clearInterval(interval);
    assert.ok(turns >= 3, `${turns}`);
  });
});
