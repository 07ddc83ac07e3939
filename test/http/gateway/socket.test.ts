/** Who may open a WebSocket through the gateway, by the handshake. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WebSocketServer } from "ws";
import { apikey, bearer } from "../../support/app.ts";
import { claims, HANDSHAKE, SocketClient, STREAM, socketScene as scene } from "../../support/sockets.ts";
import { raw, startBoth, statuses } from "../../support/upstream.ts";

describe("credentials in the handshake", () => {
  for (const way of ["Apikey", "Bearer", "?api_key=", "?access_token="] as const) {
    test(`${way}: exchanged for a token in the query, and messages pass both ways`, async (x) => {
      const { t, asked, open } = await scene(x);
      const { access_token, principal } = await t.login("bob");
      const secret = await t.makeKey(access_token, { scopes: ["read:data"] });
      const query = `?envelope_format=msgpack${way === "?api_key=" ? `&api_key=${secret}` : ""}${way === "?access_token=" ? `&access_token=${access_token}` : ""}`;
      const headers = way === "Apikey" ? apikey(secret) : way === "Bearer" ? bearer(access_token) : {};
      const client = open(`${STREAM}//deep${query}`, headers);
      await client.has("schema");
      client.socket.send("hello");
      client.socket.send(Buffer.from("abc"), { binary: true });
      await client.has("schema", "hello", "bytes abc");
      const [request] = asked;
      assert.match(
        request?.url ?? "",
        /^\/api\/v1\/stream\/single\/A\/\/deep\?envelope_format=msgpack&access_token=/,
      );
      assert.equal(request?.headers.authorization, undefined);
      assert.equal(claims(request)["sub"], principal);
      assert.equal(claims(request)["use"], "upstream");
      if (way.toLowerCase().includes("key")) assert.deepEqual(claims(request)["scp"], ["read:data"]);
      for (const text of [secret, access_token])
        assert.ok(!JSON.stringify([request?.url, request?.headers]).includes(text));
    });
  }

  for (const [name, headers, query, status] of [
    ["a wrong key", apikey("00".repeat(36)), "", 401],
    ["a wrong token", {}, "?access_token=x.y.z", 401],
    ["another scheme", { authorization: "Basic YTpi" }, "", 400],
    ["two tokens", {}, "?access_token=a&access_token=b", 400],
    ["a wrong key in a cookie", { cookie: "tiled_api_key=00" }, "", 401],
  ] as const) {
    test(`${name} is refused before anything is opened, even on a public server`, async (x) => {
      const { open, asked } = await scene(x, { authentication: { allowAnonymousAccess: true } });
      const [got, body] = await open(STREAM + query, headers as Record<string, string>).refused;
      assert.equal(got, status);
      assert.ok(JSON.parse(body).detail);
      assert.equal(asked.length, 0);
    });
  }

  test("a key without read:data opens no stream; of other sockets the server behind decides", async (x) => {
    const { t, open, asked } = await scene(x);
    const secret = await t.makeKey((await t.login("bob")).access_token, { scopes: ["read:metadata"] });
    const paths = [STREAM, "/api/v1/stream/x", "/API/v1/stream/x", "/api/v1//stream/x", `/root${STREAM}`];
    for (const path of paths) {
      assert.equal((await open(path, apikey(secret)).refused)[0], 401, path);
    }
    assert.equal(asked.length, 0);
    await open("/api/v1/console", apikey(secret)).has("schema");
  });

  test("a key narrowed to access tags is refused, or passed on where the database is shared", async (x) => {
    const { t, open, asked, upstream } = await scene(x);
    const narrowed = { scopes: ["read:data"], access_tags: ["chem"] };
    const secret = await t.makeKey((await t.login("bob")).access_token, narrowed);
    const [status, body] = await open(STREAM, apikey(secret)).refused;
    assert.deepEqual([status, /shares_database/.test(body)], [403, true]);
    assert.equal(asked.length, 0);

    const sharing = await startBoth((last) => x.after(last), {
      upstreams: [{ url: upstream.url, sharesDatabase: true }],
    });
    const key = await sharing.t.makeKey((await sharing.t.login("bob")).access_token, narrowed);
    const client = new SocketClient(`${sharing.url.replace("http", "ws")}${STREAM}?api_key=${key}`, {}, []);
    x.after(() => client.socket.terminate());
    await client.has("schema");
    assert.deepEqual([asked[0]?.url, asked[0]?.headers.authorization], [STREAM, `Apikey ${key}`]);
  });

  test("anyone connects at once to a public server; a credential sent afterwards is not passed on", async (x) => {
    const { open, asked } = await scene(x, { authentication: { allowAnonymousAccess: true } });
    const client = open(STREAM);
    await client.has("schema");
    assert.equal(asked[0]?.url, STREAM);
    client.socket.send('{"type": "auth", "api_key": "secret"}');
    client.socket.send('{"type": "other"}');
    await client.has("schema", '{"type": "other"}');
  });

  test("the single user's key opens one", async (x) => {
    const { open, asked } = await scene(x, { providers: false });
    await open(STREAM, apikey("secret")).has("schema");
    assert.equal(claims(asked[0])["sub"], "0".repeat(32));
  });

  test("a browser's cookie counts for pages of this origin and of those that are allowed, for no other", async (x) => {
    const { t, url, open, asked } = await scene(x, { allowOrigins: ["https://app.example.org"] });
    const secret = await t.makeKey((await t.login("bob")).access_token);
    const cookie = `tiled_api_key=${secret}; tiled_csrf=x; theme=dark`;
    for (const origin of ["https://evil.example.org", "null", `${url}.evil`]) {
      assert.equal((await open(STREAM, { cookie, origin }).refused)[0], 403, origin);
    }
    assert.equal(asked.length, 0);
    for (const origin of [url, "https://app.example.org"])
      await open(STREAM, { cookie, origin }).has("schema");
    assert.deepEqual(
      asked.map(({ headers }) => headers.cookie),
      ["theme=dark", "theme=dark"],
    );
    // A credential that no browser sends by itself may come from anywhere.
    await open(STREAM, { ...apikey(secret), origin: "https://evil.example.org" }).has("schema");
  });

  test("forged fields do not pass; ours say by which way, in WebSocket's words", async (x) => {
    const { t, port, open, asked } = await scene(x);
    const { access_token } = await t.login("bob");
    await open(STREAM, {
      ...bearer(access_token),
      "x-tiled-principal": "evil",
      "x-forwarded-host": "evil",
      x_forwarded_host: "evil",
      connection: "Upgrade, x-forwarded-host, x-tiled-identity",
    }).has("schema");
    const { headers = {} } = asked[0] ?? {};
    assert.ok(!JSON.stringify(headers).includes("evil"));
    assert.equal(headers["x-forwarded-host"], `127.0.0.1:${port}`);
    assert.equal(headers["x-forwarded-proto"], "ws");
    assert.equal(headers["x-tiled-identity"], "toy:bob");
  });
});

describe("handshakes", () => {
  test("that the server behind refuses are refused with its own answer", async (x) => {
    const { t, open, upstream } = await scene(x);
    const { access_token } = await t.login("bob");
    upstream.server.removeAllListeners("upgrade");
    upstream.answer = (_request, response) => {
      response.writeHead(404, { "content-type": "application/json" }).end('{"detail":"No such entry"}');
    };
    assert.deepEqual(await open(STREAM, bearer(access_token)).refused, [404, '{"detail":"No such entry"}']);
  });

  test("with a server that is away are 502", async (x) => {
    const { t, open, upstream } = await scene(x);
    const { access_token } = await t.login("bob");
    upstream.server.closeAllConnections();
    upstream.server.close();
    const [status, body] = await open(STREAM, bearer(access_token)).refused;
    assert.deepEqual([status, /cannot be reached/.test(body)], [502, true]);
  });

  test("with a server that says nothing are 504", async (x) => {
    const { upstream } = await scene(x);
    upstream.server.removeAllListeners("upgrade").on("upgrade", () => undefined);
    const slow = await startBoth((last) => x.after(last), {
      upstreams: [{ url: upstream.url, timeout: 0.2 }],
    });
    const { access_token } = await slow.t.login("bob");
    const client = new SocketClient(slow.url.replace("http", "ws") + STREAM, bearer(access_token), []);
    assert.equal((await client.refused)[0], 504);
  });

  test("agree on the protocol that the server behind chooses, or on none", async (x) => {
    const { t, port, open, upstream } = await scene(x);
    const { access_token } = await t.login("bob");
    const client = open(STREAM, bearer(access_token), ["second", "first"]);
    await client.has("schema");
    assert.equal(client.socket.protocol, "second");
    upstream.server.removeAllListeners("upgrade");
    const none = new WebSocketServer({ server: upstream.server, handleProtocols: () => false });
    none.on("connection", (socket) => socket.send("schema"));
    const answer = await raw(
      port,
      `GET ${STREAM} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${access_token}\r\n${HANDSHAKE}Sec-WebSocket-Protocol: x, y\r\n\r\n`,
      /schema/,
    );
    assert.deepEqual(statuses(answer), [101]);
    assert.doesNotMatch(answer, /sec-websocket-protocol/i);
  });

  test("with invalid protocols are 400, and not the upstream's fault", async (x) => {
    const { t, port, asked } = await scene(x);
    const { access_token } = await t.login("bob");
    for (const names of ["x, x", "x y", ",@"]) {
      const head = `GET ${STREAM} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${access_token}\r\n`;
      const answer = await raw(port, `${head}${HANDSHAKE}Sec-WebSocket-Protocol: ${names}\r\n\r\n`);
      assert.deepEqual(statuses(answer), [400], names);
    }
    assert.equal(asked.length, 0);
  });

  test("with a body are 400, and no length of one passes", async (x) => {
    const { t, port, asked } = await scene(x);
    const { access_token } = await t.login("bob");
    const head = `GET ${STREAM} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${access_token}\r\n${HANDSHAKE}`;
    for (const body of ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
      assert.deepEqual(statuses(await raw(port, head + body)), [400], body);
    assert.equal(asked.length, 0);
    const answer = await raw(port, `${head}Content-Length: 0\r\nContent-Type: a/b\r\n\r\n`, /schema/);
    assert.deepEqual(statuses(answer), [101]);
    const [request] = asked;
    assert.deepEqual(
      [request?.headers["content-length"], request?.headers["content-type"]],
      [undefined, undefined],
    );
  });

  test("for our own paths, or for paths that can be read in two ways, open nothing", async (x) => {
    const { t, port, open, asked } = await scene(x);
    const { access_token } = await t.login("bob");
    const credential = bearer(access_token);
    assert.equal((await open("/api/v1/auth/whoami", credential).refused)[0], 200);
    for (const path of ["/api/v1%2Fauth%2Fwhoami", "/api/v1/stream/../auth", "/api/v1/stream/%2e%2e/auth"]) {
      const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${access_token}\r\n`;
      assert.deepEqual(statuses(await raw(port, `${head}${HANDSHAKE}\r\n`)), [400], path);
    }
    assert.equal(asked.length, 0);
  });
});
