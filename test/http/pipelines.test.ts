/** Pipelined requests: all of a few are answered in their order, and a flood of them begins little. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { type TestContext, test } from "node:test";
import { Connections } from "../../src/http/connections.ts";
import { limitPipelines } from "../../src/http/pipelines.ts";
import { testApp } from "../support/app.ts";

interface Begun {
  readonly url: string;
  readonly response: ServerResponse;
}

async function listen(t: TestContext, limits: { atOnce: number; waiting: number }) {
  const begun: Begun[] = [];
  let connections: Connections | undefined;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    connections?.requestBegan(request.socket);
    response.on("close", () => connections?.requestEnded(request.socket));
    begun.push({ url: request.url ?? "", response });
    server.emit("begun");
  });
  connections = new Connections(server);
  limitPipelines(server, connections, limits);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  t.after(() => {
    socket.destroy();
    server.close();
  });
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  return {
    begun,
    socket,
    text: () => text,
    send: (count: number) =>
      socket.write(Array.from({ length: count }, (_, n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join("")),
    begins: async (count: number) => {
      while (begun.length < count) await once(server, "begun");
    },
  };
}

test("a few are answered at a time, the others in turn and in order", { timeout: 5_000 }, async (t) => {
  const { begun, socket, text, send, begins } = await listen(t, { atOnce: 2, waiting: 10 });
  send(5);
  for (let n = 0; n < 5; n += 1) {
    await begins(Math.min(n + 2, 5));
    assert.equal(begun.length, Math.min(n + 2, 5));
    begun[n]?.response.end(`answer ${n}`);
  }
  while (!text().includes("answer 4")) await once(socket, "data");
  assert.deepEqual(
    begun.map(({ url }) => url),
    ["/0", "/1", "/2", "/3", "/4"],
  );
  assert.match(text(), /answer 0[\s\S]*answer 1[\s\S]*answer 2[\s\S]*answer 3[\s\S]*answer 4/);
});

test("a flood begins no more than a few, is refused in its turn, and its connection closed", {
  timeout: 10_000,
}, async (t) => {
  const { begun, socket, text, send, begins } = await listen(t, { atOnce: 2, waiting: 10 });
  send(10_000);
  await begins(2);
  const closed = once(socket, "close");
  for (const { response } of begun) response.end("answer");
  await closed;
  assert.equal(begun.length, 2, "nothing else has begun");
  assert.equal(text().match(/HTTP\/1\.1 200/g)?.length, 2);
  const [, refusal = ""] = text().split("HTTP/1.1 503");
  assert.match(refusal, /\r\nretry-after: 1\r\nconnection: close\r\n[\s\S]*"detail"/i);
});

test("the server itself has such a limit", { timeout: 10_000 }, async (t) => {
  const app = await testApp();
  await app.app.listen({ port: 0, host: "127.0.0.1" });
  t.after(() => app.close());
  const { port } = app.app.server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  socket.write("GET /api/v1/ HTTP/1.1\r\nHost: a\r\n\r\n".repeat(10_000));
  await once(socket, "close");
  assert.match(text, /HTTP\/1\.1 503/);
  assert.ok((text.match(/HTTP\/1\.1 200/g)?.length ?? 0) < 200);
});
