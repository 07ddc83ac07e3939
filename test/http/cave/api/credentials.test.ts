/** Who may use CAVE's API routes: each row of the contract's table, and what does not count as a credential. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUuid, type Uuid } from "../../../../src/lib/uuid.ts";
import { bearer, testApp } from "../../../support/app.ts";
import { ADDRESS, caveApp, REALM } from "../../../support/cave-app.ts";

const PREFIXES = ["/auth/api/v1", "/sticky_auth/api/v1"];
const LOGIN = `${ADDRESS}/sticky_auth/api/v1/authorize?redirect=${encodeURIComponent(`${ADDRESS}/sticky_auth/settings/tokens`)}`;

/** Every route, with its kind: any token, an API token, an admin's token. */
const ROUTES: readonly (readonly [method: "GET" | "POST" | "DELETE", path: string, needs: string])[] = [
  ["GET", "/user/cache", "token"],
  ["GET", "/my_permissions", "token"],
  ["GET", "/service/datastack/table/minnie65/dataset", "token"],
  ["GET", "/user/1/permissions", "admin"],
  ["GET", "/username?id=1", "token"],
  ["GET", "/user?id=1", "admin"],
  ["GET", "/user/me", "token"],
  ["GET", "/user/1", "token"],
  ["GET", "/group/1/user", "admin"],
  ["GET", "/user/token", "api_token"],
  ["POST", "/user/token", "api_token"],
  ["GET", "/create_token", "api_token"],
  ["POST", "/create_token", "api_token"],
  ["GET", "/refresh_token", "api_token"],
  ["POST", "/refresh_token", "api_token"],
  ["DELETE", "/user/token/1", "api_token"],
  ["POST", "/logout", "token"],
  ["GET", "/table/minnie3_v1/has_public", "token"],
  ["GET", "/table/minnie3_v1/root/864691135/is_public", "token"],
  ["POST", "/table/minnie3_v1/root_all_public", "token"],
];

function error(response: { body: string; headers: Record<string, unknown> }) {
  assert.equal(response.headers["content-type"], "application/json", response.body);
  const found = JSON.parse(response.body);
  assert.deepEqual(Object.keys(found), ["error", "message", "data"]);
  assert.equal(typeof found.message, "string");
  return found as { error: string; message: string; data: Record<string, unknown> };
}

test("without a token, programs are told where people log in", async () => {
  await using t = await caveApp();
  for (const prefix of PREFIXES) {
    for (const [method, path] of ROUTES) {
      const sent = method === "GET" ? [{ origin: "https://a.test" }, { "x-requested-with": "fetch" }] : [{}];
      for (const headers of sent) {
        const response = await t.call({ method, url: prefix + path, headers });
        assert.equal(response.statusCode, 401, `${method} ${path}`);
        assert.equal(error(response).error, "no_token");
        assert.equal(response.headers["www-authenticate"], REALM);
      }
    }
  }
});

test("without a token, a person is sent to the page of their tokens, and nothing is made", async () => {
  await using t = await caveApp();
  for (const prefix of PREFIXES) {
    for (const [method, path] of ROUTES) {
      if (method !== "GET") continue;
      const response = await t.call({ url: prefix + path, headers: { accept: "text/html" } });
      assert.equal(response.statusCode, 302, path);
      assert.equal(response.headers.location, LOGIN);
      assert.equal(response.headers["cache-control"], "no-store");
    }
  }
});

test("a token that is unknown, empty, not hex or too long is refused", async () => {
  await using t = await caveApp();
  const bad = [
    "0".repeat(32),
    "",
    "not hex",
    "x".repeat(32),
    "ab".repeat(4000),
    "abc",
    "0123456789abcdef abc",
  ];
  for (const [method, path] of ROUTES) {
    for (const token of bad) {
      const response = await t.call({ method, url: `/auth/api/v1${path}`, headers: bearer(token) });
      assert.equal(response.statusCode, 401, `${method} ${path} ${token.slice(0, 20)}`);
      assert.equal(error(response).error, "invalid_token");
      const challenge = String(response.headers["www-authenticate"]);
      assert.ok(challenge.startsWith(`${REALM}, error="invalid_token", error_description="`), challenge);
    }
  }
  const inQuery = await t.call("/auth/api/v1/user/cache?middle_auth_token=");
  assert.deepEqual([inQuery.statusCode, error(inQuery).error], [401, "invalid_token"]);
});

