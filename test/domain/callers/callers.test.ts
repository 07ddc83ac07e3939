/** What a token makes of a principal that has changed since the token was issued. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MultiUserCallers } from "../../../src/domain/callers/callers.ts";
import { KeyActivity } from "../../../src/domain/callers/key-activity.ts";
import { PrincipalCache } from "../../../src/domain/callers/principal-cache.ts";
import { Tokens } from "../../../src/domain/tokens/tokens.ts";
import { Secret } from "../../../src/lib/secrets.ts";
import { memoryStore } from "../../support/app.ts";
import { UNTOLD } from "../../support/changes.ts";
import { ManualClock } from "../../support/clock.ts";

const ORIGIN = { address: null, requestId: null, actor: null };
const TOY = { provider: "toy", id: "alice" };
const ORCID = { provider: "orcid", id: "0000-0001" };

async function scene() {
  const clock = new ManualClock();
  const store = await memoryStore(clock);
  const lifetimes = { accessToken: 900, refreshToken: 1800, session: 3600 };
  const tokens = new Tokens([new Secret("a key for tests only, never for real ones")], lifetimes, clock);
  const principalCache = new PrincipalCache({ ...store, changes: UNTOLD }, clock);
  const activity = new KeyActivity(store.apiKeys, clock, (error) => assert.fail(String(error)));
  const callers = new MultiUserCallers({ tokens, principalCache, activity, clock, allowAnonymous: false });
  const now = new Date(clock.now());
  const opened = await store.sessions.open({
    identity: TOY,
    now,
    expirationTime: new Date(clock.now() + 3_600_000),
    state: {},
    admin: false,
    limit: 10,
    context: ORIGIN,
  });
  assert.ok(opened.kind === "opened");
  const { uuid } = opened.principal;
  const change = { principal: uuid, session: opened.session.uuid, since: now, now, context: ORIGIN };
  const identify = async (token: string) =>
    await callers.identify({ kind: "bearer", token }, () => ORIGIN, { noted: false });
  const close = async () => store.close();
  return { clock, store, tokens, principalCache, opened, change, identify, [Symbol.asyncDispose]: close };
}

test("a token names no identity that was removed after it was issued", async () => {
  await using s = await scene();
  await s.store.accounts.link({ ...s.change, identity: ORCID, limit: 10, code: null });
  const both = await s.store.principals.summary(s.change.principal);
  assert.ok(both);
  const { access_token: token } = s.tokens.issue(both, s.opened.session, 0);
  const named = async () => {
    const caller = await s.identify(token);
    assert.ok(caller.kind === "token");
    return caller.identities.map(({ provider }) => provider).sort();
  };
  assert.deepEqual(await named(), ["orcid", "toy"]);
  await s.store.accounts.unlink({ ...s.change, identity: ORCID, providers: ["toy"] });
  s.principalCache.principalChanged(s.change.principal);
  assert.deepEqual(await named(), ["toy"]);
});

test("a caller stays the same object until its principal changes, so that credentials made for it are reused", async () => {
  await using s = await scene();
  const { access_token: token } = s.tokens.issue(s.opened.principal, s.opened.session, 0);
  const caller = await s.identify(token);
  s.clock.advance(0.6);
  assert.equal(await s.identify(token), caller);
  // By another server: this one finds it when it reads again.
  await s.store.accounts.link({ ...s.change, identity: ORCID, limit: 10, code: null });
  s.clock.advance(0.6);
  const changed = await s.identify(token);
  assert.ok(changed.kind === "token" && changed !== caller);
  assert.deepEqual(changed.principal.identities.map(({ provider }) => provider).sort(), ["orcid", "toy"]);
});
