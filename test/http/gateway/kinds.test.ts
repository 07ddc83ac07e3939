/** What a server behind this one is given, by its kind: a token is for a Tiled, and others see credentials of full power. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { UpstreamConfig } from "../../../src/config/model.ts";
import { jwsKey, openJws } from "../../../src/lib/jws.ts";
import { Secret } from "../../../src/lib/secrets.ts";
import { apikey, bearer, type TestAppOptions } from "../../support/app.ts";
import { logIn, SESSION } from "../../support/person.ts";
import { SocketClient, STREAM, socketScene } from "../../support/sockets.ts";
import { type Asked, startFront, startUpstream } from "../../support/upstream.ts";

async function scene(t: TestContext, upstream: Partial<UpstreamConfig> = {}, options: TestAppOptions = {}) {
  const cleanup = (last: () => Promise<unknown>) => t.after(last);
  const behind = await startUpstream(cleanup);
  const front = await startFront(cleanup, { upstreams: [{ url: behind.url, ...upstream }], ...options });
  const { access_token } = await front.t.login("bob");
  const keyOf = (scopes: readonly string[]) => front.t.makeKey(access_token, { scopes });
  const ask = async (headers: Record<string, string>, method = "GET", path = "/api/status") => {
    const response = await fetch(front.url + path, { method, headers });
    const detail = response.status >= 400 ? ((await response.json()) as { detail: string }).detail : "";
    return { status: response.status, detail, asked: behind.asked.splice(0) };
  };
  return { ...front, behind, access_token, keyOf, ask };
}

function introduced({ headers }: Asked) {
  return [headers.authorization, headers["x-tiled-identity"], headers["x-tiled-scopes"] !== undefined];
}

const OURS = "a secret key of ours, for tests only";
const HTTP = { kind: "http" } as const;

describe("a service that is no Tiled", () => {
  for (const [name, upstream, about] of [
    ["by the operator's word, whatever it says of itself", HTTP, { api_version: 0 }],
    ["by its own about document", {}, null],
  ] as const) {
    test(`${name}: it gets names and no token, from credentials of full power only`, async (x) => {
      const { t, behind, access_token, keyOf, ask } = await scene(x, upstream);
      behind.about = about;
      const everything = (await t.whoami(`Bearer ${access_token}`)).json().roles[0].scopes;
      const cookie = { cookie: `${SESSION}=${(await logIn(t, "bob")).cookies.get(SESSION)?.value}` };
      const full = [
        bearer(access_token),
        cookie,
        apikey(await keyOf(["inherit"])),
        apikey(await keyOf(everything)),
      ];
      for (const headers of full) {
        const { status, asked } = await ask(headers);
        assert.equal(status, 200);
        assert.deepEqual(asked.map(introduced), [[undefined, "toy:bob", true]]);
      }
      for (const scopes of [[], ["read:metadata"], ["read:metadata", "read:data"]]) {
        for (const method of ["GET", "POST"]) {
          const { status, detail, asked } = await ask(apikey(await keyOf(scopes)), method);
          assert.deepEqual([status, asked.length], [403, 0]);
          assert.match(
            detail,
            /^This API key is restricted to scopes \[.*\], and the service behind this server does not/,
          );
        }
      }
    });
  }

  test("while unavailable and of unknown kind, gets no token either, and a restricted key gets 502", async (x) => {
    const { behind, access_token, keyOf, ask } = await scene(x);
    const narrow = apikey(await keyOf(["read:metadata"]));
    behind.server.removeAllListeners("request").on("request", (request, response) => {
      if (request.url === "/api/v1/") response.writeHead(503);
      behind.asked.push({ ...request, headers: request.headers, fields: [], body: "" } as unknown as Asked);
      response.end();
    });
    const { status, asked } = await ask(bearer(access_token));
    assert.equal(status, 200);
    assert.deepEqual(
      asked.map(({ headers }) => headers.authorization),
      [undefined, undefined],
    );
    assert.equal((await ask(narrow)).status, 502);
  });

  test("which was a Tiled a minute ago, gets no more tokens of ours", async (x) => {
    const { t, behind, access_token, ask } = await scene(x);
    const authorization = async () => (await ask(bearer(access_token))).asked[0]?.headers.authorization;
    assert.match((await authorization()) ?? "", /^Bearer /);
    behind.about = null;
    t.clock.advance(59);
    assert.match((await authorization()) ?? "", /^Bearer /);
    t.clock.advance(2);
    assert.equal(await authorization(), undefined);
  });

  test("which was a Tiled and no longer says so, gets none after five minutes", async (x) => {
    const { t, behind, access_token, ask } = await scene(x);
    const listeners = behind.server.listeners("request");
    const authorization = async () => (await ask(bearer(access_token))).asked[0]?.headers.authorization;
    assert.match((await authorization()) ?? "", /^Bearer /);
    behind.server.removeAllListeners("request").on("request", (request, response) => {
      if (request.url === "/api/v1/") response.writeHead(500).end();
      else for (const listener of listeners) listener.call(behind.server, request, response);
    });
    t.clock.advance(299);
    // It is busy, as a Tiled may be.
    assert.match((await authorization()) ?? "", /^Bearer /);
    t.clock.advance(2);
    assert.equal(await authorization(), undefined);
  });

  test("sees no caller without a credential, not even where a Tiled may be read without one", async (x) => {
    const options = { authentication: { allowAnonymousAccess: true } };
    const closed = await scene(x, HTTP, options);
    assert.equal((await closed.ask({})).status, 401);
    const open = await scene(x, { ...HTTP, requires: { read: ["read:data"], write: null } }, options);
    assert.equal((await open.ask({})).status, 200);
    assert.equal((await open.ask({}, "POST")).status, 401);
  });

  test("with 'requires' sees restricted keys that have these scopes, by method", async (x) => {
    const requires = { read: ["read:data"], write: ["write:data"] } as const;
    const { access_token, keyOf, ask } = await scene(x, { ...HTTP, requires });
    const statuses = async (scopes: readonly string[]) => {
      const headers = apikey(await keyOf(scopes));
      return [(await ask(headers)).status, (await ask(headers, "POST")).status];
    };
    assert.deepEqual(await statuses(["read:data"]), [200, 403]);
    assert.deepEqual(await statuses(["write:data"]), [403, 200]);
    assert.deepEqual(await statuses(["read:metadata"]), [403, 403]);
    assert.equal((await ask(bearer(access_token), "DELETE")).status, 200);
    const { detail } = await ask(apikey(await keyOf([])));
    assert.match(detail, /requires scopes \['read:data'\]\. This API key has \[\]/);
  });

  test("that enforces scopes sees every credential, and which scopes it has", async (x) => {
    const { keyOf, ask } = await scene(x, { ...HTTP, enforcesScopes: true });
    const { status, asked } = await ask(apikey(await keyOf(["read:metadata"])), "POST");
    assert.deepEqual([status, asked[0]?.headers["x-tiled-scopes"]], [200, "read:metadata"]);
  });

  test("with a key of its own gets a token of a minute that is good there alone", async (x) => {
    const ofItsOwn = "a key of the queue server alone, for tests";
    const tokenKey = new Secret(ofItsOwn);
    const { t, access_token, ask } = await scene(x, { ...HTTP, tokenKey }, { secretKeys: [OURS] });
    const authorization = (await ask(bearer(access_token))).asked[0]?.headers.authorization ?? "";
    const claims = JSON.parse(Buffer.from(authorization.split(".")[1] ?? "", "base64url").toString());
    assert.deepEqual(claims.ids, [{ id: "bob", idp: "toy" }]);
    assert.equal(claims.exp, t.clock.now() / 1000 + 60);
    assert.equal((await t.whoami(authorization)).statusCode, 401);
    const token = authorization.replace("Bearer ", "");
    assert.notEqual(openJws(token, [jwsKey(ofItsOwn)]), undefined);
    assert.equal(openJws(token, [jwsKey(OURS)]), undefined);
  });

  test("never gets a key that is narrowed to access tags", async (x) => {
    const { t, access_token, ask } = await scene(x, { ...HTTP, enforcesScopes: true });
    const key = await t.makeKey(access_token, { scopes: ["read:data"], access_tags: ["chem"] });
    const { status, asked } = await ask(apikey(key));
    assert.deepEqual([status, asked.length], [403, 0]);
  });

  test("sees the WebSockets of the same callers, and no token in their addresses", async (x) => {
    const { t, open, asked, upstream } = await socketScene(x);
    upstream.about = null;
    const { access_token } = await t.login("bob");
    const narrow = await t.makeKey(access_token, { scopes: ["read:data"] });
    assert.equal((await open(STREAM, apikey(narrow)).refused)[0], 403);
    await open(STREAM, bearer(access_token)).has("schema");
    const later = open(STREAM);
    later.socket.on("open", () => later.socket.send(JSON.stringify({ type: "auth", api_key: narrow })));
    assert.deepEqual(await later.closed, [4003, "This API key is restricted to scopes ['read:data']"]);
    assert.deepEqual(
      asked.map(({ url, headers }) => [url, headers.authorization, headers["x-tiled-identity"]]),
      [[STREAM, undefined, "toy:bob"]],
    );
  });

  test("with a key of its own gets the token of a WebSocket in a header", async (x) => {
    const scenery = await socketScene(x);
    const front = await startFront((last) => x.after(last), {
      upstreams: [{ url: scenery.upstream.url, ...HTTP, tokenKey: new Secret("of the service alone") }],
    });
    const { access_token } = await front.t.login("bob");
    const client = new SocketClient(front.url.replace("http", "ws") + STREAM, bearer(access_token), []);
    x.after(() => client.socket.terminate());
    await client.has("schema");
    const [request] = scenery.asked;
    assert.equal(request?.url, STREAM);
    assert.match(request?.headers.authorization ?? "", /^Bearer .+\..+\./);
  });
});

test("a kind set by the operator is not probed", async (x) => {
  const { behind, access_token, keyOf, ask } = await scene(x, { kind: "tiled" });
  behind.about = null;
  for (const headers of [bearer(access_token), apikey(await keyOf(["read:metadata"]))]) {
    const { status, asked } = await ask(headers);
    assert.equal(status, 200);
    assert.match(asked[0]?.headers.authorization ?? "", /^Bearer /);
  }
});
