/** A peer that does not read is cut off; one that reads slowly is not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Connections } from "../../src/http/connections.ts";
import { UnreadAnswers } from "../../src/http/unread-answers.ts";
import { TLS_CERT, TLS_KEY } from "../support/tls.ts";

/** More than the system takes for a peer that reads nothing. */
const BODY = Buffer.alloc(32 * 1024 * 1024);

async function scene(t: TestContext, server: Server, tls: boolean) {
  const connections = new Connections(server);
  server.on("request", (_request, response) => response.end(BODY));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client: Socket = tls
    ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false })
    : connect(port, "127.0.0.1");
  client.on("error", () => undefined);
  t.after(() => {
    client.destroy();
    connections.destroy();
    server.close();
  });
  await once(client, tls ? "secureConnect" : "connect");
  const asked = once(server, "request");
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await asked;
  const [socket] = connections.sockets();
  assert.ok(socket);
  return { client, socket, connections };
}

for (const [name, make] of [
  ["http", () => createServer()],
  ["https", () => createTlsServer({ key: TLS_KEY, cert: TLS_CERT })],
] as const) {
  test(`${name}: a peer that reads nothing for a minute is cut off`, { timeout: 10_000 }, async (t) => {
    const { socket, connections } = await scene(t, make(), name === "https");
    const unread = new UnreadAnswers(60_000);
    unread.look(connections.sockets(), 0);
    unread.look(connections.sockets(), 59_999);
    assert.equal(socket.destroyed, false);
    // What the system takes by itself may go on for a moment, and begins another minute.
    for (let now = 60_000; !socket.destroyed; now += 60_000) {
      unread.look(connections.sockets(), now);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test(`${name}: a peer that reads a little now and then stays`, { timeout: 10_000 }, async (t) => {
    const { client, socket, connections } = await scene(t, make(), name === "https");
    const unread = new UnreadAnswers(60_000);
    let received = 0;
    client.on("data", (part) => {
      received += part.length;
      client.pause();
    });
    client.pause();
    for (let now = 0; now < 5 * 59_000; now += 59_000) {
      unread.look(connections.sockets(), now);
      assert.equal(socket.destroyed, false);
      const before = received;
      // As much as the system holds for the two, so that the server's side moves.
      while (received < before + 6_000_000) {
        client.resume();
        await once(client, "data");
      }
    }
  });
}

test("a connection to which nothing is sent is left alone", { timeout: 10_000 }, async (t) => {
  const { client, socket, connections } = await scene(t, createServer(), false);
  client.resume();
  while (socket.writableLength > 0) await once(socket, "drain");
  const unread = new UnreadAnswers(60_000);
  for (const now of [0, 61_000, 200_000]) unread.look(connections.sockets(), now);
  assert.equal(socket.destroyed, false);
});
