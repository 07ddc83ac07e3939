import assert from "node:assert/strict";
import type { Case } from "../conformance.ts";

const LIMIT = { failures: 3, per: 300 };

export const failureCases: readonly Case[] = [
  [
    "failures count up to the limit, then the key is blocked for the rest of the time",
    async (store) => {
      const { failures } = store;
      assert.equal(await failures.blocked("ann", LIMIT), 0);
      for (const _ of [1, 2, 3]) {
        assert.equal(await failures.blocked("ann", LIMIT), 0);
        assert.equal(await failures.count("ann", LIMIT), 0);
      }
      const wait = await failures.blocked("ann", LIMIT);
      assert.ok(wait > 290 && wait <= 300, String(wait));
      const more = await failures.count("ann", LIMIT);
      assert.ok(more > 290 && more <= 300, String(more));
      assert.equal(await failures.blocked("bob", LIMIT), 0);
      assert.equal(await failures.blocked("ann", { failures: 10, per: 300 }), 0);
    },
  ],
  [
    "many at the same moment do not get past the limit",
    async (store) => {
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, () => store.failures.count("ann", LIMIT)),
      );
      assert.equal(outcomes.filter((wait) => wait === 0).length, 3);
    },
  ],
  [
    "what was refused is no failure: taking one back opens the key again",
    async (store) => {
      const { failures } = store;
      for (let attempt = 0; attempt < 10; attempt++) await failures.count("ann", LIMIT);
      await failures.forgive("ann", LIMIT);
      assert.equal(await failures.blocked("ann", LIMIT), 0);
      assert.equal(await failures.count("ann", LIMIT), 0);
      assert.ok((await failures.blocked("ann", LIMIT)) > 0);
    },
  ],
  [
    "taking back what never was does not raise the limit",
    async (store) => {
      const { failures } = store;
      for (const _ of [1, 2, 3]) await failures.forgive("ann", LIMIT);
      for (const _ of [1, 2, 3]) assert.equal(await failures.count("ann", LIMIT), 0);
      assert.ok((await failures.count("ann", LIMIT)) > 0);
      assert.ok((await failures.blocked("ann", LIMIT)) > 0);
    },
  ],
];
