/** Pages far behind: whatever ids a database has given, they are the rows in the order of ids. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import Database from "better-sqlite3";
import { fill, userOf } from "../../bench/fill.ts";
import { ManualClock } from "../../src/lib/clock.ts";
import { initializeDatabase, openStore } from "../../src/store/open.ts";
import { temporaryFolder } from "../support/process.ts";
import { NOW } from "./support.ts";

const COUNT = 1500;

async function users(
  t: TestContext,
  change: string,
): Promise<(offset: number, limit: number) => Promise<unknown>> {
  const path = join(await temporaryFolder(t.after.bind(t)), "tiled.db");
  await initializeDatabase(`sqlite:///${path}`);
  fill(path, { principals: COUNT, sessions: 0, keys: 0 });
  const raw = new Database(path);
  raw.exec(change);
  raw.close();
  const store = await openStore({
    uri: `sqlite:///${path}`,
    initIfNotExists: false,
    poolSize: 1,
    maxOverflow: 0,
    poolPrePing: false,
    log: () => {},
    clock: new ManualClock(),
  });
  t.after(() => store.close());
  return async (offset, limit) => {
    const page = await store.principals.list({ offset, limit }, NOW);
    return page.map(({ identities }) => identities[0]?.id);
  };
}

for (const [what, change, at] of [
  ["without gaps", "", (place: number) => place + 1],
  [
    "with a gap before them",
    "pragma foreign_keys = on; delete from principal_role_association where principal_id = 7; delete from identities where principal_id = 7; delete from principals where id = 7",
    (place: number) => place + 2,
  ],
] as const) {
  test(`rows far behind, ${what}`, async (t) => {
    const page = await users(t, change);
    assert.deepEqual(
      await page(1200, 3),
      [1200, 1201, 1202].map((place) => userOf(at(place))),
    );
    assert.deepEqual(await page(0, 2), [userOf(1), userOf(2)]);
    assert.deepEqual(
      await page(1498, 10),
      [1498, 1499].filter((place) => at(place) <= COUNT).map((place) => userOf(at(place))),
    );
    assert.deepEqual(await page(5000, 10), []);
  });
}
