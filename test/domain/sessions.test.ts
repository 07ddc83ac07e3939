/** For whom a refresh issues its tokens: the principal as it is after the exchange. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PrincipalCache } from "../../src/domain/callers/principal-cache.ts";
import type { SessionStore } from "../../src/domain/ports/sessions.ts";
import type { Store } from "../../src/domain/ports/store.ts";
import { Sessions } from "../../src/domain/sessions.ts";
import { Tokens } from "../../src/domain/tokens/tokens.ts";
import { Failure } from "../../src/errors.ts";
import { Secret } from "../../src/lib/secrets.ts";
import type { Uuid } from "../../src/lib/uuid.ts";
import { memoryStore } from "../support/app.ts";
import { ManualClock } from "../support/clock.ts";

const ORIGIN = { address: null, requestId: null, actor: null };

async function scene(rotated: (store: Store, principal: Uuid) => Promise<void> = async () => {}) {
  const clock = new ManualClock();
  const store = await memoryStore(clock);
  const lifetimes = { accessToken: 900, refreshToken: 1800, session: 3600 };
  const tokens = new Tokens([new Secret("a key for tests only, never for real ones")], lifetimes, clock);
  const principalCache = new PrincipalCache(store, clock);
  const now = new Date(clock.now());
  const opened = await store.sessions.open({
    identity: { provider: "toy", id: "alice" },
    now,
    expirationTime: new Date(clock.now() + 3_600_000),
    state: {},
    admin: false,
    limit: 10,
    context: ORIGIN,
  });
  assert.ok(opened.kind === "opened");
  const { principal, session } = opened;
  const sessionStore: SessionStore = {
    ...store.sessions,
    rotate: async (request) => {
      const outcome = await store.sessions.rotate(request);
      await rotated(store, principal.uuid);
      return outcome;
    },
  };
  const sessions = new Sessions({
    store: sessionStore,
    tokens,
    principalCache,
    clock,
    rules: { rotate: true, grace: 60 },
  });
  const first = tokens.issue(principal, session, 0);
  return { store, principalCache, clock, tokens, sessions, principal, first, now };
}

test("a refresh gives the powers that the principal has by now", async () => {
  const { store, principalCache, tokens, sessions, principal, first, now } = await scene();
  const scopesOf = (token: string) => tokens.verifyAccess(token).scopes;
  const second = await sessions.refresh(first.refresh_token, ORIGIN);
  assert.ok(!scopesOf(second.access_token).includes("read:principals"));
  await store.principals.ensureAdmins({
    identities: [{ provider: "toy", id: "alice" }],
    now,
    context: ORIGIN,
  });
  principalCache.principalChanged(principal.uuid);
  const third = await sessions.refresh(second.refresh_token, ORIGIN);
  assert.ok(scopesOf(third.access_token).includes("read:principals"));
});

test("who is disabled while the token is exchanged gets no new one", async () => {
  const { sessions, first } = await scene(async (store, principal) => {
    await store.principals.setDisabled({ principal, disabled: true, now: new Date(0), context: ORIGIN });
  });
  await assert.rejects(
    sessions.refresh(first.refresh_token, ORIGIN),
    (error) => error instanceof Failure && error.code === "session_expired",
  );
});

test("who was disabled a moment ago and is not any more gets new tokens", async () => {
  const { store, principalCache, sessions, principal, first, now } = await scene();
  await store.principals.setDisabled({ principal: principal.uuid, disabled: true, now, context: ORIGIN });
  assert.equal((await principalCache.summary(principal.uuid))?.disabled, true);
  // By another server of the same database: this one has not been told.
  await store.principals.setDisabled({ principal: principal.uuid, disabled: false, now, context: ORIGIN });
  assert.ok((await sessions.refresh(first.refresh_token, ORIGIN)).access_token);
});

test("no token is issued from what was known before the database was lost; the refresh can be sent again", async (t) => {
  const { store, principalCache, clock, sessions, principal, first } = await scene();
  await principalCache.summary(principal.uuid);
  clock.advance(10);
  const lost = t.mock.method(store.principals, "summary", async () => {
    throw new Failure("store_unavailable", { log: "the database is away" });
  });
  for (const _ of ["is found out", "is known"]) {
    await assert.rejects(sessions.refresh(first.refresh_token, ORIGIN), (error) => {
      assert.ok(error instanceof Failure && error.code === "store_unavailable");
      assert.match(String(error.detail), /Send the same refresh token again/);
      return true;
    });
    // For other requests the principal is known.
    assert.equal((await principalCache.summary(principal.uuid))?.uuid, principal.uuid);
  }
  // From the moment on at which it is back.
  lost.mock.restore();
  assert.ok((await sessions.refresh(first.refresh_token, ORIGIN)).access_token);
});