test("an expired and a revoked token are refused", async () => {
  await using t = await caveApp();
  const { access_token } = await t.login("bob");
  const expiring = await t.makeKey(access_token, { scopes: ["cave"], expires_in: 60 });
  const login = await t.loginToken("bob", 60);
  const revoked = await t.apiToken("bob");
  for (const token of [expiring, login, revoked]) {
    assert.equal((await t.get("/user/cache", token)).statusCode, 200);
  }
  const id = Number.parseInt(revoked.slice(0, 8), 16);
  const url = `/auth/api/v1/user/token/${id}`;
  assert.equal((await t.call({ method: "DELETE", url, headers: bearer(revoked) })).statusCode, 200);
  assert.equal((await t.get("/user/cache", revoked)).statusCode, 401);
  t.clock.advance(61);
  for (const token of [expiring, login]) {
    const response = await t.get("/user/cache", token);
    assert.deepEqual([response.statusCode, error(response).error], [401, "invalid_token"]);
  }
});

test("a key of Tiled's without the scope cave, an access token and a password are no tokens", async () => {
  await using t = await caveApp();
  const { access_token } = await t.login("bob");
  const key = await t.makeKey(access_token);
  for (const token of [access_token, key]) assert.equal((await t.get("/user/cache", token)).statusCode, 401);
});

test("another scheme is refused with an error of its own", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("bob");
  for (const authorization of [
    `Apikey ${token}`,
    "Basic Ym9iOnNlY3JldDI=",
    token,
    `Bearer,${token}`,
    `Bearer\t${token}`,
  ]) {
    const response = await t.call({ url: "/auth/api/v1/user/cache", headers: { authorization } });
    assert.deepEqual([response.statusCode, error(response).error], [400, "bad_auth_header"], authorization);
    assert.ok(String(response.headers["www-authenticate"]).startsWith(`${REALM}, error="invalid_request"`));
  }
  for (const scheme of ["bearer", "BEARER"]) {
    const headers = { authorization: `${scheme} ${token}` };
    assert.equal((await t.call({ url: "/auth/api/v1/user/cache", headers })).statusCode, 200);
  }
});

test("a login token cannot make, list, replace or revoke API tokens, and nothing happens", async () => {
  await using t = await caveApp();
  const api = await t.apiToken("bob");
  const login = await t.loginToken("bob");
  for (const [method, path, needs] of ROUTES) {
    if (needs !== "api_token") continue;
    const id = Number.parseInt(api.slice(0, 8), 16);
    const url = `/auth/api/v1${path.replace(/token\/1$/, `token/${id}`)}`;
    const response = await t.call({ method, url, headers: bearer(login) });
    assert.deepEqual([response.statusCode, error(response).error], [403, "login_token"], `${method} ${path}`);
  }
  assert.equal((await t.get("/user/token", api)).json<unknown[]>().length, 1);
});

test("a caller who is an admin of nothing is refused where an admin is needed", async () => {
  await using t = await caveApp();
  const { token: service } = await t.serviceToken();
  const tokens = {
    cara: await t.apiToken("cara"),
    bob: await t.apiToken("bob"),
    alice: await t.loginToken("alice"),
    service,
  };
  for (const [method, path, needs] of ROUTES) {
    if (needs !== "admin") continue;
    for (const [name, token] of Object.entries(tokens)) {
      const response = await t.call({ method, url: `/auth/api/v1${path}`, headers: bearer(token) });
      assert.equal(response.statusCode, name === "cara" ? 403 : 200, `${name} ${path}: ${response.body}`);
      if (name === "cara") assert.equal(error(response).error, "requires_admin");
    }
  }
});

test("the token may stand in the query of a GET, but not where tokens are made or listed", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("bob");
  for (const [method, path, needs] of ROUTES) {
    const url = `/auth/api/v1${path}${path.includes("?") ? "&" : "?"}middle_auth_token=${token}`;
    const response = await t.call({ method, url, headers: { "x-requested-with": "fetch" } });
    const isTaken = method === "GET" && needs !== "api_token";
    assert.equal(response.statusCode, isTaken ? 200 : 401, `${method} ${path}: ${response.body}`);
  }
  const head = await t.call({ method: "HEAD", url: `/auth/api/v1/user/cache?middle_auth_token=${token}` });
  assert.equal(head.statusCode, 401);
  const person = await t.call(`/auth/api/v1/create_token?middle_auth_token=${token}`);
  assert.equal(person.statusCode, 302);
  assert.equal((await t.get("/user/token", token)).json<unknown[]>().length, 1);
});

