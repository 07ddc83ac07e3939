/**
 * The gateway between two encrypted sides: our own HTTPS in front, a server with HTTPS behind. In a process of its own: a
 * certificate is trusted in all of it.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, type RequestOptions, request as send } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import { bearer } from "../../support/app.ts";
import { TLS_CERT, TLS_KEY } from "../../support/tls.ts";
import { startFront } from "../../support/upstream.ts";

const BODY = randomBytes(8_000_000);
const KEYS = { cert: Buffer.from(TLS_CERT), key: Buffer.from(TLS_KEY) };
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function scene(t: TestContext) {
  const server = createServer(KEYS, async (request, response) => {
    if (request.method === "PUT") response.end(digest(await buffer(request)));
    else if (request.url === "/api/v1/large") response.end(BODY);
    else response.end(JSON.stringify(request.headers));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    socket.on("message", (data, binary) => socket.send(data, { binary }));
    socket.send(`${request.headers["x-forwarded-proto"]} ${/access_token=/.test(request.url ?? "")}`);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const front = await startFront((last) => t.after(last), { upstreams: [{ url, kind: "tiled" }], tls: KEYS });
  const { access_token } = await front.t.login("bob");
  const headers = bearer(access_token);
  const ask = async (path: string, options: RequestOptions = {}, body?: Buffer) => {
    const request = send(front.url + path, { headers, ca: TLS_CERT, ...options });
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return { status: response.statusCode, body: await buffer(response) };
  };
  return { ...front, headers, ask };
}

test("a certificate from an unknown issuer is refused", async (t) => {
  const { ask, t: app } = await scene(t);
  assert.equal((await ask("/api/v1/x")).status, 502);
  assert.match(app.logLines.join(""), /self-signed certificate|SELF_SIGNED/i);
});

test("reads, uploads, large answers and WebSockets pass", async (t) => {
  setDefaultCACertificates([...getCACertificates("default"), TLS_CERT]);
  const { url, headers, ask } = await scene(t);
  const { status, body } = await ask("/api/v1/x");
  assert.equal(status, 200);
  assert.equal(JSON.parse(String(body))["x-forwarded-proto"], "https");
  for (let round = 0; round < 3; round++) {
    assert.equal(digest((await ask("/api/v1/large")).body), digest(BODY));
    assert.equal(String((await ask("/api/v1/up", { method: "PUT" }, BODY)).body), digest(BODY));
  }
  const socket = new WebSocket(`${url.replace("https", "wss")}/api/v1/stream/x`, { ca: TLS_CERT, headers });
  t.after(() => socket.terminate());
  const [hello] = await once(socket, "message");
  assert.equal(String(hello), "wss true");
  socket.send(BODY);
  const [back] = (await once(socket, "message")) as [Buffer];
  assert.equal(digest(back), digest(BODY));
});
