import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import Fastify from "fastify";
import { dropSlowBodies } from "../../src/http/slow-bodies.ts";
import { startBoth } from "../support/upstream.ts";

test("a body that does not come is not waited for; one that does is read, and its connection goes on", async (x) => {
  const app = Fastify({ requestTimeout: 0 });
  dropSlowBodies(app, 100);
  app.post("/", (request) => request.body);
  const url = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  x.after(() => app.close());
  const open = () => connect(Number(url.port), "127.0.0.1").setEncoding("latin1");
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n";

  const slow = open();
  slow.on("error", () => undefined).write(`${head}ab`);
  await once(slow, "close");

  const quick = open();
  x.after(() => quick.destroy());
  for (let round = 0; round < 2; round++) {
    quick.write(`${head}abcd`);
    assert.match(String((await once(quick, "data"))[0]), /200 OK[\s\S]*abcd$/);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
});

test("of a body that is answered before it is here the rest is not waited for, however slowly it comes", async (x) => {
  const app = Fastify({ requestTimeout: 0 });
  dropSlowBodies(app, 60_000, 200);
  app.post("/", { onRequest: async (_request, reply) => reply.code(401).send("no") }, () => "");
  const url = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  x.after(() => app.close());
  const open = () => connect(Number(url.port), "127.0.0.1").setEncoding("latin1");
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 400\r\n\r\n";

  const endless = open();
  endless.on("error", () => undefined).write(head);
  const dripping = setInterval(() => endless.write("x"), 50);
  x.after(() => clearInterval(dripping));
  await new Promise((resolve) => endless.once("close", resolve));

  // One that is all there keeps its connection.
  const quick = open();
  x.after(() => quick.destroy());
  for (let round = 0; round < 2; round++) {
    quick.write(head + "x".repeat(400));
    assert.match(String((await once(quick, "data"))[0]), /401 Unauthorized/);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
});

test("where uploads pass through, Node's own limit is off, the one for a request's head is not", async (x) => {
  const { t } = await startBoth((last) => x.after(last));
  assert.equal(t.app.server.requestTimeout, 0);
  assert.equal(t.app.server.headersTimeout, 60_000);
});
