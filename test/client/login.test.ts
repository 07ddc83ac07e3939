/**
 * Logins of the client library: who is asked, what is kept, one refresh for any number of requests. In a process of its own,
 * since it replaces timers.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { inspect } from "node:util";
import {
  CannotPrompt,
  CannotRefreshAuthentication,
  Context,
  fromUri,
  MemoryStore,
  NoKeysHere,
  type Prompt,
  passwordGrant,
  type StoredTokens,
  type TokenStore,
  TooManyRequests,
} from "../../src/client/index.ts";
import { PASSWORDS, type TestApp, type TestAppOptions, testApp } from "../support/app.ts";
import { API, json, type Wire, wireTo, withoutPauses } from "../support/client.ts";

interface Scene {
  readonly app: TestApp;
  readonly wire: Wire;
  readonly store: MemoryStore;
}

async function scene(t: TestContext, options: TestAppOptions = {}): Promise<Scene> {
  const app = await testApp(options);
  t.after(() => app.close());
  return { app, wire: wireTo(app), store: new MemoryStore() };
}

const bob: Prompt = (context) => passwordGrant(context, { username: "bob", password: PASSWORDS.bob });

async function loggedIn(
  { wire, store }: Scene,
  options: { prompt?: Prompt } = { prompt: bob },
): Promise<Context> {
  const { context } = await Context.fromAnyUri(API, { fetch: wire.fetch, store });
  await context.authenticate({ prompt: options.prompt ?? bob });
  return context;
}

async function withoutPrompt({ wire, store }: Scene): Promise<Context> {
  const { context } = await Context.fromAnyUri(API, { fetch: wire.fetch, store });
  await context.configureAuth(await bob(context, [], { signal: new AbortController().signal }));
  return context;
}

/** Access tokens expire, refresh tokens do not. */
function expire({ app }: Scene): void {
  app.clock.advance(1000);
}

test("fromUri asks where a login is required, and goes on with the stored one the next time", async (t) => {
  const s = await scene(t);
  let asked = 0;
  const prompt: Prompt = (...args) => {
    asked += 1;
    return bob(...args);
  };
  const options = { fetch: s.wire.fetch, store: s.store, prompt };
  const first = await fromUri(API, options);
  assert.deepEqual(
    (await first.whoami())?.identities.map(({ id }) => id),
    ["bob"],
  );
  const second = await fromUri(API, options);
  assert.equal(second.authenticated, true);
  assert.equal(asked, 1);
  await second.logout();
  assert.equal(s.store.get(API), null);
});

test("without a prompt it cannot ask; where nothing is required it does not", async (t) => {
  const s = await scene(t);
  await assert.rejects(fromUri(API, { fetch: s.wire.fetch }), CannotPrompt);
  const open = await scene(t, { authentication: { allowAnonymousAccess: true } });
  const context = await fromUri(API, { fetch: open.wire.fetch });
  assert.equal(context.authenticated, false);
  assert.equal(await context.whoami(), null);
});

test("a server without logins", async (t) => {
  const { wire } = await scene(t, { providers: false });
  await assert.rejects(fromUri(API, { fetch: wire.fetch }), CannotPrompt);
  const context = await fromUri(`${API}?api_key=secret`, { fetch: wire.fetch });
  assert.equal(context.apiKey, "secret");
  assert.equal(await context.whoami(), null);
  assert.equal((await context.fetch("metadata/")).status, 200);
  for (const ask of [
    () => context.createApiKey(),
    () => context.whichApiKey(),
    () => context.revokeApiKey("12345678"),
  ])
    await assert.rejects(ask, NoKeysHere);
});

test("twenty requests with an expired token need one refresh, in all contexts of the store", async (t) => {
  const s = await scene(t);
  const context = await loggedIn(s);
  const other = await fromUri(API, { fetch: s.wire.fetch, store: s.store });
  expire(s);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? context : other).fetch("auth/whoami")),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(s.wire.count("/auth/session/refresh"), 1);
  assert.equal(s.store.get(API)?.access_token, context.tokens?.access_token);
});

