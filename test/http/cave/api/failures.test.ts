/** Errors below CAVE's prefixes, whatever refuses a request: their form, methods, and the database away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { bearer, memoryStore } from "../../../support/app.ts";
import { breakable } from "../../../support/breakable-store.ts";
import { API, type CaveApp, caveApp, REALM, VIEWER } from "../../../support/cave-app.ts";
import { ManualClock } from "../../../support/clock.ts";
import { raw } from "../../../support/upstream.ts";

const STICKY = "/sticky_auth/api/v1";

function errorOf(response: LightMyRequestResponse): string {
  assert.equal(response.headers["content-type"], "application/json", response.body);
  const body = response.json<{ error: string; message: string; data: object }>();
  assert.deepEqual(Object.keys(body), ["error", "message", "data"]);
  return body.error;
}

test("a path that does not exist is 404 in CAVE's form, for browsers too", async () => {
  await using t = await caveApp();
  for (const url of [
    `${API}/nope`,
    API,
    `${API}/`,
    `${STICKY}/nope?x=1`,
    `${API}/user/1/nope`,
    `${API}/__proto__`,
  ]) {
    for (const accept of ["application/json", "text/html"]) {
      const response = await t.call({ url, headers: { accept } });
      assert.deepEqual([response.statusCode, errorOf(response)], [404, "not_found"], url);
    }
  }
  const outside = await t.call({ url: "/auth/version" });
  assert.deepEqual([outside.statusCode, outside.json()], [404, { detail: "Not Found" }]);
});

test("other methods are 405 and say which are allowed", async () => {
  await using t = await caveApp();
  for (const [method, path, allow] of [
    ["PUT", "/user/cache", "GET, HEAD"],
    ["POST", "/user/me", "GET, HEAD"],
    ["PATCH", "/user/1", "GET, HEAD"],
    ["OPTIONS", "/user/cache", "GET, HEAD"],
    ["DELETE", "/create_token", "GET, POST"],
    ["GET", "/user/token/1", "DELETE"],
    ["GET", "/table/t/root_all_public", "POST"],
  ] as const) {
    for (const prefix of [API, STICKY]) {
      const response = await t.call({ method, url: prefix + path });
      assert.deepEqual(
        [response.statusCode, errorOf(response)],
        [405, "method_not_allowed"],
        `${method} ${path}`,
      );
      assert.equal(response.headers.allow, allow);
    }
  }
});

test("what the configuration decides cannot be changed over HTTP, by superadmins neither", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("alice");
  const changes: readonly (readonly ["POST" | "PUT" | "DELETE", string, string?])[] = [
    ["POST", "/user", "GET, HEAD"],
    ["PUT", "/user/1", "GET, HEAD"],
    ["DELETE", "/user/1", "GET, HEAD"],
    ["POST", "/group"],
    ["POST", "/group/2/user", "GET, HEAD"],
    ["PUT", "/group/2/user/1"],
    ["DELETE", "/group/2/user/1"],
    ["POST", "/group/2/service_account"],
    ["DELETE", "/group/2/service_account/1"],
    ["POST", "/service_account"],
    ["PUT", "/service_account/1"],
    ["DELETE", "/service_account/1"],
    ["POST", "/dataset"],
    ["PUT", "/dataset/1"],
    ["POST", "/dataset/1/admin"],
    ["DELETE", "/dataset/1/admin/1"],
    ["POST", "/dataset/1/group"],
    ["DELETE", "/dataset/1/group/1/permission/1"],
    ["POST", "/permission"],
    ["PUT", "/permission/1"],
    ["POST", "/tos"],
    ["PUT", "/tos/1"],
    ["POST", "/service/datastack/table/minnie65/dataset/minnie"],
    ["DELETE", "/service/datastack/table/minnie65/dataset/minnie"],
  ];
  for (const [method, path, allow = ""] of changes) {
    for (const headers of [{}, bearer(token)]) {
      const response = await t.call({ method, url: API + path, headers });
      assert.equal(response.statusCode, 405, `${method} ${path}`);
      assert.equal(response.json<{ message: string }>().message, "the configuration decides");
      assert.equal(response.headers.allow, allow, path);
    }
  }
  for (const path of ["/group", "/dataset", "/tos", "/service_account/1", "/group/2/user/1"])
    assert.equal((await t.get(path, token)).statusCode, 404, path);
});

test("an unknown host, a broken path and two headers are refused in CAVE's form", async () => {
  await using t = await caveApp();
  const host = await t.call({ url: `${API}/user/cache`, headers: { host: "evil.test" } });
  assert.deepEqual([host.statusCode, errorOf(host)], [421, "unknown_host"]);
  assert.equal(
    (await t.call({ url: `${API}/user/cache`, headers: { host: "cave.example.org" } })).statusCode,
    302,
  );
  const url = await t.app.listen({ host: "127.0.0.1", port: 0 });
  const port = Number(new URL(url).port);
  const send = (lines: string) => raw(port, `${lines}\r\nConnection: close\r\n\r\n`);
  const undecodable = await send(`GET ${API}/user/%ff HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: ${VIEWER}`);
  assert.match(undecodable, /^HTTP\/1\.1 400 [\s\S]*"error":"bad_request"/);
  assert.match(undecodable, new RegExp(`access-control-allow-origin: ${VIEWER}`, "i"));
  const twice = await send(
    `GET ${API}/user/cache HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b`,
  );
  assert.match(twice, /^HTTP\/1\.1 400 [\s\S]*"error":"bad_request"/);
});

test("names with dots and NUL, sent as they are, are unknown tables", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("bob");
  const port = Number(new URL(await t.app.listen({ host: "127.0.0.1", port: 0 })).port);
  for (const name of ["..", ".", "%00", "%2e%2e", "..%2f..", "%5c", "a;b", "__proto__"]) {
    const answer = await raw(
      port,
      `GET ${API}/service/datastack/table/${name}/dataset HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 404 [\s\S]*"error":"not_found"/, name);
  }
});

const until = async (t: CaveApp, seconds: number, check: () => Promise<void>) => {
  for (let passed = 0; passed < seconds; passed += 0.4) {
    await check();
    t.clock.advance(0.4);
  }
};

test("while the database is away, what was known a minute ago goes on", async () => {
  const clock = new ManualClock();
  const { store, breakWith } = breakable(await memoryStore(clock));
  await using t = await caveApp({ store, clock });
  const api = await t.apiToken("bob");
  const login = await t.loginToken("cara");
  const { token: service } = await t.serviceToken();
  const tokens = [api, login, service];
  const known = await Promise.all(tokens.map(async (token) => (await t.get("/user/cache", token)).body));
  breakWith("store_unavailable");
  await until(t, 58, async () => {
    for (const [index, token] of tokens.entries()) {
      const response = await t.get("/user/cache", token);
      assert.deepEqual([response.statusCode, response.body], [200, known[index]]);
    }
  });
  const dataset = await t.get("/service/datastack/table/minnie65/dataset", service);
  assert.equal(dataset.body, '"minnie"');
  const kept = await t.call({ method: "POST", url: `${API}/user/token`, headers: bearer(api) });
  assert.deepEqual([kept.statusCode, errorOf(kept)], [503, "store_unavailable"]);
  breakWith(null);
  t.clock.advance(2);
  assert.equal((await t.get("/user/cache", api)).statusCode, 200);
});

test("a token that nothing is known of is not refused while the database is away: 503, which clients try again", async () => {
  const clock = new ManualClock();
  const { store, breakWith } = breakable(await memoryStore(clock));
  await using t = await caveApp({ store, clock });
  const token = await t.apiToken("bob");
  for (const code of ["store_unavailable", "store_busy"] as const) {
    t.clock.advance(120);
    breakWith(code);
    for (const path of ["/user/cache", "/user/me", "/user/token"]) {
      const response = await t.get(path, token);
      assert.deepEqual([response.statusCode, errorOf(response)], [503, code], path);
      assert.equal(response.headers["retry-after"], "1");
      assert.equal(response.headers["www-authenticate"], undefined);
    }
    for (const bad of ["", "not hex", "ab".repeat(4000)])
      assert.equal((await t.get("/user/cache", bad)).statusCode, 401, bad.slice(0, 10));
    breakWith(null);
    t.clock.advance(2);
    assert.equal((await t.get("/user/cache", token)).statusCode, 200);
  }
});

test("wrong tokens are never throttled on the way of services", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("bob");
  for (let turn = 0; turn < 300; turn += 1) {
    const wrong = turn.toString(16).padStart(32, "0");
    assert.equal((await t.get("/user/cache", wrong)).statusCode, 401);
  }
  assert.equal((await t.get("/user/cache", token)).statusCode, 200);
});

test("a token revoked while a body arrives makes nothing", async () => {
  const clock = new ManualClock();
  await using t = await caveApp({ clock });
  const token = await t.apiToken("bob");
  const other = (await t.get("/create_token", token)).json<string>();
  let revoke: (() => Promise<unknown>) | null = async () => {
    const url = `${API}/user/token/${Number.parseInt(token.slice(0, 8), 16)}`;
    await t.call({ method: "DELETE", url, headers: bearer(other) });
  };
  const payload = {
    async *[Symbol.asyncIterator]() {
      yield Buffer.from('{"description": ');
      await revoke?.();
      revoke = null;
      yield Buffer.from('"x"}');
    },
  };
  const { Readable } = await import("node:stream");
  const response = await t.call({
    method: "POST",
    url: `${API}/user/token`,
    headers: { ...bearer(token), "content-type": "application/json" },
    payload: Readable.from(payload),
  });
  assert.deepEqual([response.statusCode, errorOf(response)], [401, "invalid_token"]);
  assert.ok(String(response.headers["www-authenticate"]).startsWith(`${REALM}, error="invalid_token"`));
  assert.equal((await t.get("/user/token", other)).json<unknown[]>().length, 1);
});

test("a token revoked between the last check and the change makes nothing", async () => {
  const clock = new ManualClock();
  const store = await memoryStore(clock);
  let between: (() => Promise<unknown>) | null = null;
  const apiKeys = new Proxy(store.apiKeys, {
    get(port, name) {
      const value: unknown = Reflect.get(port, name);
      if (name !== "create" || typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        await between?.();
        return await (Reflect.apply(value, port, args) as Promise<unknown>);
      };
    },
  });
  await using t = await caveApp({ clock, store: { ...store, apiKeys } });
  const token = await t.apiToken("bob");
  const other = (await t.get("/create_token", token)).json<string>();
  between = async () => {
    between = null;
    const url = `${API}/user/token/${Number.parseInt(token.slice(0, 8), 16)}`;
    assert.equal((await t.call({ method: "DELETE", url, headers: bearer(other) })).statusCode, 200);
  };
  for (const method of ["GET", "POST"] as const) {
    const response = await t.call({ method, url: `${API}/create_token`, headers: bearer(token) });
    assert.deepEqual([response.statusCode, errorOf(response)], [401, "invalid_token"]);
    assert.ok(String(response.headers["www-authenticate"]).startsWith(`${REALM}, error="invalid_token"`));
  }
  assert.equal((await t.get("/user/token", other)).json<unknown[]>().length, 1);
});
