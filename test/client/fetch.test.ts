/**
 * `context.fetch`: what is sent where, sent again or handed back. In a process of its own,
 * since it replaces timers.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import createClient from "openapi-fetch";
import { Context, MemoryStore, passwordGrant, ServerUnavailable } from "../../src/client/index.ts";
import { PASSWORDS, testApp } from "../support/app.ts";
import { API, json, refused, wireTo, withoutPauses } from "../support/client.ts";

async function scene(t: TestContext) {
  const app = await testApp();
  t.after(() => app.close());
  const wire = wireTo(app);
  const store = new MemoryStore();
  const options = { fetch: wire.fetch, store, headers: { "x-lab": "1" } };
  const { context } = await Context.fromAnyUri(API, options);
  await context.configureAuth(await passwordGrant(context, { username: "bob", password: PASSWORDS.bob }));
  wire.asked.length = 0;
  return { app, wire, store, context };
}

test("credentials go to the API's origin only, a caller's own are not touched", async (t) => {
  const { wire, context } = await scene(t);
  wire.instead("/elsewhere", json(401, {}), json(200, {}), json(401, {}));
  assert.equal((await context.fetch("https://other.example/elsewhere")).status, 401);
  assert.equal((await context.fetch("http://localhost/elsewhere")).status, 200);
  const own = { headers: { authorization: "Bearer mine" } };
  assert.equal((await context.fetch(new Request("http://localhost/elsewhere", own))).status, 401);
  const access = `Bearer ${context.tokens?.access_token}`;
  assert.deepEqual(
    wire.asked.map(({ authorization }) => authorization),
    [null, access, "Bearer mine"],
  );
});

test("it is bound, takes paths of the API, and sends what Request and init say", async (t) => {
  const { context } = await scene(t);
  const { fetch } = context;
  assert.equal((await fetch("auth/whoami")).status, 200);
  assert.equal((await fetch(new URL("auth/whoami", context.apiUri))).status, 200);
  assert.equal((await fetch(new Request(`${API}auth/whoami`), { method: "HEAD" })).status, 200);
});

/** As openapi-typescript makes them of the server's `/openapi.json`. */
interface Paths {
  readonly "/api/v1/auth/whoami": {
    readonly get: {
      readonly responses: {
        readonly 200: { readonly content: { readonly "application/json": { uuid: string } } };
      };
    };
  };
}

test("a generated client is logged in through it", async (t) => {
  const { app, context, wire } = await scene(t);
  app.clock.advance(1000);
  const client = createClient<Paths>({ baseUrl: context.baseUrl, fetch: context.fetch });
  const { data, response } = await client.GET("/api/v1/auth/whoami");
  assert.deepEqual([response.status, data?.uuid], [200, (await context.whoami())?.uuid]);
  assert.equal(wire.count("/refresh"), 1);
});

test("bodies that can be read again are sent again after a refresh", async (t) => {
  const { app, context, wire } = await scene(t);
  const text = JSON.stringify({ expires_in: null, scopes: ["read:metadata"] });
  const init = { method: "POST", headers: { "content-type": "application/json" } };
  const url = `${API}auth/apikey`;
  for (const ask of [
    () => context.fetch(url, { ...init, body: text }),
    () => context.fetch(url, { ...init, body: new TextEncoder().encode(text) }),
    () => context.fetch(url, { ...init, body: new Blob([text]) }),
    () => context.fetch(new Request(url, { ...init, body: text })),
  ]) {
    app.clock.advance(1000);
    assert.equal((await ask()).status, 200);
  }
  assert.equal(wire.count("/auth/session/refresh"), 4);
});

test("a stream is sent once: its 401 is handed back", async (t) => {
  const { app, context, wire } = await scene(t);
  app.clock.advance(1000);
  const body = new Blob(["{}"]).stream();
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  assert.equal((await context.fetch("auth/apikey", init)).status, 401);
  assert.equal(wire.count("/auth/session/refresh"), 0);
});