test("the token that another program has stored is tried before a refresh", async (t) => {
  const s = await scene(t);
  const context = await loggedIn(s);
  expire(s);
  const { refresh_token } = s.store.get(API) ?? {};
  s.store.set(API, (await s.app.refresh(refresh_token ?? "")).json());
  assert.equal((await context.fetch("auth/whoami")).status, 200);
  assert.equal(s.wire.count("/auth/session/refresh"), 0);
});

test("an application's stores without a lock take turns with the platform's locks", async (t) => {
  if (globalThis.navigator?.locks === undefined) return t.skip("this Node has no navigator.locks");
  const s = await scene(t);
  const shared = new Map<string, StoredTokens>();
  const store = (): TokenStore => ({
    get: (apiUri) => shared.get(apiUri) ?? null,
    set: (apiUri, tokens) => void shared.set(apiUri, tokens),
    clear: (apiUri) => void shared.delete(apiUri),
  });
  shared.set(API, await s.app.login("bob"));
  const contexts = await Promise.all(
    [store(), store(), store()].map((store) => fromUri(API, { fetch: s.wire.fetch, store })),
  );
  expire(s);
  const answers = await Promise.all(contexts.map(({ fetch }) => fetch("auth/whoami")));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.equal(s.wire.count("/auth/session/refresh"), 1);
});

test("a missing scope is handed back without a refresh", async (t) => {
  const s = await scene(t);
  const context = await loggedIn(s);
  const response = await context.fetch("auth/principal");
  assert.equal(response.status, 401);
  assert.match(await response.text(), /Not enough permissions/);
  assert.equal(s.wire.count("/auth/session/refresh"), 0);
});

test("an ended login is forgotten, and without a prompt the request fails", async (t) => {
  const s = await scene(t);
  const context = await withoutPrompt(s);
  s.app.clock.advance(400 * 86_400);
  await assert.rejects(context.fetch("auth/whoami"), (error: unknown) => {
    assert.ok(error instanceof CannotRefreshAuthentication);
    assert.equal(error.code, "ERR_CANNOT_REFRESH");
    return true;
  });
  assert.equal(s.store.get(API), null);
  assert.equal(context.authenticated, false);
});

test("an ended login asks once for all waiting requests", async (t) => {
  const s = await scene(t);
  let asked = 0;
  const context = await loggedIn(s, {
    prompt: (...args) => {
      asked += 1;
      return bob(...args);
    },
  });
  s.app.clock.advance(400 * 86_400);
  const answers = await Promise.all(Array.from({ length: 5 }, () => context.fetch("auth/whoami")));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  assert.equal(asked, 2);
});

test("useCachedTokens never asks, and says when there is no login", async (t) => {
  const s = await scene(t);
  await withoutPrompt(s);
  const prompt = () => assert.fail("asked");
  const { context } = await Context.fromAnyUri(API, { fetch: s.wire.fetch, store: s.store, prompt });
  assert.equal(await context.useCachedTokens(), true);
  s.app.clock.advance(400 * 86_400);
  assert.equal(await context.useCachedTokens(), false);
  assert.equal(await context.useCachedTokens(), false);
  assert.equal(context.authenticated, false);
});

test("a login of another program that replaced the ended one is left alone", async (t) => {
  const s = await scene(t);
  const context = await withoutPrompt(s);
  s.app.clock.advance(400 * 86_400);
  const fresh = await s.app.login("cara");
  const { fetch } = s.wire;
  const racing: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (String(input).endsWith("/refresh")) s.store.set(API, fresh);
    return response;
  };
  const { context: other } = await Context.fromAnyUri(API, { fetch: racing, store: s.store });
  assert.equal(await other.useCachedTokens(), true);
  assert.deepEqual(
    (await context.whoami())?.identities.map(({ id }) => id),
    ["cara"],
  );
});