test("the header outranks the query, and two tokens in the query are refused", async () => {
  await using t = await caveApp();
  const [bob, cara] = [await t.apiToken("bob"), await t.apiToken("cara")];
  const both = await t.get(`/user/me?middle_auth_token=${cara}`, bob);
  assert.equal(both.json<{ name: string }>().name, "bob");
  assert.equal((await t.get(`/user/me?middle_auth_token=${cara}`, "0".repeat(32))).statusCode, 401);
  const twice = await t.call(`/auth/api/v1/user/me?middle_auth_token=${cara}&middle_auth_token=${bob}`);
  assert.deepEqual([twice.statusCode, error(twice).error], [400, "bad_request"]);
});

test("no cookie opens a route", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("bob");
  const { access_token } = await t.login("bob");
  const key = await t.makeKey(access_token, { scopes: ["inherit", "cave"] });
  const cookies = [
    "middle_auth_token",
    "tiled_api_key",
    "tiled_session",
    "token",
    "cave_session",
    "__Secure-cave_session",
  ];
  for (const secret of [token, key]) {
    const cookie = cookies.map((name) => `${name}=${secret}`).join("; ");
    const response = await t.call({ url: "/auth/api/v1/user/cache", headers: { cookie, origin: ADDRESS } });
    assert.deepEqual([response.statusCode, error(response).error], [401, "no_token"]);
    const post = await t.call({ method: "POST", url: "/auth/api/v1/user/token", headers: { cookie } });
    assert.deepEqual([post.statusCode, error(post).error], [401, "no_token"]);
  }
});

test("a token counts beside a browser's cookie of a key, and no cookie is set", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("bob");
  const headers = { ...bearer(token), cookie: "tiled_api_key=00" };
  const made = await t.call({ method: "POST", url: "/auth/api/v1/user/token", headers });
  assert.equal(made.statusCode, 200, made.body);
  assert.equal(made.headers["set-cookie"], undefined);
  assert.equal((await t.get("/user/cache", token)).headers["set-cookie"], undefined);
});

test("a token opens no route of Tiled's, nor in Tiled's ways", async () => {
  await using t = await caveApp();
  for (const token of [await t.apiToken("alice"), await t.loginToken("alice")]) {
    for (const url of ["/api/v1/metadata/", "/api/v1/auth/principal"]) {
      for (const authorization of [`Bearer ${token}`, `Apikey ${token}`]) {
        assert.equal((await t.call({ url, headers: { authorization } })).statusCode, 401, url);
      }
    }
    assert.equal((await t.call(`/api/v1/metadata/?middle_auth_token=${token}`)).statusCode, 401);
  }
});

test("a token of a principal that was disabled is refused", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("cara");
  assert.equal((await t.get("/user/cache", token)).statusCode, 200);
  const { uuid } = (await t.whoami(`Bearer ${(await t.login("cara")).access_token}`)).json<{
    uuid: string;
  }>();
  await t.store?.principals.setDisabled({
    principal: parseUuid(uuid) as Uuid,
    disabled: true,
    now: new Date(t.clock.now()),
    context: { address: null, requestId: null, actor: null },
  });
  t.clock.advance(1);
  const response = await t.get("/user/cache", token);
  assert.deepEqual([response.statusCode, error(response).error], [401, "invalid_token"]);
});

test("no token appears in a log line", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("bob");
  const login = await t.loginToken("bob");
  t.log.level = "debug";
  for (const secret of [token, login, "f".repeat(32)]) {
    await t.get("/user/cache", secret);
    await t.call(`/auth/api/v1/user/me?middle_auth_token=${secret}`);
    await t.call({ method: "POST", url: `/auth/api/v1/logout?middle_auth_token=${secret}` });
    await t.call({ url: "/auth/api/v1/user/cache", headers: { authorization: secret } });
  }
  const text = t.logLines.join("");
  for (const secret of [token, login, "f".repeat(32)]) assert.ok(!text.includes(secret.slice(8)), text);
  assert.match(text, /"path":"\/auth\/api\/v1\/user\/cache","status":200,[^\n]*"name":"toy:bob"/);
});

test("without the section cave none of the routes exists", async () => {
  await using t = await testApp();
  for (const prefix of PREFIXES) {
    for (const [method, path] of [...ROUTES, ["GET", "/logout"] as const, ["POST", "/user"] as const]) {
      assert.equal((await t.call({ method, url: prefix + path })).statusCode, 404, path);
    }
  }
  assert.equal((await t.call("/auth_info")).statusCode, 404);
  const { paths } = (await t.call("/openapi.json")).json<{ paths: Record<string, unknown> }>();
  assert.ok(!Object.keys(paths).some((path) => path.startsWith("/auth") || path.startsWith("/sticky")));
});
