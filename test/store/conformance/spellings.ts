import assert from "node:assert/strict";
import type { OpenSession } from "../../../src/domain/ports/sessions.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";
import { at, eventsOf, logIn, login, NOW, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

const kindOf = async (store: Store, id: string, changes: Partial<OpenSession> = {}) =>
  (await store.sessions.open(login(id, { caseSensitive: false, ...changes }))).kind;

const linking = (id: string, principal: Uuid, session: Uuid) => ({
  principal,
  session,
  since: at(-300),
  now: at(10),
  context: ORIGIN,
  identity: { provider: "toy", id },
  limit: 10,
  code: null,
  caseSensitive: false,
});

export const spellingCases: readonly Case[] = [
  [
    "with case-insensitive names another spelling of a known name is refused",
    async (store) => {
      const ann = await logIn(store, "Zoë", { caseSensitive: false });
      for (const id of ["zoë", "ZOË", "ZOE\u0308", "\uff3aoë"]) {
        assert.deepEqual(await store.sessions.open(login(id, { caseSensitive: false })), {
          kind: "other_spelling",
          principal: ann.principal.uuid,
          known: "Zoë",
        });
        assert.equal(await store.principals.summaryOfIdentity({ provider: "toy", id }), undefined);
      }
      assert.equal(await kindOf(store, "Zoë"), "opened");
      assert.equal(await kindOf(store, "zoe"), "opened");
      assert.equal(await kindOf(store, "-", { identity: { provider: "lab", id: "zoë" } }), "opened");
    },
  ],
  [
    "a disabled person stays out in any spelling",
    async (store) => {
      const ann = await logIn(store, "ann");
      await store.principals.setDisabled({
        principal: ann.principal.uuid,
        disabled: true,
        now: NOW,
        context: ORIGIN,
      });
      assert.equal(await kindOf(store, "ann"), "disabled");
      assert.equal(await kindOf(store, "ANN"), "other_spelling");
      const bob = await logIn(store, "bob");
      const outcome = await store.accounts.link(linking("Ann", bob.principal.uuid, bob.session.uuid));
      assert.deepEqual(outcome, { kind: "other_spelling", known: "ann" });
      assert.ok((await eventsOf(store, bob.principal.uuid)).includes("identity_link_refused"));
    },
  ],
  [
    "with case-sensitive names both log in; they still do after a change of the setting, and are reported",
    async (store) => {
      const both = [await logIn(store, "ann"), await logIn(store, "ANN")];
      assert.notEqual(both[0]?.principal.uuid, both[1]?.principal.uuid);
      for (const id of ["ann", "ANN"]) assert.equal(await kindOf(store, id), "opened");
      assert.equal(await kindOf(store, "Ann"), "other_spelling");
      await logIn(store, "bob");
      assert.deepEqual(await store.principals.twins(["toy", "lab"]), [
        { provider: "toy", spellings: ["ANN", "ann"] },
      ]);
      assert.deepEqual(await store.principals.twins(["lab"]), []);
      const names = await store.principals.spellings({ provider: "toy", id: "aNN" });
      assert.deepEqual(
        names.map(({ id }) => id),
        ["ann", "ANN"],
      );
    },
  ],
  [
    "of two spellings that log in for the first time at once, one is refused",
    async (store) => {
      await Promise.all(Array.from({ length: 8 }, () => store.principals.roles()));
      for (let round = 0; round < 10; round++) {
        const kinds = await Promise.all(
          [`dora${round}`, `DORA${round}`, `Dora${round}`].map((id) => kindOf(store, id)),
        );
        assert.deepEqual(kinds.sort(), ["opened", "other_spelling", "other_spelling"]);
      }
    },
  ],
  [
    "an unlinked spelling is free for another person",
    async (store) => {
      const ann = await logIn(store, "ann");
      const link = linking("Work", ann.principal.uuid, ann.session.uuid);
      assert.equal((await store.accounts.link(link)).kind, "linked");
      assert.equal(await kindOf(store, "work"), "other_spelling");
      const { limit: _, code: _code, ...change } = link;
      assert.equal((await store.accounts.unlink({ ...change, providers: ["toy"] })).kind, "unlinked");
      assert.equal(await kindOf(store, "work"), "opened");
    },
  ],
  [
    "the person of a token, and an administrator of the configuration, in another spelling",
    async (store) => {
      await logIn(store, "ann");
      const told = { provider: "toy", id: "Ann" };
      await assert.rejects(
        store.principals.ensureUser({ identity: told, caseSensitive: false, now: NOW, context: ORIGIN }),
        { code: "other_spelling" },
      );
      const refused = await store.principals.ensureAdmins({
        identities: [told, { provider: "toy", id: "ann" }],
        caseSensitive: () => false,
        now: NOW,
        context: ORIGIN,
      });
      assert.deepEqual(refused, [{ identity: told, known: "ann" }]);
      assert.equal(await store.principals.summaryOfIdentity(told), undefined);
      const ann = await store.principals.summaryOfIdentity({ provider: "toy", id: "ann" });
      assert.ok(ann?.scopes.includes("admin:apikeys"));
      assert.equal(
        (await store.principals.ensureUser({ identity: told, now: NOW, context: ORIGIN })).type,
        "user",
      );
    },
  ],
  [
    "a device login is not confirmed in another spelling",
    async (store) => {
      await logIn(store, "ann");
      const deviceCode = sha256("device");
      await store.deviceLogins.start({
        provider: "toy",
        redirectUri: "https://tiled.example.org/device_code",
        nonce: "n",
        codeVerifier: "v",
        deviceCode,
        userCode: "ABCD1234",
        state: sha256("state"),
        userAgent: null,
        place: "192.0.2.7",
        limit: 10,
        now: NOW,
        expirationTime: at(900),
        context: ORIGIN,
      });
      const change = { deviceCode, now: NOW, context: ORIGIN };
      await store.deviceLogins.signIn({ ...change, browser: sha256("browser"), identity: { id: "ANN" } });
      assert.deepEqual(await store.deviceLogins.confirm({ ...change, limit: 10, caseSensitive: false }), {
        kind: "refused",
        reason: "other_spelling",
      });
    },
  ],
];
