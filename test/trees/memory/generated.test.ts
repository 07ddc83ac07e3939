import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { generated } from "../../../src/trees/memory/generated.ts";
import { draw, toRandom } from "../../../src/trees/memory/pcg64.ts";
import type { ContainerNode, TreeNode } from "../../../src/trees/model/contract.ts";
import { parseSlices, select, selectBlock } from "../../../src/trees/model/selection.ts";
import { ManualClock } from "../../support/clock.ts";

function random(first: number, stride: number, count: number): readonly number[] {
  const found: number[] = [];
  draw(first, stride, count, (high, low) => void found.push(toRandom(high, low)));
  return found;
}

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

/** What NumPy 2 draws from `default_rng(seed=42)`. */
const FIRST = [
  0.7739560485559633, 0.4388784397520523, 0.8585979199113825, 0.6973680290593639, 0.09417734788764953,
];
const STRIDE = [
  0.7739560485559633, 0.82276161327083, 0.4667210037270342, 0.6698139946825103, 0.7869243775021384,
  0.5535794006579958, 0.5570321523412783, 0.696320375077736,
];
const FAR = [0.6547235976086454, 0.5788933418539465, 0.6757080183814353];
const WORDS = [14500327064922265408n, 2363279394319028499n, 8308154130757172590n, 6840016256055578665n];
const WHOLE = [9, 8, 9, -3, -7, -4, -6, -3];
/** SHA-256 of `rng.random((20, 10000))[3:20:4, 9000:9990:7]`. */
const BLOCK = "9bed4c7e2b2ba005f224fc9738ef1566c063a61643e4230f93aa465532231b3d";

describe("the random numbers", () => {
  test("are NumPy's, from the first on", () => {
    assert.deepEqual(random(0, 1, 5), FIRST);
    assert.deepEqual(random(0, 13, 8), STRIDE);
    assert.deepEqual(random(0, 13, 0), []);
  });

  test("are the same wherever one begins", () => {
    assert.deepEqual(random(413_000_000_000, 1, 3), FAR);
    assert.deepEqual(random(3, 1, 2), FIRST.slice(3));
    const words: bigint[] = [];
    draw(7, 1, 4, (high, low) => void words.push((BigInt(high) << 32n) | BigInt(low)));
    assert.deepEqual(words, WORDS);
  });
});

describe("the larger example", () => {
  const clock = new ManualClock();
  const { root } = generated(clock);

  test("its images are made as far as they are read", async () => {
    const part = await read(root, "nested/images/big_image", "3:20:4,9000:9990:7");
    assert.equal(createHash("sha256").update(part).digest("hex"), BLOCK);
    const corner = new Float64Array((await read(root, "nested/images/big_image", "-1,::-9999")).buffer);
    assert.deepEqual([...corner], [random(99_999_999, 1, 1)[0], random(99_990_000, 1, 1)[0]]);
    const cube = await dataAt(root, "nested/cubes/tiny_hypercube");
    const block = selectBlock(cube.chunks, [1, 1, 1, 1, 1]) ?? assert.fail();
    assert.deepEqual(
      block.map(({ start, length }) => [start, length]),
      new Array(5).fill([27, 23]),
    );
  });

  test("its whole numbers are NumPy's, too", async () => {
    const numbers = new BigInt64Array((await read(root, "high_entropy", "0,:8")).buffer);
    assert.deepEqual([...numbers].map(Number), WHOLE);
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
