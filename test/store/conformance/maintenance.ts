import assert from "node:assert/strict";
import { at, logIn, NOW, newKey } from "../support.ts";
import type { Case } from "./case.ts";

/** An expired key stays this long, unlisted, so that its owner sees that it has expired. */
const MONTH = 30 * 86_400;
const NOTHING = { sessions: 0, pendingSessions: 0, apiKeys: 0, auditRows: 0, more: false, busy: false };

export const maintenanceCases: readonly Case[] = [
  [
    "a working store answers every ping",
    async (store) => {
      for (const _ of [1, 2, 3]) await store.maintenance.ping();
      assert.deepEqual(await store.maintenance.purge({ now: at(5), batch: 2, auditBefore: null }), NOTHING);
      await store.maintenance.ping();
    },
  ],
  [
    "expired rows are deleted, in batches, and no others",
    async (store) => {
      const { principal, session } = await logIn(store, "ann", { expirationTime: at(1000) });
      for (const _ of [1, 2, 3]) await logIn(store, "ann", { expirationTime: at(10) });
      const lasting = newKey(principal.uuid);
      const later = newKey(principal.uuid, { expirationTime: at(1000) });
      const short = [
        newKey(principal.uuid, { expirationTime: at(10 - MONTH) }),
        newKey(principal.uuid, { expirationTime: at(11 - MONTH) }),
      ];
      for (const key of [lasting, later, ...short]) await store.apiKeys.create(key);

      assert.deepEqual(await store.maintenance.purge({ now: at(5), batch: 2, auditBefore: null }), NOTHING);
      assert.deepEqual(await store.maintenance.purge({ now: at(20), batch: 2, auditBefore: null }), {
        ...NOTHING,
        sessions: 2,
        apiKeys: 2,
        more: true,
      });
      assert.deepEqual(await store.maintenance.purge({ now: at(20), batch: 2, auditBefore: null }), {
        ...NOTHING,
        sessions: 1,
      });
      assert.deepEqual(await store.maintenance.purge({ now: at(20), batch: 2, auditBefore: null }), NOTHING);

      const document = await store.principals.document(principal.uuid, NOW);
      assert.deepEqual(
        document?.sessions.map(({ uuid }) => uuid),
        [session.uuid],
      );
      assert.deepEqual(
        document?.apiKeys.map(({ firstEight }) => firstEight).sort(),
        [lasting.key.firstEight, later.key.firstEight].sort(),
      );
    },
  ],
  [
    "a requested purge is audited, batch by batch, if it deleted something",
    async (store) => {
      const { principal } = await logIn(store, "ann", { expirationTime: at(10) });
      for (const _ of [1, 2]) await logIn(store, "ann", { expirationTime: at(10) });
      await store.apiKeys.create(newKey(principal.uuid, { expirationTime: at(10 - MONTH) }));
      const context = { address: null, requestId: null, actor: null };
      const told = () => store.audit.read({ limit: 10, events: ["database_purged"] });

      await store.maintenance.purge({ now: at(5), batch: 2, auditBefore: null, context });
      await store.maintenance.purge({ now: at(20), batch: 1, auditBefore: null });
      assert.deepEqual(await told(), [], "nothing was deleted, or it was not requested");
      await store.maintenance.purge({ now: at(20), batch: 1, auditBefore: null, context });
      await store.maintenance.purge({ now: at(20), batch: 1, auditBefore: at(1), context });
      await store.maintenance.purge({ now: at(20), batch: 10, auditBefore: at(1), context });
      const rows = await told();
      const counts = { sessions: 0, pending_sessions: 0, api_keys: 0, audit_rows: 0 };
      assert.deepEqual(
        rows.map(({ detail }) => detail),
        [
          { ...counts, sessions: 1 },
          { ...counts, sessions: 1, audit_rows: 1 },
          { ...counts, audit_rows: 4 },
        ],
      );
      for (const { id: _, detail: __, ...row } of rows)
        assert.deepEqual(row, {
          ...context,
          time: at(20),
          event: "database_purged",
          principal: null,
          identity: null,
        });
    },
  ],
  [
    "a session that was refreshed can be purged",
    async (store) => {
      const { session } = await logIn(store, "ann", { expirationTime: at(100) });
      const outcome = await store.sessions.rotate({
        session: session.uuid,
        generation: 0,
        tokenId: "t",
        summarize: true,
        rotate: true,
        grace: 60,
        now: at(1),
        context: { address: null, requestId: null, actor: null },
      });
      assert.equal(outcome.kind, "refreshed");
      assert.equal(
        (await store.maintenance.purge({ now: at(101), batch: 10, auditBefore: null })).sessions,
        1,
      );
      assert.equal(await store.sessions.status(session.uuid), undefined);
    },
  ],
  [
    "audit rows are deleted by age, if one is given, and their ids are not reused",
    async (store) => {
      for (const seconds of [0, 10, 20]) await logIn(store, "ann", { now: at(seconds) });
      const before = await store.audit.read({ limit: 10 });
      assert.equal(before.length, 4);
      assert.deepEqual(await store.maintenance.purge({ now: at(30), batch: 10, auditBefore: at(20) }), {
        ...NOTHING,
        auditRows: 3,
      });
      assert.deepEqual(
        (await store.audit.read({ limit: 10 })).map(({ id }) => id),
        before.slice(3).map(({ id }) => id),
      );
      await store.maintenance.purge({ now: at(30), batch: 10, auditBefore: at(30) });
      await logIn(store, "ann");
      const [row] = await store.audit.read({ limit: 10 });
      assert.ok((row?.id ?? 0) > (before[3]?.id ?? 0));
    },
  ],
];
