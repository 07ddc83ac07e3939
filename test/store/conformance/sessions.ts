import assert from "node:assert/strict";
import { newUuid } from "../../../src/lib/uuid.ts";
import { at, eventsOf, logIn, login, NOW, ORIGIN, refresh } from "../support.ts";
import type { Case } from "./case.ts";

export const sessionCases: readonly Case[] = [
  [
    "an opened session is there, with its state",
    async (store) => {
      const state = { grüße: ["ü", { deep: null }], quote: `"'\\;--` };
      const { session, principal } = await logIn(store, "ann", { state, expirationTime: at(77) });
      assert.deepEqual(session, {
        uuid: session.uuid,
        principal: principal.uuid,
        expirationTime: at(77),
        revoked: false,
        state,
      });
      assert.deepEqual(await store.sessions.status(session.uuid), session);
      assert.equal(await store.sessions.status(newUuid()), undefined);
    },
  ],
  [
    "a login's audit row names the principal, the address and the session",
    async (store) => {
      const { session, principal } = await logIn(store, "ann");
      const [, row] = await store.audit.read({ limit: 10 });
      assert.deepEqual(row, {
        id: row?.id,
        time: NOW,
        event: "login",
        ...ORIGIN,
        principal: principal.uuid,
        identity: { provider: "toy", id: "ann" },
        detail: { session: session.uuid },
      });
    },
  ],
  [
    "of sessions that ended by a token's second use the newest are kept",
    async (store) => {
      const ids = [];
      for (let count = 0; count < 203; count++) {
        const { session } = await logIn(store, "ann", { limit: 1 });
        ids.push(session.uuid);
        assert.equal((await store.sessions.rotate(refresh(session.uuid, 5, "a"))).kind, "reuse");
      }
      const kept = await Promise.all(ids.map((id) => store.sessions.status(id)));
      assert.equal(kept.filter((status) => status !== undefined).length, 200);
      assert.equal(kept[0], undefined);
    },
  ],
  [
    "the limit counts live sessions only",
    async (store) => {
      const request = (now: Date) => login("ann", { now, limit: 2, expirationTime: at(1000) });
      const first = await logIn(store, "ann", { limit: 2, expirationTime: at(10) });
      await logIn(store, "ann", { limit: 2, expirationTime: at(1000) });
      const limited = { kind: "limit", principal: first.principal.uuid };
      assert.deepEqual(await store.sessions.open(request(at(1))), limited);
      // Another principal has its own.
      await logIn(store, "bob", { limit: 2 });
      // One expires.
      assert.equal((await store.sessions.open(request(at(10)))).kind, "opened");
      assert.deepEqual(await store.sessions.open(request(at(11))), limited);
      const { sessions } = (await store.principals.document(first.principal.uuid, at(11))) ?? {
        sessions: [],
      };
      await store.sessions.revoke({
        session: sessions[0]?.uuid ?? newUuid(),
        principal: null,
        now: at(12),
        context: ORIGIN,
      });
      assert.equal((await store.sessions.open(request(at(13)))).kind, "opened");
      assert.deepEqual(await store.sessions.open(login("new", { limit: 0 })), {
        kind: "limit",
        principal: null,
      });
      assert.equal(await store.principals.summaryOfIdentity({ provider: "toy", id: "new" }), undefined);
    },
  ],
  [
    "logins at the same moment cannot pass the limit together",
    async (store) => {
      await logIn(store, "ann", { limit: 5 });
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => store.sessions.open(login("ann", { limit: 5 }))),
      );
      assert.equal(outcomes.filter(({ kind }) => kind === "opened").length, 4);
      assert.equal(outcomes.filter(({ kind }) => kind === "limit").length, 16);
    },
  ],
  [
    "revoking ends a session, once, and returns its owner",
    async (store) => {
      const { session, principal } = await logIn(store, "ann");
      const revoke = () =>
        store.sessions.revoke({ session: session.uuid, principal: null, now: at(1), context: ORIGIN });
      assert.deepEqual(await revoke(), { kind: "revoked", principal: principal.uuid });
      assert.deepEqual(await revoke(), { kind: "revoked", principal: principal.uuid });
      assert.equal((await store.sessions.status(session.uuid))?.revoked, true);
      assert.deepEqual(await store.sessions.rotate(refresh(session.uuid, 0, "a")), { kind: "ended" });
      assert.deepEqual(await eventsOf(store, principal.uuid), [
        "principal_created",
        "login",
        "session_revoked",
      ]);
    },
  ],
  [
    "only the own session can be revoked where an owner is given",
    async (store) => {
      const ann = await logIn(store, "ann");
      const bob = await logIn(store, "bob");
      const { uuid } = ann.session;
      assert.deepEqual(
        await store.sessions.revoke({
          session: uuid,
          principal: bob.principal.uuid,
          now: NOW,
          context: ORIGIN,
        }),
        {
          kind: "unknown",
        },
      );
      assert.equal((await store.sessions.status(uuid))?.revoked, false);
      assert.equal(
        (
          await store.sessions.revoke({
            session: uuid,
            principal: ann.principal.uuid,
            now: NOW,
            context: ORIGIN,
          })
        ).kind,
        "revoked",
      );
      assert.deepEqual(
        await store.sessions.revoke({ session: newUuid(), principal: null, now: NOW, context: ORIGIN }),
        { kind: "unknown" },
      );
    },
  ],
  [
    "an expired session is unknown to revoke and ended to refresh, from its last moment on",
    async (store) => {
      const { session } = await logIn(store, "ann", { expirationTime: at(100) });
      assert.deepEqual(
        await store.sessions.revoke({
          session: session.uuid,
          principal: null,
          now: at(100),
          context: ORIGIN,
        }),
        { kind: "unknown" },
      );
      assert.deepEqual(await store.sessions.rotate(refresh(session.uuid, 0, "a", { now: at(100) })), {
        kind: "ended",
      });
      assert.equal(
        (await store.sessions.rotate(refresh(session.uuid, 0, "a", { now: at(99) }))).kind,
        "refreshed",
      );
    },
  ],
];
