import assert from "node:assert/strict";
import type { RotateOutcome } from "../../../src/domain/ports/sessions.ts";
import { newUuid, type Uuid } from "../../../src/lib/uuid.ts";
import { at, eventsOf, logIn, ORIGIN, refresh } from "../support.ts";
import type { Case } from "./case.ts";

const generationOf = (outcome: RotateOutcome) =>
  outcome.kind === "refreshed" ? outcome.generation : outcome.kind;

export const rotationCases: readonly Case[] = [
  [
    "each exchange begins the next generation",
    async (store) => {
      const { session, principal } = await logIn(store, "ann", { state: { a: 1 } });
      for (const generation of [0, 1, 2]) {
        assert.deepEqual(await store.sessions.rotate(refresh(session.uuid, generation, `t${generation}`)), {
          kind: "refreshed",
          generation: generation + 1,
          rotatedAt: at(60),
          stays: false,
          principal,
          session,
        });
      }
    },
  ],
  [
    "a refresh returns the principal's current scopes",
    async (store) => {
      const { session, principal } = await logIn(store, "ann");
      await store.principals.ensureAdmins({ identities: principal.identities, now: at(1), context: ORIGIN });
      const outcome = await store.sessions.rotate(refresh(session.uuid, 0, "t0"));
      assert.ok(outcome.kind === "refreshed");
      assert.deepEqual(outcome.principal, await store.principals.summary(principal.uuid));
      assert.ok(outcome.principal.scopes.includes("admin:apikeys"));
    },
  ],
  [
    "a retry with the exchanged token gets the same exchange, any number of times, and is reported once",
    async (store) => {
      const { session, principal } = await logIn(store, "ann");
      const retry = async (seconds: number) => {
        const outcome = await store.sessions.rotate(refresh(session.uuid, 0, "t0", { now: at(seconds) }));
        assert.ok(outcome.kind === "refreshed", outcome.kind);
        return [outcome.generation, outcome.rotatedAt];
      };
      for (const seconds of [10, 10, 11, 40, 70]) assert.deepEqual(await retry(seconds), [1, at(10)]);
      const events = ["principal_created", "login", "session_refresh_retried"];
      assert.deepEqual(await eventsOf(store, principal.uuid), events);
      const next = () => store.sessions.rotate(refresh(session.uuid, 1, "t1", { now: at(71) }));
      assert.equal(generationOf(await next()), 2);
      // Of the next exchange, too.
      await next();
      assert.deepEqual(await eventsOf(store, principal.uuid), [...events, "session_refresh_retried"]);
    },
  ],
  [
    "the exchanged token is reuse once the grace period is over, though nothing else was refreshed",
    async (store) => {
      const { session, principal } = await logIn(store, "ann");
      await store.sessions.rotate(refresh(session.uuid, 0, "t0", { now: at(10) }));
      assert.equal(
        generationOf(await store.sessions.rotate(refresh(session.uuid, 0, "t0", { now: at(71) }))),
        "reuse",
      );
      assert.equal((await store.sessions.status(session.uuid))?.revoked, true);
      assert.deepEqual(await eventsOf(store, principal.uuid), [
        "principal_created",
        "login",
        "session_refresh_reuse",
      ]);
    },
  ],
  [
    "clients that refresh with one token at the same moment all end with working tokens",
    async (store) => {
      const { session } = await logIn(store, "ann");
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, () => store.sessions.rotate(refresh(session.uuid, 0, "shared"))),
      );
      assert.deepEqual(new Set(outcomes.map(generationOf)), new Set([1]));
    },
  ],
  [
    "while programs that share a login refresh, the newest token stays, so that no other one is two generations old",
    async (store) => {
      const { session } = await logIn(store, "ann");
      const rotate = async (seconds: number, generation: number, id: string) => {
        const change = refresh(session.uuid, generation, id, { now: at(seconds) });
        const outcome = await store.sessions.rotate(change);
        return outcome.kind === "refreshed" ? [outcome.generation, outcome.stays] : outcome.kind;
      };
      assert.deepEqual(await rotate(10, 0, "t0"), [1, false]);
      assert.deepEqual(await rotate(11, 0, "t0"), [1, false]);
      assert.deepEqual(await rotate(12, 1, "t1"), [1, true]);
      assert.deepEqual(await rotate(69, 0, "t0"), [1, false]);
      assert.deepEqual(await rotate(71, 1, "t1"), [2, false]);
      // From then on it is known before the first retry.
      assert.deepEqual(await rotate(72, 2, "t2"), [2, true]);
      assert.deepEqual(await rotate(73, 1, "t1"), [2, false]);
      assert.deepEqual(await rotate(132, 2, "t2"), [3, false]);
      assert.deepEqual(await rotate(133, 1, "t1"), "reuse");
    },
  ],
  [
    "a token that was exchanged before the last one ends the session, and is reported",
    async (store) => {
      const { session, principal } = await logIn(store, "ann");
      await store.sessions.rotate(refresh(session.uuid, 0, "t0"));
      await store.sessions.rotate(refresh(session.uuid, 1, "t1"));
      assert.deepEqual(await store.sessions.rotate(refresh(session.uuid, 0, "t0")), {
        kind: "reuse",
        principal: principal.uuid,
      });
      assert.equal((await store.sessions.status(session.uuid))?.revoked, true);
      // The honest client is logged out as well, without a second event.
      assert.deepEqual(await store.sessions.rotate(refresh(session.uuid, 2, "t2")), { kind: "ended" });
      assert.deepEqual(await eventsOf(store, principal.uuid), [
        "principal_created",
        "login",
        "session_refresh_reuse",
      ]);
    },
  ],
  [
    "another token of the generation before is reuse",
    async (store) => {
      const { session } = await logIn(store, "ann");
      await store.sessions.rotate(refresh(session.uuid, 0, "honest"));
      assert.equal((await store.sessions.rotate(refresh(session.uuid, 0, "stolen"))).kind, "reuse");
    },
  ],
  [
    "of two different tokens of one generation at the same moment, one is reuse",
    async (store) => {
      // The connections are opened before, so that the refreshes run at the same time.
      await Promise.all(Array.from({ length: 8 }, () => store.sessions.status(newUuid())));
      for (let round = 0; round < 20; round++) {
        const { session } = await logIn(store, "ann");
        const outcomes = await Promise.all(
          ["honest", "stolen"].map((id) => store.sessions.rotate(refresh(session.uuid, 0, id))),
        );
        assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ["refreshed", "reuse"]);
        assert.equal((await store.sessions.status(session.uuid))?.revoked, true);
      }
    },
  ],
  [
    "a generation that was never issued is reuse",
    async (store) => {
      const { session } = await logIn(store, "ann");
      assert.equal((await store.sessions.rotate(refresh(session.uuid, 1, "t"))).kind, "reuse");
      const { session: other } = await logIn(store, "ann");
      assert.equal((await store.sessions.rotate(refresh(other.uuid, -1, "t"))).kind, "reuse");
    },
  ],
  [
    "a token of the real Tiled is exchanged once, with a retry, and is reuse later",
    async (store) => {
      const { session } = await logIn(store, "ann");
      const rotate = async (seconds: number, generation: number | null, id: string) =>
        generationOf(
          await store.sessions.rotate(refresh(session.uuid, generation, id, { now: at(seconds) })),
        );
      assert.equal(await rotate(10, null, "digest"), 1);
      assert.equal(await rotate(10, null, "digest"), 1);
      assert.equal(await rotate(71, 1, "t1"), 2);
      assert.equal(await rotate(71, null, "digest"), "reuse");
    },
  ],
  [
    "without rotation every genuine token refreshes and the generation stays",
    async (store) => {
      const { session } = await logIn(store, "ann");
      const keep = (uuid: Uuid, generation: number | null) =>
        store.sessions.rotate(refresh(uuid, generation, "any", { rotate: false }));
      for (const generation of [0, null, 0, 7])
        assert.equal(generationOf(await keep(session.uuid, generation)), 0);
      // A session that was rotated before keeps its generation and continues from it when rotation is on again.
      const { session: other } = await logIn(store, "ann");
      await store.sessions.rotate(refresh(other.uuid, 0, "t0"));
      assert.equal(generationOf(await keep(other.uuid, null)), 1);
      assert.equal(generationOf(await store.sessions.rotate(refresh(other.uuid, 1, "t1"))), 2);
    },
  ],
  [
    "an unknown session has ended",
    async (store) => {
      assert.deepEqual(await store.sessions.rotate(refresh(newUuid(), 0, "t")), { kind: "ended" });
      assert.deepEqual(
        await store.sessions.rotate(refresh(newUuid(), 0, "t", { rotate: false, now: at(1) })),
        {
          kind: "ended",
        },
      );
    },
  ],
];
