/** Folders whose entries have much metadata: no answer about them is endless, and none needs all of them at once. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { AccessPolicy } from "../../../src/trees/policies/contract.ts";
import { testApp } from "../../support/app.ts";
import { Folder, npy, open } from "../../trees/files/support.ts";

const ENTRIES = 12;

/** Each with nearly a megabyte. */
async function served(t: TestContext, policy?: AccessPolicy) {
  const folder = new Folder(t.after.bind(t));
  for (let n = 0; n < ENTRIES; n += 1) {
    const key = `e${String(n).padStart(2, "0")}`;
    folder.write({
      [`${key}.npy`]: npy([n]),
      [`${key}.json`]: JSON.stringify({ n, long: key.slice(1).repeat(450_000) }),
    });
  }
  const app = await testApp({
    tree: (await open(folder)).tree,
    ...(policy && { policy }),
    providers: false,
    authentication: { allowAnonymousAccess: true },
  });
  t.after(() => app.close());
  return app;
}

interface Page {
  readonly data: readonly { readonly id: string }[];
  readonly links: { readonly next: string | null };
  readonly meta: { readonly count: number };
}

test("so does one of arrays whose elements have thousands of fields", async (t) => {
  const fields = Array.from({ length: 4000 }, (_, index) => `('f${index}', '<f8')`).join(", ");
  const header = `{'descr': [${fields}], 'fortran_order': False, 'shape': (0,), }\n`;
  const start = Buffer.alloc(12);
  start.write("\x93NUMPY\x02\x00", "latin1");
  start.writeUInt32LE(header.length, 8);
  const folder = new Folder(t.after.bind(t));
  for (let n = 0; n < 40; n += 1)
    folder.write({ [`s${n}.npy`]: Buffer.concat([start, Buffer.from(header)]) });
  const app = await testApp({
    tree: (await open(folder)).tree,
    providers: false,
    authentication: { allowAnonymousAccess: true },
  });
  t.after(() => app.close());
  const page = await app.call("/api/v1/search/?page[limit]=300");
  assert.ok(page.rawPayload.length < 6 * 1024 * 1024);
  assert.notEqual(page.json<Page>().links.next, null);
  const keys = (await app.call("/api/v1/search/?page[limit]=300&fields=metadata")).json<Page>();
  assert.equal(keys.data.length, 40, "where their types are not asked for, all fit");
});

test("a page of large entries ends early, and the next one goes on from there", async (t) => {
  const app = await served(t);
  for (const sort of ["", "&sort=-n"]) {
    const found: string[] = [];
    let pages = 0;
    let url: string | null = `/api/v1/search/?page[offset]=1${sort}`;
    while (url !== null) {
      const page: Page = (await app.call(url)).json<Page>();
      assert.equal(page.meta.count, ENTRIES);
      found.push(...page.data.map(({ id }) => id));
      const { next }: Page["links"] = page.links;
      url = next === null ? null : `${new URL(next).pathname}${new URL(next).search}${sort}`;
      pages += 1;
    }
    assert.ok(pages > 1);
    assert.equal(found.length, ENTRIES - 1);
    assert.equal(new Set(found).size, ENTRIES - 1);
    assert.equal(found[0], sort === "" ? "e01" : "e10");
  }
  // What is not told does not count.
  const short = (await app.call("/api/v1/search/?fields=structure_family")).json<Page>();
  assert.equal(short.data.length, ENTRIES);
  assert.equal(short.links.next, null);
});

test("an answer that would be too large is refused, with advice", async (t) => {
  const app = await served(t);
  for (const [path, why] of [
    ["container/full/", /metadata .* too large/],
    ["distinct/?metadata=long&counts=true", /too many distinct values/],
    [`search/?${Array.from({ length: 11 }, (_, n) => `sort=k${n}`).join("&")}`, /at most 10/],
  ] as const) {
    const response = await app.call(`/api/v1/${path}`);
    assert.equal(response.statusCode, 400, path);
    assert.match(response.json<{ detail: string }>().detail, why);
  }
  assert.equal((await app.call("/api/v1/container/full/?field=e03")).statusCode, 200);
  assert.equal((await app.call("/api/v1/container/full/?field=nope")).statusCode, 400);
  assert.equal((await app.call("/api/v1/distinct/?metadata=n")).statusCode, 200);
  const searched = await app.call(
    "/api/v1/search/?filter[eq][condition][key]=n&filter[eq][condition][value]=7&page[offset]=0",
  );
  assert.deepEqual(
    searched.json<Page>().data.map(({ id }) => id),
    ["e07"],
  );
});

test("under a policy that looks at metadata all that may be seen is listed, whatever its size", async (t) => {
  const app = await served(t, {
    kind: "access_policy",
    scopesOn: async ({ path, metadata }) =>
      path.length === 0 || Number(metadata["n"]) % 2 === 0 ? ["read:metadata"] : [],
  });
  const found: string[] = [];
  let url: string | null = "/api/v1/search/?fields=structure_family&page[limit]=4";
  while (url !== null) {
    const page: Page = (await app.call(url)).json<Page>();
    assert.equal(page.meta.count, ENTRIES / 2);
    found.push(...page.data.map(({ id }) => id));
    const { next }: Page["links"] = page.links;
    url = next === null ? null : `${new URL(next).pathname}${new URL(next).search}&fields=structure_family`;
  }
  assert.deepEqual(found, ["e00", "e02", "e04", "e06", "e08", "e10"]);
});
