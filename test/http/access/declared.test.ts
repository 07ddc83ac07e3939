/** Over all routes: each refuses exactly the callers that its declaration says, before its handler runs. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import type { FastifyInstance, RouteOptions } from "fastify";
import { type Access, gateOf } from "../../../src/http/access/kinds.ts";
import { bearer, type TestApp } from "../../support/app.ts";
import { caveApp } from "../../support/cave-app.ts";
import { mixedApp } from "../../support/person.ts";

interface Declared {
  readonly method: string;
  readonly url: string;
  readonly access: unknown;
  /** How often its handler ran. */
  runs: number;
}

/** All routes of an app that `start` builds, the hidden ones as well. */
async function routesOf<T>(start: () => Promise<T>): Promise<readonly [T, readonly Declared[]]> {
  const routes: Declared[] = [];
  const note = (route: RouteOptions) => {
    for (const method of [route.method].flat()) {
      const declared = { method, url: route.url, access: route.config?.access, runs: 0 };
      routes.push(declared);
      const { handler } = route;
      route.handler = function (this: FastifyInstance, request, reply) {
        if (request.method === method) declared.runs += 1;
        return handler.call(this, request, reply);
      };
    }
  };
  const listener = (message: unknown) => {
    (message as { readonly fastify: FastifyInstance }).fastify.addHook("onRoute", note);
  };
  subscribe("fastify.initialization", listener);
  try {
    return [await start(), routes];
  } finally {
    unsubscribe("fastify.initialization", listener);
  }
}

const OPEN: readonly unknown[] = ["public", "page", "verify", "optional"];

function ask(t: TestApp, { method, url }: Declared, headers: Record<string, string> = {}) {
  const path = url.replace(/:[a-z_]+/g, "00000000000000000000000000000000").replace("*", "");
  return t.call({ method: method as "GET", url: path, headers });
}

test("no handler of CAVE's API runs without a token, with Tiled's credentials neither", async () => {
  const [t, routes] = await routesOf(() => caveApp());
  await using _ = t;
  const api = routes.filter(({ access }) => gateOf(access as Access)?.scheme === "CaveToken");
  const { access_token } = await t.login("alice");
  const key = await t.makeKey(access_token);
  for (const route of api) {
    for (const headers of [{}, bearer(access_token), bearer(key), { cookie: `tiled_api_key=${key}` }]) {
      const { statusCode } = await ask(t, route, { "x-requested-with": "a test", ...headers });
      assert.equal(statusCode, 401, `${route.method} ${route.url}`);
    }
    assert.equal(route.runs, 0, `${route.method} ${route.url}`);
  }
  assert.ok(api.length > 40, `only ${api.length} routes`);
});

test("an anonymous request to a route that is not open is refused, and its handler never runs", async () => {
  const [app, routes] = await routesOf(() => mixedApp());
  await using _ = app;
  const closed = routes.filter(({ access }) => !OPEN.includes(access));
  for (const route of closed) {
    const name = `${route.method} ${route.url}`;
    const { statusCode } = await ask(app.t, route);
    assert.ok(statusCode === 401 || statusCode === 403, `${name}: ${statusCode}`);
    assert.equal(route.runs, 0, name);
  }
  assert.ok(closed.length > 40, `only ${closed.length} routes`);
});

test("no handler of an open route demands an undeclared credential", async () => {
  const [app, routes] = await routesOf(() => mixedApp());
  await using _ = app;
  const optional = routes.filter(({ access }) => access === "optional");
  for (const route of optional) {
    const { statusCode } = await ask(app.t, route);
    assert.ok(statusCode < 400, `${route.method} ${route.url}: ${statusCode}`);
  }
  assert.deepEqual([...new Set(optional.map(({ url }) => url))], ["/api/v1/auth/whoami"]);
});

test("a caller of another kind is refused before the handler runs, too", async () => {
  const [app, routes] = await routesOf(() => mixedApp());
  await using _ = app;
  const { access_token } = await app.t.login("alice");
  const narrow = await app.t.makeKey(access_token, { scopes: ["read:data"] });
  const refused = async (access: string, headers: Record<string, string>) => {
    const declared = routes.filter((route) => route.access === access);
    assert.ok(declared.length > 0, access);
    for (const route of declared) {
      assert.equal((await ask(app.t, route, headers)).statusCode, 401, `${route.method} ${route.url}`);
      assert.equal(route.runs, 0, `${route.method} ${route.url}`);
    }
  };
  await refused("api_key", bearer(access_token));
  await refused("principal", { authorization: `Apikey ${narrow}` });
  await refused("session", { authorization: `Apikey ${narrow}` });
  await refused("person", bearer(access_token));
});

test("the description of the API names the credentials that each route takes", async () => {
  await using app = await mixedApp();
  const { paths } = (await app.t.call("/openapi.json")).json<{
    paths: Record<string, Record<string, { readonly security?: readonly object[] }>>;
  }>();
  const taken = (path: string, method: string) =>
    (paths[path]?.[method]?.security ?? []).flatMap((one) =>
      Object.keys(one).concat(Object.keys(one).length ? [] : ["none"]),
    );
  const keys = ["APIKeyHeader", "APIKeyQuery", "APIKeyCookie"];
  const tokens = ["AccessToken", "OAuth2PasswordBearer"];
  assert.deepEqual(taken("/api/v1/auth/identity", "post"), tokens);
  assert.deepEqual(taken("/api/v1/auth/session/revoke/{session_id}", "delete"), [...tokens, ...keys]);
  assert.deepEqual(taken("/api/v1/auth/apikey", "get"), keys);
  assert.deepEqual(taken("/api/v1/auth/whoami", "get"), [...tokens, ...keys, "none"]);
});