test("reading repeats on failed connections, 429 and 5xx but 501, with growing pauses", async (t) => {
  const pauses = withoutPauses(t);
  const { context, wire } = await scene(t);
  wire.instead(
    "/metadata/",
    refused(),
    new TypeError("fetch failed"),
    json(502, {}),
    json(429, {}, { "retry-after": "7" }),
    json(500, {}),
  );
  assert.equal((await context.fetch("metadata/")).status, 200);
  assert.equal(wire.count("/metadata/"), 6);
  assert.equal(pauses.length, 5);
  assert.equal(pauses[3], 7000);
  assert.ok((pauses[4] ?? 0) > (pauses[0] ?? 0), pauses.join());
  wire.instead("/metadata/", json(501, {}));
  assert.equal((await context.fetch("metadata/")).status, 501);
  wire.instead("/metadata/", json(429, {}, { "retry-after": "3600" }));
  assert.equal((await context.fetch("metadata/")).status, 429);
});

test("at last the answer is handed back, or the failed connection told", async (t) => {
  withoutPauses(t);
  const { context, wire } = await scene(t);
  wire.instead("/metadata/", ...Array.from({ length: 10 }, () => json(502, { detail: "away" })));
  assert.equal((await context.fetch("metadata/")).status, 502);
  wire.instead("/metadata/", ...Array.from({ length: 10 }, refused));
  await assert.rejects(context.fetch("metadata/?api_key=geheim"), (error: unknown) => {
    assert.ok(error instanceof ServerUnavailable);
    assert.deepEqual([error.code, error.attempts, error.url], ["ERR_UNAVAILABLE", 10, `${API}metadata/`]);
    assert.ok(error.cause instanceof TypeError);
    assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}`, /geheim/);
    return true;
  });
});

test("writing repeats only where the server did not do it", async (t) => {
  withoutPauses(t);
  const { context, wire } = await scene(t);
  const post = async () => await context.fetch("thing", { method: "POST", body: "x" });
  wire.instead("/thing", refused(), json(503, {}, { "retry-after": "1" }), json(200, {}));
  assert.equal((await post()).status, 200);
  wire.instead("/thing", json(503, {}));
  assert.equal((await post()).status, 503);
  wire.instead("/thing", new TypeError("fetch failed"));
  await assert.rejects(post(), { code: "ERR_UNAVAILABLE", attempts: 1 });
});

test("an abort rejects with the signal's own reason, and the refresh goes on for the others", async (t) => {
  const { app, context, wire } = await scene(t);
  app.clock.advance(1000);
  const reason = new Error("changed my mind");
  const aborter = new AbortController();
  const first = context.fetch("auth/whoami", { signal: aborter.signal });
  const second = context.fetch("auth/whoami");
  while (wire.count("/refresh") === 0) await new Promise(setImmediate);
  aborter.abort(reason);
  await assert.rejects(first, (error) => error === reason);
  assert.equal((await second).status, 200);
  assert.equal(wire.count("/refresh"), 1);
  await assert.rejects(context.whoami({ signal: AbortSignal.abort(reason) }), (error) => error === reason);
});

test("an abort ends the pause before the next attempt", async (t) => {
  const { context, wire } = await scene(t);
  wire.instead("/metadata/", json(429, {}, { "retry-after": "40" }));
  const aborter = new AbortController();
  const asked = context.fetch("metadata/", { signal: aborter.signal });
  while (wire.count("/metadata/") === 0) await new Promise(setImmediate);
  setImmediate(() => aborter.abort("enough"));
  await assert.rejects(asked, (error) => error === "enough");
});

test("a failing refresh tells what failed, and keeps the login", async (t) => {
  withoutPauses(t);
  const { app, context, wire, store } = await scene(t);
  app.clock.advance(1000);
  wire.instead("/refresh", ...Array.from({ length: 10 }, () => json(503, { detail: "away" })));
  await assert.rejects(context.fetch("auth/whoami"), { code: "ERR_UNAVAILABLE", status: 503 });
  assert.equal((await context.fetch("auth/whoami")).status, 200);
  wire.instead("/refresh", json(200, { access_token: "a\nb", refresh_token: "x" }));
  app.clock.advance(1000);
  await assert.rejects(context.fetch("auth/whoami"), { code: "ERR_UNAVAILABLE", status: 200 });
  assert.notEqual(store.get(API), null);
});
