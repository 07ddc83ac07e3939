import assert from "node:assert/strict";
import { LoginThrottle } from "../../../src/domain/throttling/throttle.ts";
import type { Case } from "./case.ts";

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
    "of several keys the one that is blocked longest counts",
    async (store) => {
      const { failures } = store;
      const [ann, bob] = [
        { key: "ann", limit: LIMIT },
        { key: "bob", limit: { failures: 1, per: 900 } },
      ];
      assert.equal(await failures.longestBlock([ann, bob]), 0);
      for (const _ of [1, 2, 3]) await failures.count(ann.key, ann.limit);
      for (const keys of [
        [ann, bob],
        [bob, ann],
      ]) {
        const wait = await failures.longestBlock(keys);
        assert.ok(wait > 290 && wait <= 300, String(wait));
      }
      await failures.count(bob.key, bob.limit);
      for (const keys of [
        [ann, bob],
        [bob, ann],
      ]) {
        const wait = await failures.longestBlock(keys);
        assert.ok(wait > 890 && wait <= 900, String(wait));
      }
    },
  ],
  [
    "an address that floods one server has no attempt at another one of the same database either",
    async (store) => {
      const limits = { account: LIMIT, address: { failures: 1, per: 300 } };
      const [one, other] = [1, 2].map(() => new LoginThrottle(store.failures, limits));
      const names = Array.from({ length: 80 }, (_, index) => `user${index}`);
      await Promise.all(names.map((name) => one?.attempt(name, "192.0.2.7", async () => null)));
      const refused = await other?.attempt("ann", "192.0.2.7", async () => "in");
      assert.ok(refused?.kind === "throttled" && refused.retryAfter > 290, JSON.stringify(refused));
      const elsewhere = await other?.attempt("ann", "192.0.2.8", async () => "in");
      assert.equal(elsewhere?.kind, "right");
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
];
