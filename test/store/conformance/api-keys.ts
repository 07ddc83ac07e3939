import assert from "node:assert/strict";
import { sha256 } from "../../../src/lib/secrets.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import { at, eventsOf, logIn, NOW, newKey, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

export const apiKeyCases: readonly Case[] = [
  [
    "a key is found by its digits and digest, and by nothing else",
    async (store) => {
      const { principal } = await logIn(store, "ann");
      const request = newKey(principal.uuid, {
        note: "née \u{1F511}",
        scopes: ["read:metadata", "create:node"],
        accessTags: ["fée", 'q"uote', "\\"],
        expirationTime: at(10),
      });
      const { digest, key } = request;
      assert.deepEqual(await store.apiKeys.create(request), { kind: "created" });
      assert.deepEqual(await store.apiKeys.find(key.firstEight, digest), {
        ...key,
        latestActivity: null,
        digest,
        principal: principal.uuid,
      });
      assert.equal(await store.apiKeys.find(key.firstEight, sha256("another")), undefined);
      assert.equal(await store.apiKeys.find("00000000", digest), undefined);
      assert.equal(await store.apiKeys.find(key.firstEight.toUpperCase(), sha256("x")), undefined);
      assert.deepEqual(await eventsOf(store, principal.uuid), [
        "principal_created",
        "login",
        "api_key_created",
      ]);
    },
  ],
  [
    "keys that are looked for at the same moment are not mixed up",
    async (store) => {
      const { principal } = await logIn(store, "ann");
      const made = Array.from({ length: 8 }, (_, index) => newKey(principal.uuid, { note: `key ${index}` }));
      for (const request of made) await store.apiKeys.create(request);
      const found = await Promise.all(
        made.flatMap(({ key, digest }) => [
          store.apiKeys.find(key.firstEight, digest),
          store.apiKeys.find(key.firstEight, sha256("another")),
          store.apiKeys.find("00000000", digest),
        ]),
      );
      assert.deepEqual(
        found.map((key) => key?.note),
        made.flatMap(({ key }) => [key.note, undefined, undefined]),
      );
      assert.deepEqual(found[0], {
        ...made[0]?.key,
        latestActivity: null,
        digest: made[0]?.digest,
        principal: principal.uuid,
      });
    },
  ],
  [
    "no tags and an empty list of tags stay different, and so do scopes",
    async (store) => {
      const { principal } = await logIn(store, "ann");
      const none = newKey(principal.uuid, { accessTags: null, scopes: [] });
      const empty = newKey(principal.uuid, { accessTags: [], scopes: ["inherit"] });
      for (const request of [none, empty]) {
        await store.apiKeys.create(request);
        const found = await store.apiKeys.find(request.key.firstEight, request.digest);
        assert.deepEqual([found?.accessTags, found?.scopes], [request.key.accessTags, request.key.scopes]);
      }
    },
  ],
  [
    "unknown principals get no key, and no two keys of one principal begin alike",
    async (store) => {
      assert.deepEqual(await store.apiKeys.create(newKey(newUuid())), { kind: "unknown" });
      const ann = (await logIn(store, "ann")).principal.uuid;
      const bob = (await logIn(store, "bob")).principal.uuid;
      const first = newKey(ann);
      await store.apiKeys.create(first);
      const alike = { firstEight: first.key.firstEight };
      assert.deepEqual(await store.apiKeys.create(newKey(ann, alike)), { kind: "taken" });
      assert.deepEqual(await store.apiKeys.create(newKey(bob, alike)), { kind: "created" });
      // The same secret twice, with the same or another owner.
      assert.deepEqual(await store.apiKeys.create({ ...first, principal: bob }), { kind: "taken" });
    },
  ],
  [
    "the limit counts live keys only, and holds when many are made at once",
    async (store) => {
      const { uuid } = (await logIn(store, "ann")).principal;
      await store.apiKeys.create(newKey(uuid, { expirationTime: at(5) }, { limit: 4 }));
      const many = () =>
        Promise.all(Array.from({ length: 10 }, () => store.apiKeys.create(newKey(uuid, {}, { limit: 4 }))));
      const outcomes = (await many()).map(({ kind }) => kind);
      assert.equal(outcomes.filter((kind) => kind === "created").length, 3);
      assert.equal(outcomes.filter((kind) => kind === "limit").length, 7);
      assert.deepEqual(await store.apiKeys.create(newKey(uuid, {}, { limit: 4, now: at(4) })), {
        kind: "limit",
      });
      assert.deepEqual(await store.apiKeys.create(newKey(uuid, {}, { limit: 4, now: at(5) })), {
        kind: "created",
      });
    },
  ],
  [
    "revoking affects only one's own keys with these first characters, and returns their digests",
    async (store) => {
      const ann = (await logIn(store, "ann")).principal.uuid;
      const bob = (await logIn(store, "bob")).principal.uuid;
      const first = newKey(ann);
      const { firstEight } = first.key;
      await store.apiKeys.create(first);
      await store.apiKeys.create(newKey(bob, { firstEight }));
      assert.deepEqual(
        await store.apiKeys.revoke({ principal: ann, firstEight: "ffffffff", now: NOW, context: ORIGIN }),
        { kind: "unknown" },
      );
      assert.deepEqual(
        await store.apiKeys.revoke({ principal: newUuid(), firstEight, now: NOW, context: ORIGIN }),
        { kind: "unknown" },
      );
      assert.deepEqual(
        await store.apiKeys.revoke({ principal: ann, firstEight, now: NOW, context: ORIGIN }),
        {
          kind: "revoked",
          digests: [first.digest],
        },
      );
      assert.equal(await store.apiKeys.find(firstEight, first.digest), undefined);
      assert.deepEqual(
        await store.apiKeys.revoke({ principal: ann, firstEight, now: NOW, context: ORIGIN }),
        { kind: "unknown" },
      );
      assert.equal((await store.principals.document(bob, NOW))?.apiKeys.length, 1);
      const [row] = await store.audit.read({ limit: 5, events: ["api_key_revoked"] });
      assert.deepEqual([row?.principal, row?.detail], [ann, { first_eight: firstEight }]);
    },
  ],
  [
    "the time of last use only moves forward; the first use is reported",
    async (store) => {
      const { uuid } = (await logIn(store, "ann")).principal;
      const keys = [newKey(uuid), newKey(uuid)];
      for (const key of keys) await store.apiKeys.create(key);
      const use = (index: number, seconds: number) => {
        const { digest, key } = keys[index] ?? newKey(uuid);
        return { firstEight: key.firstEight, digest, time: at(seconds), context: { ...ORIGIN, actor: uuid } };
      };
      const activity = async (index: number) =>
        (await store.apiKeys.find(use(index, 0).firstEight, use(index, 0).digest))?.latestActivity;
      await store.apiKeys.touch([use(0, 10), use(1, 20), use(0, 5)]);
      assert.deepEqual([await activity(0), await activity(1)], [at(10), at(20)]);
      await store.apiKeys.touch([use(0, 9), use(1, 21)]);
      assert.deepEqual([await activity(0), await activity(1)], [at(10), at(21)]);
      // Unknown keys and an empty list change nothing.
      await store.apiKeys.touch([use(7, 1)]);
      await store.apiKeys.touch([]);
      const rows = await store.audit.read({ limit: 10, events: ["api_key_first_used"] });
      assert.deepEqual(
        rows.map(({ detail, actor }) => [detail["first_eight"], actor]).sort(),
        [...keys.map(({ key }) => [key.firstEight, uuid])].sort(),
      );
    },
  ],
  [
    "servers that note the same uses in opposite order do not stop each other",
    async (store) => {
      const { uuid } = (await logIn(store, "ann")).principal;
      const keys = Array.from({ length: 20 }, () => newKey(uuid));
      for (const key of keys) await store.apiKeys.create(key);
      const uses = keys.map(({ digest, key }) => ({ firstEight: key.firstEight, digest, context: ORIGIN }));
      await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          store.apiKeys.touch(
            (index % 2 ? uses : uses.toReversed()).map((use) => ({ ...use, time: at(index) })),
          ),
        ),
      );
      const document = await store.principals.document(uuid, NOW);
      assert.ok(
        document?.apiKeys.every(({ latestActivity }) => latestActivity?.getTime() === at(7).getTime()),
      );
      assert.equal((await store.audit.read({ limit: 100, events: ["api_key_first_used"] })).length, 20);
    },
  ],
];
