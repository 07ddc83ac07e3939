/** For whom a refresh issues its tokens: the principal as the rotation found it. */
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
import { UNTOLD } from "../support/changes.ts";
import { ManualClock } from "../support/clock.ts";

const ORIGIN = { address: null, requestId: null, actor: null };

async function scene(
  rotated: (store: Store, principal: Uuid, cache: PrincipalCache) => Promise<void> = async () => {},
) {
  const clock = new ManualClock();
  const store = await memoryStore(clock);
  const lifetimes = { accessToken: 900, refreshToken: 1800, session: 3600 };
  const tokens = new Tokens([new Secret("a key for tests only, never for real ones")], lifetimes, clock);
  const principalCache = new PrincipalCache({ ...store, changes: UNTOLD }, clock);
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
      await rotated(store, principal.uuid, principalCache);
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
  const { store, clock, tokens, sessions, first, now } = await scene();
  const scopesOf = (token: string) => tokens.verifyAccess(token).scopes;
  const second = await sessions.refresh(first.refresh_token, ORIGIN);
  assert.ok(!scopesOf(second.access_token).includes("read:principals"));
  await store.principals.ensureAdmins({
    identities: [{ provider: "toy", id: "alice" }],
    now,
    context: ORIGIN,
  });
  // Another server did that: it is seen half a second later.
  clock.advance(0.5);
  const third = await sessions.refresh(second.refresh_token, ORIGIN);
  assert.ok(scopesOf(third.access_token).includes("read:principals"));
});

test("a refresh reads the principal once, and spares the next request a reading", async (t) => {
  const { store, principalCache, sessions, principal, first } = await scene();
  const summary = t.mock.method(store.principals, "summary");
  await sessions.refresh(first.refresh_token, ORIGIN);
  assert.equal((await principalCache.summary(principal.uuid))?.uuid, principal.uuid);
  assert.equal(summary.mock.callCount(), 0);
});

test("a principal that was disabled after the exchange is not remembered as enabled", async () => {
  const { principalCache, sessions, principal, first } = await scene(async (store, uuid, cache) => {
    await store.principals.setDisabled({
      principal: uuid,
      disabled: true,
      now: new Date(0),
      context: ORIGIN,
    });
    cache.principalChanged(uuid);
  });
  const second = await sessions.refresh(first.refresh_token, ORIGIN);
  assert.equal((await principalCache.summary(principal.uuid))?.disabled, true);
  await assert.rejects(
    sessions.refresh(second.refresh_token, ORIGIN),
    (error) => error instanceof Failure && error.code === "session_expired",
  );
});

test("a principal that was disabled a moment ago and is enabled again gets new tokens", async () => {
  const { store, principalCache, sessions, principal, first, now } = await scene();
  await store.principals.setDisabled({ principal: principal.uuid, disabled: true, now, context: ORIGIN });
  assert.equal((await principalCache.summary(principal.uuid))?.disabled, true);
  // By another server of the same database: this one has not been told.
  await store.principals.setDisabled({ principal: principal.uuid, disabled: false, now, context: ORIGIN });
  assert.ok((await sessions.refresh(first.refresh_token, ORIGIN)).access_token);
});

test("a session that was refreshed a moment ago is refreshed without reading its principal again", async () => {
  const { sessions, clock, store, first, principal, now } = await scene();
  const asked: boolean[] = [];
  const { rotate } = store.sessions;
  Object.assign(store.sessions, {
    rotate: (request: Parameters<typeof rotate>[0]) => {
      asked.push(request.summarize);
      return rotate(request);
    },
  });
  const second = await sessions.refresh(first.refresh_token, ORIGIN);
  const third = await sessions.refresh(second.refresh_token, ORIGIN);
  clock.advance(1);
  const fourth = await sessions.refresh(third.refresh_token, ORIGIN);
  assert.deepEqual(asked, [true, false, true]);
  // Another server disables the principal: nothing here knows, but the rotation does.
  await store.principals.setDisabled({ principal: principal.uuid, disabled: true, now, context: ORIGIN });
  await assert.rejects(sessions.refresh(fourth.refresh_token, ORIGIN), { code: "session_expired" });
});
