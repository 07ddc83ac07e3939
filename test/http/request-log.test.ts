/** Whatever is said about a request stands in the log under its id, also what Fastify itself has to say. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { memoryStore, testApp } from "../support/app.ts";
import { ManualClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { TLS_CERT, TLS_KEY } from "../support/tls.ts";

test("a handler's messages and Fastify's own bear the request's id", async () => {
  await using t = await testApp({
    beforeReady: (app) => {
      app.get("/api/v1/late", { config: { access: "public" } }, async (request, reply) => {
        request.log.warn({ shelf: 7 }, "a handler's message");
        reply.send("answered");
        throw new Error("after the answer");
      });
    },
  });
  const response = await t.call("/api/v1/late");
  assert.equal(response.body, "answered");
  const id = response.headers["x-tiled-request-id"];
  const lines = t.logLines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ level, reqId }) => [level, reqId]),
    [
      [40, id],
      [50, id],
      [30, id],
    ],
  );
  const [ours, fastifys, line] = lines;
  assert.equal(ours?.["shelf"], 7);
  assert.match(JSON.stringify(fastifys), /after the answer/);
  assert.equal(line?.["msg"], "request");
});

for (const [name, tls] of [
  ["http", null],
  ["https", { key: Buffer.from(TLS_KEY), cert: Buffer.from(TLS_CERT) }],
] as const)
  test(`${name}: who hangs up before the answer is in the log and the audit table with the address`, async () => {
    const clock = new ManualClock();
    const store = await memoryStore(clock);
    const { promise: hungUp, resolve: hangUp } = Promise.withResolvers<void>();
    let asked = () => {};
    const apiKeys: typeof store.apiKeys = {
      ...store.apiKeys,
      find: async (...key) => {
        asked();
        await hungUp;
        return await store.apiKeys.find(...key);
      },
    };
    await using t = await testApp({
      clock,
      store: { ...store, apiKeys },
      tls,
      server: { publicUrl: "https://tiled.example.org", trustedProxies: ["127.0.0.1"] },
    });
    const secret = await t.makeKey((await t.login("bob")).access_token);
    await t.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = t.app.server.address() as AddressInfo;
    t.logLines.length = 0;
    const raw = connect(port, "127.0.0.1");
    const socket = tls === null ? raw : connectTls({ socket: raw, rejectUnauthorized: false });
    raw.on("error", () => undefined);
    socket.on("error", () => undefined);
    await once(socket, tls === null ? "connect" : "secureConnect");
    const lookedUp = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const headers = `Host: a\r\nX-Forwarded-For: 203.0.113.7\r\nAuthorization: Apikey ${secret}`;
    socket.write(`GET /api/v1/auth/whoami HTTP/1.1\r\n${headers}\r\n\r\n`);
    await lookedUp;
    raw.resetAndDestroy();
    assert.ok(await eventually(5, async () => t.logLines.length > 0));
    hangUp();
    const first = async () => {
      const rows = await store.audit.read({ limit: 50 });
      return rows.find(({ event }) => event === "api_key_first_used");
    };
    assert.ok(await eventually(5, async () => (await first()) !== undefined));
    assert.equal((await first())?.address, "203.0.113.7");
    assert.match(t.logLines.join(""), /"address":"203\.0\.113\.7"/);
    assert.doesNotMatch(t.logLines.join(""), /unknown/);
  });
