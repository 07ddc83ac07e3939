/** What a token makes of a principal that has changed since the token was issued. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MultiUserCallers } from "../../../src/domain/callers/callers.ts";
import { KeyActivity } from "../../../src/domain/callers/key-activity.ts";
import { PrincipalCache } from "../../../src/domain/callers/principal-cache.ts";
import { Tokens } from "../../../src/domain/tokens/tokens.ts";
import { Secret } from "../../../src/lib/secrets.ts";
import { memoryStore } from "../../support/app.ts";
import { ManualClock } from "../../support/clock.ts";

const ORIGIN = { address: null, requestId: null, actor: null };
const TOY = { provider: "toy", id: "alice" };
const ORCID = { provider: "orcid", id: "0000-0001" };

test("a token names no identity that was removed after it was issued", async () => {
  const clock = new ManualClock();
  await using store = Object.assign(await memoryStore(clock), {
    [Symbol.asyncDispose]: async () => store.close(),
  });
  const lifetimes = { accessToken: 900, refreshToken: 1800, session: 3600 };
  const tokens = new Tokens([new Secret("a key for tests only, never for real ones")], lifetimes, clock);
  const principalCache = new PrincipalCache(store, clock);
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
  await store.accounts.link({ ...change, identity: ORCID, limit: 10, code: null });
  const both = await store.principals.summary(uuid);
  assert.ok(both);
  const { access_token: token } = await tokens.issue(both, opened.session, 0);
  const named = async () => {
    const caller = await callers.identify({ kind: "bearer", token }, () => ORIGIN, { noted: false });
    assert.ok(caller.kind === "token");
    return caller.identities.map(({ provider }) => provider).sort();
  };
  assert.deepEqual(await named(), ["orcid", "toy"]);
  await store.accounts.unlink({ ...change, identity: ORCID, providers: ["toy"] });
  principalCache.principalChanged(uuid);
  assert.deepEqual(await named(), ["toy"]);
});
