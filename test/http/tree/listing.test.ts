/** How long a list takes depends on what the caller may see of it, not on what else there is. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { constantArray, container } from "../../../src/trees/memory/memory.ts";
import { TagBasedAccessPolicy } from "../../../src/trees/policies/tag-based.ts";
import { apikey, testApp } from "../../support/app.ts";
import { temporaryFile } from "../../trees/policies/support.ts";

const VISIBLE = 10;
const MANY = 100_000;

const { folder } = temporaryFile(
  after,
  'tags: {mine: {users: [{name: bob, scopes: ["read:metadata"]}]}, theirs: {}, more: {}}\n',
);

/** Every so many entries one that bob may see. */
function tree(count: number) {
  const step = count / VISIBLE;
  const entries = Array.from({ length: count }, (_, index) => {
    const tag = index % step === 0 ? "mine" : index % 2 === 0 ? "theirs" : "more";
    return [`e${index}`, constantArray(1, [3], { accessTags: [tag] })] as const;
  });
  return { root: container(entries, { accessTags: ["mine"] }) };
}

async function lister(count: number) {
  const policy = new TagBasedAccessPolicy(
    { provider: "toy", tag_definitions: "tags.yml" },
    { directory: folder, warn: () => {} },
  );
  const t = await testApp({ tree: tree(count), policy });
  after(() => t.close());
  const headers = apikey(await t.makeKey((await t.login("bob")).access_token));
  return async () => {
    const started = performance.now();
    const response = await t.call({ url: "/api/v1/search/?sort=_", headers });
    const { data, meta } = response.json<{ data: unknown[]; meta: { count: number } }>();
    assert.deepEqual([data.length, meta.count], [VISIBLE, VISIBLE]);
    return performance.now() - started;
  };
}

function median(times: readonly number[]): number {
  return times.toSorted((left, right) => left - right)[Math.floor(times.length / 2)] ?? 0;
}

test("ten entries of a hundred thousand are listed as fast as ten of ten", async () => {
  const [few, many] = [await lister(VISIBLE), await lister(MANY)];
  const times = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round < 60; round += 1) {
    times.few.push(await few());
    times.many.push(await many());
  }
  // The first round makes the index.
  const ratio = median(times.many.slice(1)) / median(times.few.slice(1));
  assert.ok(ratio < 2, `${ratio}`);
});
