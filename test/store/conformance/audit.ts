import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { follow, newest } from "../../../src/domain/audit-following.ts";
import type { AuditEvent } from "../../../src/domain/model/entities.ts";
import type { Failure } from "../../../src/errors.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import { at, logIn, newKey, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

const event = (seconds: number, changes: Partial<AuditEvent> = {}): AuditEvent => ({
  time: at(seconds),
  event: "login_failed",
  principal: null,
  identity: { provider: "toy", id: "ann" },
  detail: { reason: "wrong_password", count: 3, again: true, none: null },
  ...ORIGIN,
  ...changes,
});

export const auditCases: readonly Case[] = [
  [
    "rows come back as they were written, in order",
    async (store) => {
      const events = [
        event(1),
        event(2, {
          identity: null,
          address: null,
          requestId: null,
          actor: newUuid(),
          principal: newUuid(),
          detail: {},
        }),
        event(3, { identity: { provider: "töy", id: "né\u{1F511}" }, event: "login_throttled" }),
      ];
      await store.audit.append(events);
      await store.audit.append([]);
      const rows = await store.audit.read({ limit: 10 });
      assert.deepEqual(
        rows.map(({ id: _, ...row }) => row),
        events,
      );
      assert.ok(rows.every(({ id }, index) => id > (rows[index - 1]?.id ?? 0)));
    },
  ],
  [
    "a login and logout in a loop leaves few rows with a count; the next hour starts over",
    async (store) => {
      const { principal } = await logIn(store, "ann");
      for (let round = 0; round < 300; round++) {
        const now = at(round);
        const { session } = await logIn(store, "ann", { now, expirationTime: at(9000) });
        await store.sessions.revoke({
          session: session.uuid,
          principal: principal.uuid,
          now: at(round + 0.5),
          context: ORIGIN,
        });
      }
      const rows = await store.audit.read({ limit: 1000, principal: principal.uuid });
      for (const name of ["login", "session_revoked"]) {
        const of = rows.filter(({ event: found }) => found === name);
        assert.equal(of.length, 21, name);
        assert.equal(
          of.reduce((sum, { count }) => sum + (count ?? 1), 0),
          name === "login" ? 301 : 300,
        );
        assert.ok(of.slice(0, -1).every(({ count }) => count === undefined));
        assert.deepEqual(of.at(-1)?.lastTime, at(name === "login" ? 299 : 299.5));
      }
      // Of the sessions that have ended, as many as whoami lists.
      const document = await store.principals.document(principal.uuid, at(300));
      assert.equal(document?.sessions.filter(({ revoked }) => revoked).length, 200);
      await logIn(store, "ann", { now: at(3600) });
      assert.equal((await store.audit.read({ limit: 1000, events: ["login"] })).length, 22);
    },
  ],
  [
    "events of different persons, kinds or reasons are not folded; those of many addresses are",
    async (store) => {
      const [one, other] = [newUuid(), newUuid()];
      const kinds: Partial<AuditEvent>[] = [
        { principal: one },
        { principal: other },
        { principal: one, event: "login" },
        { principal: one, detail: { reason: "session_limit" } },
      ];
      for (const kind of kinds) await store.audit.append(Array.from({ length: 20 }, () => event(1, kind)));
      assert.equal((await store.audit.read({ limit: 1000 })).length, 80);
      const spread = Array.from({ length: 1000 }, (_, index) =>
        event(2, { principal: one, event: "api_key_created", address: `192.0.2.${index % 200}` }),
      );
      await store.audit.append(spread);
      const rows = await store.audit.read({ limit: 1000, events: ["api_key_created"] });
      assert.equal(rows.length, 201);
      assert.equal(rows.at(-1)?.count, 800);
    },
  ],
  [
    "changes by the command line name it and the operator; other changes do not",
    async (store) => {
      const context = { address: null, requestId: null, actor: null };
      const operator = { ...context, operator: 'rö"ot' };
      const { principal, session } = await logIn(store, "ann");
      const { uuid } = principal;
      const key = newKey(uuid);
      await store.apiKeys.create(key);
      const root = { provider: "toy", id: "root" };
      await logIn(store, "root");
      await store.principals.ensureAdmins({ identities: [root], now: at(1), context });
      const last = (await store.audit.read({ limit: 100 })).at(-1)?.id ?? 0;
      await store.principals.ensureAdmins({
        identities: [root, { provider: "toy", id: "ann" }],
        now: at(1),
        context: operator,
      });
      await store.principals.revokeAdmin({ principal: uuid, now: at(2), context: operator });
      await store.apiKeys.revoke({
        principal: uuid,
        firstEight: key.key.firstEight,
        now: at(2),
        context: operator,
      });
      await store.sessions.revoke({ session: session.uuid, principal: null, now: at(2), context: operator });
      await store.principals.setDisabled({ principal: uuid, disabled: true, now: at(3), context: operator });
      await store.principals.setDisabled({ principal: uuid, disabled: false, now: at(4), context: operator });
      const rows = await store.audit.read({ limit: 100 });
      const here = rows.filter(({ id }) => id > last);
      assert.deepEqual(
        here.map(({ event }) => event),
        [
          "role_granted",
          "role_revoked",
          "api_key_revoked",
          "session_revoked",
          "principal_disabled",
          "principal_enabled",
        ],
      );
      for (const { actor, detail } of here) {
        assert.equal(actor, null);
        assert.deepEqual([detail["by"], detail["os_user"]], ["command line", 'rö"ot']);
      }
      assert.equal(here[0]?.detail["role"], "admin");
      for (const { id, detail } of rows) if (id <= last) assert.ok(!("by" in detail || "os_user" in detail));
    },
  ],
  [
    "reading continues from an id, and filters by time, event and principal",
    async (store) => {
      const ann = newUuid();
      await store.audit.append([
        event(1, { principal: ann }),
        event(2),
        event(3, { event: "login", principal: ann }),
        event(4, { event: "session_revoked" }),
      ]);
      const rows = await store.audit.read({ limit: 10 });
      const times = async (filter: Parameters<typeof store.audit.read>[0]) =>
        (await store.audit.read(filter)).map(({ time }) => (time.getTime() - at(0).getTime()) / 1000);
      assert.deepEqual(await times({ limit: 2 }), [1, 2]);
      assert.deepEqual(await times({ limit: 2, newest: true }), [3, 4]);
      assert.deepEqual(await times({ limit: 10, after: rows[1]?.id ?? 0 }), [3, 4]);
      assert.deepEqual(await times({ limit: 10, after: rows[3]?.id ?? 0 }), []);
      assert.deepEqual(await times({ limit: 10, since: at(3) }), [3, 4]);
      assert.deepEqual(await times({ limit: 10, principal: ann }), [1, 3]);
      assert.deepEqual(await times({ limit: 10, events: ["login", "session_revoked"] }), [3, 4]);
      assert.deepEqual(await times({ limit: 10, events: [] }), []);
      assert.deepEqual(
        await times({ limit: 1, events: ["login_failed"], principal: ann, newest: true }),
        [1],
      );
    },
  ],
  [
    "following during concurrent writes misses nothing and repeats nothing",
    async (store) => {
      const filter = { limit: 100 };
      const { followed } = await newest(store.audit, filter);
      const writing = Promise.all(
        Array.from({ length: 60 }, (_, index) => {
          const address = `192.0.2.${index}`;
          return store.audit.append([event(index, { address }), event(index + 0.5, { address })]);
        }),
      );
      const stop = new AbortController();
      let more = 1;
      let finished = false;
      const noted = writing.finally(() => {
        finished = true;
      });
      const reader = {
        stop: stop.signal,
        wait: async () => {
          if (finished && more-- === 0) stop.abort();
          await nextTurn();
        },
        lost: (failure: Failure) => assert.fail(failure),
        back: () => assert.fail(),
      };
      const seen: number[] = [];
      for await (const { id } of follow(store.audit, filter, followed, reader)) seen.push(id);
      await noted;
      assert.equal(seen.length, 120);
      assert.equal(new Set(seen).size, 120);
    },
  ],
];
