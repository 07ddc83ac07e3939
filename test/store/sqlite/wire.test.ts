/** Packed commands arrive as they were sent, through the structured clone that a message makes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestContext } from "../../../src/domain/model/entities.ts";
import type { OpenOutcome, RotateOutcome, RotateSession } from "../../../src/domain/ports/sessions.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import { packArgs, packResult, unpackArgs, unpackResult } from "../../../src/store/sqlite/wire.ts";

const NOW = new Date("2026-11-30T12:00:00.123Z");
const [ANN, SESSION] = [newUuid(), newUuid()];

const CONTEXTS: readonly RequestContext[] = [
  { address: null, requestId: null, actor: null },
  { address: "192.0.2.1", requestId: "0123456789abcdef", actor: null, userAgent: null },
  { address: "::1", requestId: "1", actor: ANN, credential: { kind: "token" }, userAgent: "curl" },
  { address: null, requestId: null, actor: null, operator: "root" },
];

test("a refresh reaches the writer with all that the request says", () => {
  for (const context of CONTEXTS) {
    for (const generation of [null, 7]) {
      const args: RotateSession = {
        session: SESSION,
        summarize: generation === null,
        generation,
        tokenId: "0123456789abcdef0123456789abcdef",
        rotate: true,
        grace: 60,
        now: NOW,
        context,
      };
      const sent: unknown = structuredClone(packArgs("session.rotate", args));
      assert.deepEqual(unpackArgs("session.rotate", sent), args);
    }
  }
});

test("a login reaches the writer with all that the request says", () => {
  for (const context of CONTEXTS) {
    const args = {
      identity: { provider: "toy", id: "ann" },
      now: NOW,
      expirationTime: new Date(NOW.getTime() + 1000),
      state: '{"groups": []}',
      admin: false,
      limit: 200,
      context,
    };
    for (const more of [{}, { profile: { name: "Ann" }, caseSensitive: false }]) {
      const sent: unknown = structuredClone(packArgs("session.open", { ...args, ...more }));
      assert.deepEqual(unpackArgs("session.open", sent), { ...args, ...more });
    }
  }
});

test("the outcomes come back with times, state and principal", () => {
  const session = { uuid: SESSION, principal: ANN, expirationTime: NOW, revoked: false };
  const principal = {
    uuid: ANN,
    type: "user",
    disabled: false,
    identities: [{ provider: "toy", id: "ann" }],
    scopes: ["read:data"],
  } as const;
  const refreshed = { kind: "refreshed", generation: 8, stays: false } as const;
  const outcomes: readonly RotateOutcome[] = [
    { ...refreshed, rotatedAt: NOW, principal: null, session: { ...session, state: {} } },
    { ...refreshed, rotatedAt: null, principal, session: { ...session, state: { groups: ["a", null] } } },
    { kind: "ended" },
    { kind: "reuse", principal: ANN },
  ];
  for (const outcome of outcomes) {
    const sent: unknown = structuredClone(packResult("session.rotate", outcome));
    assert.deepEqual(unpackResult("session.rotate", sent), outcome);
  }
  const more = [
    { ...principal, identities: [] },
    { ...principal, identities: [...principal.identities, { provider: "oidc", id: "ann@example.org" }] },
  ];
  const opened: readonly OpenOutcome[] = [
    ...[principal, ...more].map((found) => ({
      kind: "opened" as const,
      principal: found,
      session: { ...session, state: {} },
    })),
    { kind: "limit", principal: null },
    { kind: "other_spelling", principal: ANN, known: "Ann" },
  ];
  for (const outcome of opened) {
    const sent: unknown = structuredClone(packResult("session.open", outcome));
    assert.deepEqual(unpackResult("session.open", sent), outcome);
  }
});
