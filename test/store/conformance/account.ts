import assert from "node:assert/strict";
import { sha256 } from "../../../src/lib/secrets.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import { at, eventsOf, logIn, login, NOW, ORIGIN, opened, refresh } from "../support.ts";
import type { Case } from "./case.ts";

export const accountCases: readonly Case[] = [
  [
    "live sessions are listed with where they came from, the last used first",
    async (store) => {
      const program = await logIn(store, "ann", {
        context: { ...ORIGIN, userAgent: "python-tiled/0.2.20" },
        expirationTime: at(1000),
      });
      const browser = opened(
        (await store.browserSessions.open(sha256("t"), login("ann", { now: at(5) }), null)).outcome,
      );
      const gone = await logIn(store, "ann", { now: at(6) });
      await store.sessions.revoke({
        session: gone.session.uuid,
        principal: null,
        now: at(7),
        context: ORIGIN,
      });
      await logIn(store, "ann", { now: at(7), expirationTime: at(8) });
      await logIn(store, "bob");
      await store.sessions.rotate(refresh(program.session.uuid, 0, "a", { now: at(9) }));

      const { uuid } = program.principal;
      assert.deepEqual(await store.accounts.sessions(uuid, at(10)), [
        {
          uuid: program.session.uuid,
          startedAt: NOW,
          lastUsed: at(9),
          expirationTime: at(1000),
          browser: false,
          identity: { provider: "toy", id: "ann" },
          address: ORIGIN.address,
          userAgent: "python-tiled/0.2.20",
        },
        {
          uuid: browser.session.uuid,
          startedAt: at(5),
          lastUsed: null,
          expirationTime: at(3600),
          browser: true,
          identity: { provider: "toy", id: "ann" },
          address: ORIGIN.address,
          userAgent: null,
        },
      ]);
      assert.deepEqual(await store.accounts.sessions(newUuid(), NOW), []);
    },
  ],
  [
    "all sessions but one end together, and none of other principals",
    async (store) => {
      const keep = await logIn(store, "ann");
      const others = [await logIn(store, "ann"), await logIn(store, "ann")];
      const expired = await logIn(store, "ann", { expirationTime: at(5) });
      const bob = await logIn(store, "bob");
      const { uuid } = keep.principal;
      const ended = await store.accounts.revokeOthers({
        principal: uuid,
        keep: keep.session.uuid,
        now: at(10),
        context: ORIGIN,
      });
      assert.ok(ended.kind === "revoked");
      assert.deepEqual([...ended.sessions].sort(), others.map(({ session }) => session.uuid).sort());
      assert.deepEqual(
        await store.accounts.revokeOthers({
          principal: uuid,
          keep: keep.session.uuid,
          now: at(10),
          context: ORIGIN,
        }),
        {
          kind: "revoked",
          sessions: [],
        },
      );
      const live = (await store.accounts.sessions(uuid, at(10))).map((session) => session.uuid);
      assert.deepEqual(live, [keep.session.uuid]);
      assert.equal((await store.sessions.status(bob.session.uuid))?.revoked, false);
      assert.equal((await store.sessions.status(expired.session.uuid))?.revoked, false);
      const events = await eventsOf(store, uuid);
      assert.equal(events.filter((event) => event === "session_revoked").length, 2);
    },
  ],
  [
    "the newest login's state, of one provider, ended or not",
    async (store) => {
      const first = await logIn(store, "ann", { state: { groups: ["a"] } });
      const { uuid } = first.principal;
      assert.deepEqual(await store.accounts.latestState(uuid, "toy"), { groups: ["a"] });
      await logIn(store, "bob", { state: { groups: ["bobs"] } });
      const second = await logIn(store, "ann", {
        state: { groups: ["b"] },
        now: at(1),
        expirationTime: at(2),
      });
      await store.sessions.revoke({
        session: second.session.uuid,
        principal: null,
        now: at(1),
        context: ORIGIN,
      });
      assert.deepEqual(await store.accounts.latestState(uuid, "toy"), { groups: ["b"] });
      assert.equal(await store.accounts.latestState(uuid, "elsewhere"), undefined);
      await logIn(store, "ann", { now: at(3) });
      assert.deepEqual(await store.accounts.latestState(uuid, "toy"), {});
    },
  ],
  [
    "of several identities of one provider the newest login's state counts, and unlinked ones do not",
    async (store) => {
      const ann = await logIn(store, "ann", { state: { groups: ["a"] } });
      const { uuid } = ann.principal;
      const second = { provider: "toy", id: "ann2" };
      const change = {
        principal: uuid,
        session: ann.session.uuid,
        since: NOW,
        now: at(1),
        context: ORIGIN,
        identity: second,
      };
      assert.equal((await store.accounts.link({ ...change, limit: 5, code: null })).kind, "linked");
      assert.deepEqual(await store.accounts.latestState(uuid, "toy"), { groups: ["a"] });
      await logIn(store, "", { identity: second, state: { groups: ["second"] } });
      assert.deepEqual(await store.accounts.latestState(uuid, "toy"), { groups: ["second"] });
      await logIn(store, "ann", { state: { groups: ["again"] } });
      assert.deepEqual(await store.accounts.latestState(uuid, "toy"), { groups: ["again"] });
      await logIn(store, "", { identity: second, state: { groups: ["second"] } });
      assert.equal((await store.accounts.unlink({ ...change, providers: ["toy"] })).kind, "unlinked");
      assert.deepEqual(await store.accounts.latestState(uuid, "toy"), { groups: ["again"] });
    },
  ],
  [
    "the state from an identity's previous owner never counts for its current one",
    async (store) => {
      const [ann, bob] = [await logIn(store, "ann"), await logIn(store, "bob")];
      const badge = { provider: "badge", id: "7" };
      const change = { since: NOW, now: at(1), context: ORIGIN, identity: badge };
      const link = ({ principal, session }: typeof ann) =>
        store.accounts.link({
          ...change,
          principal: principal.uuid,
          session: session.uuid,
          limit: 5,
          code: null,
        });
      const unlink = ({ principal, session }: typeof ann) =>
        store.accounts.unlink({
          ...change,
          principal: principal.uuid,
          session: session.uuid,
          providers: ["toy"],
        });
      const states = async () =>
        Promise.all([ann, bob].map(({ principal }) => store.accounts.latestState(principal.uuid, "badge")));

      await link(ann);
      await logIn(store, "", { identity: badge, state: { groups: ["anns"] } });
      await unlink(ann);
      await link(bob);
      assert.deepEqual(await states(), [undefined, undefined]);
      await logIn(store, "", { identity: badge, state: { groups: ["bobs"] } });
      assert.deepEqual(await states(), [undefined, { groups: ["bobs"] }]);
      await unlink(bob);
      await link(ann);
      assert.deepEqual(await states(), [undefined, undefined], "what ann's said is from before bob's");
      await logIn(store, "", { identity: badge, state: { groups: ["anns again"] } });
      assert.deepEqual(await states(), [{ groups: ["anns again"] }, undefined]);
    },
  ],
  [
    "a purged login has no state, nor has an unknown principal",
    async (store) => {
      const { principal } = await logIn(store, "ann", { state: { groups: ["old"] }, expirationTime: at(5) });
      assert.deepEqual(await store.accounts.latestState(principal.uuid, "toy"), { groups: ["old"] });
      assert.equal(
        (await store.maintenance.purge({ now: at(10), batch: 100, auditBefore: null })).sessions,
        1,
      );
      assert.equal(await store.accounts.latestState(principal.uuid, "toy"), undefined);
      assert.equal(await store.accounts.latestState(newUuid(), "toy"), undefined);
    },
  ],
];
