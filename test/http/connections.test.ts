import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Connections } from "../../src/http/connections.ts";
import { TLS_CERT, TLS_KEY } from "../support/tls.ts";

interface Fixture {
  readonly connections: Connections;
  /** Resolves once as many requests as asked for have arrived: their responses. */
  arrived(count: number): Promise<ServerResponse[]>;
  /** A TCP connection that the server has accepted. */
  raw(): Promise<Socket>;
  /** A connection that can carry HTTP. */
  open(): Promise<Socket>;
}

async function listen(t: TestContext, server: Server, tls: boolean): Promise<Fixture> {
  const connections = new Connections(server);
  const responses: ServerResponse[] = [];
  server.on("request", ({ socket }, response) => {
    connections.requestBegan(socket);
    response.on("close", () => connections.requestEnded(socket));
    responses.push(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    connections.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const raw = async () => {
    const accepted = once(server, "connection");
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
    await accepted;
    return socket;
  };
  return {
    connections,
    raw,
    open: async () => {
      if (!tls) return raw();
      const secure = once(server, "secureConnection");
      const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
      socket.on("error", () => undefined);
      t.after(() => socket.destroy());
      await secure;
      return socket;
    },
    arrived: async (count) => {
      while (responses.length < count) await once(server, "request");
      return responses;
    },
  };
}

const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

for (const [name, make] of [
  ["http", () => createServer()],
  ["https", () => createTlsServer({ key: TLS_KEY, cert: TLS_CERT })],
] as const) {
  const start = (t: TestContext) => listen(t, make(), name === "https");

  test(`${name}: half-open connections are closed at once`, { timeout: 5_000 }, async (t) => {
    const { connections, raw, open } = await start(t);
    const silent = await raw();
    const halfHeader = await open();
    halfHeader.write("GET / HTTP/1.1\r\nHost");
    // Not `once` of node:events, which rejects if the connection is reset before it closes.
    const closed = [silent, halfHeader].map((socket) => new Promise((done) => socket.once("close", done)));
    connections.drain();
    await Promise.all(closed);
  });

  test(`${name}: a request under way is answered, then its connection is closed`, {
    timeout: 5_000,
  }, async (t) => {
    const { connections, open, arrived } = await start(t);
    const socket = await open();
    socket.write(REQUEST);
    const [response] = await arrived(1);
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    connections.drain();
    const body = "x".repeat(1_000_000);
    response?.end(body);
    await once(socket, "close");
    assert.ok(text.endsWith(body), "the whole answer arrived");
  });

  test(`${name}: the end closes also what carries a request, and counts it`, {
    timeout: 5_000,
  }, async (t) => {
    const { connections, open, arrived } = await start(t);
    const socket = await open();
    socket.write(REQUEST);
    await arrived(1);
    connections.drain();
    const closed = once(socket, "close");
    assert.equal(connections.destroy(), 1);
    await closed;
  });
}

test("of two pipelined requests both are answered", { timeout: 5_000 }, async (t) => {
  const { connections, open, arrived } = await listen(t, createServer(), false);
  const socket = await open();
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  socket.write(REQUEST + REQUEST);
  const responses = await arrived(2);
  connections.drain();
  for (const [index, response] of responses.entries()) response.end(`answer ${index}`);
  await once(socket, "close");
  assert.match(text, /answer 0[\s\S]*answer 1/);
});

test("a connection that is still accepted while the server stops is closed", {
  timeout: 5_000,
}, async (t) => {
  const { connections, raw } = await listen(t, createServer(), false);
  connections.drain();
  const socket = await raw();
  if (!socket.closed) await once(socket, "close");
});