test("not remembered is in memory only, also when asked again", async (t) => {
  const s = await scene(t);
  await withoutPrompt(s);
  const { context } = await Context.fromAnyUri(API, { fetch: s.wire.fetch, store: s.store, prompt: bob });
  await context.authenticate({ rememberMe: false });
  assert.equal(s.store.get(API), null);
  s.app.clock.advance(400 * 86_400);
  assert.notEqual(await context.whoami(), null);
  assert.equal(s.store.get(API), null);
});

test("logout revokes and forgets, also when the server is away", async (t) => {
  withoutPauses(t);
  const s = await scene(t);
  const context = await withoutPrompt(s);
  const { refresh_token } = context.tokens ?? {};
  await context.logout();
  await context.logout();
  assert.equal((await s.app.refresh(refresh_token ?? "")).statusCode, 401);
  const away = await withoutPrompt(s);
  s.wire.instead("/revoke", ...Array.from({ length: 10 }, () => json(503, { detail: "away" })));
  await assert.rejects(away.logout(), { code: "ERR_UNAVAILABLE", status: 503, attempts: 10 });
  assert.equal(s.store.get(API), null);
  assert.equal(away.authenticated, false);
});

test("a request that a logout overtakes does not ask for a new login", async (t) => {
  const s = await scene(t);
  let asked = 0;
  let context: Context | null = null;
  const overtaken: typeof fetch = async (input, init) => {
    if (!String(input).endsWith("/whoami")) return await s.wire.fetch(input, init);
    await context?.logout();
    return json(401, { detail: "Access token has expired. Refresh token." });
  };
  const prompt: Prompt = (...args) => {
    asked += 1;
    return bob(...args);
  };
  ({ context } = await Context.fromAnyUri(API, { fetch: overtaken, store: s.store }));
  await context.authenticate({ prompt });
  await assert.rejects(context.whoami(), CannotRefreshAuthentication);
  assert.deepEqual([asked, context.authenticated], [1, false]);
});

test("an API key and a login exclude each other", async (t) => {
  const s = await scene(t);
  const { context } = await Context.fromAnyUri(API, { fetch: s.wire.fetch, apiKey: "x".repeat(72) });
  const tokens = await s.app.login("bob");
  for (const call of [
    () => context.authenticate({ prompt: bob }),
    () => context.configureAuth(tokens),
    () => context.useCachedTokens(),
    () => context.forceAuthRefresh(),
  ])
    await assert.rejects(call, TypeError);
});

test("a name that would lead to another path is not sent", async (t) => {
  const s = await scene(t);
  const context = await loggedIn(s);
  s.wire.asked.length = 0;
  for (const call of [
    () => context.admin.revokeApiKey("..", "12345678"),
    () => context.admin.showPrincipal(""),
    () => context.revokeSession("."),
    () => context.revokeApiKey("1234567"),
  ])
    await assert.rejects(call, TypeError);
  assert.deepEqual(s.wire.asked, []);
});

test("a throttled password is not repeated", async (t) => {
  const s = await scene(t, {
    authentication: {
      loginThrottle: { account: { failures: 1, per: 300 }, address: { failures: 9, per: 300 } },
    },
  });
  const { context } = await Context.fromAnyUri(API, { fetch: s.wire.fetch });
  const attempt = () => passwordGrant(context, { username: "bob", password: "wrong" });
  await assert.rejects(attempt, { code: "ERR_PASSWORD_REJECTED", status: 401 });
  await assert.rejects(attempt, (error: unknown) => {
    assert.ok(error instanceof TooManyRequests);
    assert.ok((error.retryAfter ?? 0) > 0);
    return true;
  });
  assert.equal(s.wire.count("/toy/token"), 2);
});

test("nothing that is printed has a secret", async (t) => {
  const s = await scene(t);
  const context = await loggedIn(s);
  const printed = [
    inspect(context, { showHidden: true, depth: 9 }),
    `${context}`,
    JSON.stringify(context),
  ].join();
  for (const secret of Object.values(context.tokens ?? {})) assert.ok(!printed.includes(secret), printed);
  assert.match(printed, /Context http:\/\/localhost\/api\/v1\/ \(authenticated\)/);
  assert.throws(() => Object.assign(context.tokens ?? {}, { access_token: "" }), TypeError);
});
