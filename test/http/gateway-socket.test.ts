/** WebSockets through the gateway, as Tiled's streaming clients and browsers open them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { apikey, bearer, type TestAppOptions } from "../support/app.ts";
import { eventually } from "../support/process.ts";
import { raw, startBoth, statuses } from "../support/upstream.ts";

const STREAM = "/api/v1/stream/single/A";
const HANDSHAKE =
  "Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SOON = { firstMessage: 10_000, recheck: 100 };

async function scene(t: TestContext, options: TestAppOptions = {}) {
  const both = await startBoth((last) => t.after(last), options);
  const sockets = new WebSocketServer({ server: both.upstream.server });
  const asked: IncomingMessage[] = [];
  const opened: WebSocket[] = [];
  sockets.on("connection", (socket, request) => {
    asked.push(request);
    opened.push(socket);
    socket.on("error", () => undefined);
    socket.on("message", (data, binary) => socket.send(data, { binary }));
    socket.send("schema");
  });
  const ws = both.url.replace("http", "ws");
  const open = (target: string, headers: Record<string, string> = {}, protocols: string[] = []) => {
    const socket = new Client(ws + target, headers, protocols);
    t.after(() => socket.socket.terminate());
    return socket;
  };
  return { ...both, asked, opened, open };
}

/** Remembers what came. */
class Client {
  readonly socket: WebSocket;
  readonly messages: string[] = [];
  readonly closed: Promise<[code: number, reason: string]>;
  /** The status of a handshake that was answered in HTTP. */
  readonly refused: Promise<readonly [status: number, body: string]>;

  constructor(url: string, headers: Record<string, string>, protocols: string[]) {
    this.socket = new WebSocket(url, protocols, { headers });
    this.socket.on("error", () => undefined);
    this.socket.on("message", (data: RawData, binary) =>
      this.messages.push(`${binary ? "bytes " : ""}${data}`),
    );
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve([code, String(reason)]));
    });
    this.refused = new Promise((resolve) => {
      this.socket.on("unexpected-response", (_request, response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          body += part;
        });
        response.on("end", () => resolve([response.statusCode ?? 0, body]));
      });
    });
  }

  async has(...messages: string[]): Promise<void> {
    const there = await eventually(5, async () => this.messages.length >= messages.length);
    assert.ok(there, `only ${JSON.stringify(this.messages)}`);
    assert.deepEqual(this.messages, messages);
  }
}

function claims(request: IncomingMessage | undefined): Record<string, unknown> {
  const token = new URL(request?.url ?? "", "http://x").searchParams.get("access_token") ?? "";
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

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
    test(`${name} is refused before anything is opened, even where anybody may read`, async (x) => {
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
    for (const path of [STREAM, "/api/v1/stream/x", "/API/v1/stream/x", "/api/v1//stream/x"]) {
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
    const client = new Client(`${sharing.url.replace("http", "ws")}${STREAM}?api_key=${key}`, {}, []);
    x.after(() => client.socket.terminate());
    await client.has("schema");
    assert.deepEqual([asked[0]?.url, asked[0]?.headers.authorization], [STREAM, `Apikey ${key}`]);
  });

  test("anybody connects at once where anybody may read", async (x) => {
    const { open, asked } = await scene(x, { authentication: { allowAnonymousAccess: true } });
    await open(STREAM).has("schema");
    assert.equal(asked[0]?.url, STREAM);
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

describe("credentials in the first message", () => {
  test("of both kinds open the stream, and what is sent behind them is not lost", async (x) => {
    const { t, open, asked } = await scene(x);
    const { access_token } = await t.login("bob");
    const secret = await t.makeKey(access_token);
    for (const credential of [{ access_token }, { api_key: secret }]) {
      const client = open(STREAM);
      await once(client.socket, "open");
      assert.equal(asked.length, 0);
      client.socket.send(JSON.stringify({ type: "auth", ...credential }));
      client.socket.send("more");
      await client.has("schema", "more");
      assert.equal(claims(asked.shift())["use"], "upstream");
    }
  });

  for (const [name, message, code] of [
    ["no JSON", "hello", 4001],
    ["another message", '{"type": "subscribe"}', 4001],
    ["a list", "[1]", 4001],
    ["null", "null", 4001],
    ["no credential", '{"type": "auth"}', 4003],
    ["a credential that is no text", '{"type": "auth", "api_key": 5}', 4003],
    ["a wrong token", '{"type": "auth", "access_token": "x.y.z"}', 4003],
    ["a wrong key", '{"type": "auth", "api_key": "00000000"}', 4003],
    ["a message without end", `{"type": "auth", "x": "${"x".repeat(16_384)}"}`, 1009],
  ] as const) {
    test(`${name}: closed with ${code}, nothing opened behind`, async (x) => {
      const { open, asked } = await scene(x);
      const client = open(STREAM);
      await once(client.socket, "open");
      client.socket.send(message);
      assert.equal((await client.closed)[0], code);
      assert.deepEqual([asked.length, client.messages], [0, []]);
    });
  }

  test("that lack read:data, or are narrowed to access tags, are refused", async (x) => {
    const { t, open, asked } = await scene(x);
    const { access_token } = await t.login("bob");
    for (const fields of [{ scopes: ["read:metadata"] }, { scopes: ["read:data"], access_tags: ["chem"] }]) {
      const client = open(STREAM);
      await once(client.socket, "open");
      client.socket.send(JSON.stringify({ type: "auth", api_key: await t.makeKey(access_token, fields) }));
      const [code, reason] = await client.closed;
      assert.deepEqual([code, /tags/.test(reason)], [4003, "access_tags" in fields]);
    }
    assert.equal(asked.length, 0);
  });

  test("that do not come in time are not waited for", async (x) => {
    const { open } = await scene(x, { socketPatience: { firstMessage: 100, recheck: 10_000 } });
    assert.equal((await open(STREAM).closed)[0], 4001);
  });

  test("are of no use where the server behind is away or refuses", async (x) => {
    const { t, open, upstream } = await scene(x);
    const { access_token } = await t.login("bob");
    const late = open(STREAM);
    await once(late.socket, "open");
    upstream.server.removeAllListeners("upgrade");
    upstream.answer = (_request, response) => void response.writeHead(404).end();
    late.socket.send(JSON.stringify({ type: "auth", access_token }));
    assert.deepEqual(await late.closed, [1008, "The data service answered 404"]);
    upstream.server.closeAllConnections();
    upstream.server.close();
    const later = open(STREAM);
    await once(later.socket, "open");
    later.socket.send(JSON.stringify({ type: "auth", access_token }));
    assert.equal((await later.closed)[0], 1013);
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
    const client = new Client(slow.url.replace("http", "ws") + STREAM, bearer(access_token), []);
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

describe("an open stream", () => {
  test("ends for both when either side ends it, for the same reason", async (x) => {
    const { t, open, opened } = await scene(x);
    const { access_token } = await t.login("bob");
    for (const [code, expected] of [
      [1000, 1000],
      [1012, 1012],
      [4321, 4321],
    ] as const) {
      const client = open(STREAM, bearer(access_token));
      await client.has("schema");
      opened.shift()?.close(code, "because");
      assert.deepEqual(await client.closed, [expected, "because"]);
    }
    const client = open(STREAM, bearer(access_token));
    await client.has("schema");
    opened.shift()?.terminate();
    assert.equal((await client.closed)[0], 1014);

    const leaving = open(STREAM, bearer(access_token));
    await leaving.has("schema");
    const behind = opened.shift();
    assert.ok(behind);
    const closed = once(behind, "close");
    leaving.socket.close(4000, "bye");
    assert.deepEqual(await closed.then(([code, reason]) => [code, String(reason)]), [4000, "bye"]);
  });

  test("ends soon after its session is revoked or its principal disabled", async (x) => {
    const { t, open } = await scene(x, { socketPatience: SOON });
    const bob = await t.login("bob");
    const alice = await t.login("alice");
    const byToken = open(STREAM, bearer(bob.access_token));
    const other = open(STREAM, bearer((await t.login("bob")).access_token));
    const byKey = open(STREAM, apikey(await t.makeKey((await t.login("bob")).access_token)));
    await Promise.all([byToken.has("schema"), other.has("schema"), byKey.has("schema")]);
    await t.call({
      method: "POST",
      url: "/api/v1/auth/session/revoke",
      payload: { refresh_token: bob.refresh_token },
    });
    assert.equal((await byToken.closed)[0], 4003);
    assert.equal(other.socket.readyState, WebSocket.OPEN);
    await t.call({
      method: "POST",
      url: `/api/v1/auth/principal/${bob.principal}/disable`,
      headers: bearer(alice.access_token),
    });
    assert.equal((await other.closed)[0], 4003);
    assert.equal((await byKey.closed)[0], 4003);
  });

  test("outlives the key that it was opened with, which clients revoke at once, and the access token", async (x) => {
    const { t, open } = await scene(x, { socketPatience: SOON });
    const { access_token } = await t.login("bob");
    const secret = await t.makeKey(access_token, { expires_in: 10 });
    const byKey = open(STREAM, apikey(secret));
    const byToken = open(STREAM, bearer(access_token));
    await Promise.all([byKey.has("schema"), byToken.has("schema")]);
    await t.call({
      method: "DELETE",
      url: `/api/v1/auth/apikey?first_eight=${secret.slice(0, 8)}`,
      headers: bearer(access_token),
    });
    t.clock.advance(1000);
    await delay(350);
    byKey.socket.send("still");
    byToken.socket.send("here");
    await byKey.has("schema", "still");
    await byToken.has("schema", "here");
  });

  test("of a caller that has gone without a word is closed", async (x) => {
    const { t, open, opened } = await scene(x, { socketPatience: SOON });
    const { access_token } = await t.login("bob");
    const client = open(STREAM, bearer(access_token));
    await client.has("schema");
    // It reads nothing more, so it answers no ping.
    client.socket.pause();
    const [behind] = opened;
    assert.ok(behind);
    await once(behind, "close");
  });

  test("is as fast as its slower side: nothing piles up here", async (x) => {
    const { t, open, opened } = await scene(x, { socketPatience: { firstMessage: 1000, recheck: 100_000 } });
    const { access_token } = await t.login("bob");
    const client = open(STREAM, bearer(access_token));
    await client.has("schema");
    client.socket.pause();
    const [behind] = opened;
    assert.ok(behind);
    const block = Buffer.alloc(1_000_000);
    for (let count = 0; count < 100; count++) behind.send(block);
    let waiting = -1;
    await eventually(10, async () => {
      const same = behind.bufferedAmount === waiting;
      waiting = behind.bufferedAmount;
      await delay(200);
      return same;
    });
    assert.ok(behind.bufferedAmount > 60_000_000, `${behind.bufferedAmount} wait`);
    client.socket.resume();
    assert.ok(await eventually(20, async () => client.messages.length === 101));
  });

  test("is told when the server stops, so that its client comes back", async (x) => {
    const { t, open } = await scene(x);
    const { access_token } = await t.login("bob");
    const client = open(STREAM, bearer(access_token));
    const waiting = open(STREAM);
    await Promise.all([client.has("schema"), once(waiting.socket, "open")]);
    await Promise.all([t.close(), client.closed, waiting.closed]);
    assert.equal((await client.closed)[0], 1012);
    assert.equal((await waiting.closed)[0], 1012);
  });
});
