/** Requests that are held open: what was allowed when they began need not be allowed when they end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { apikey, bearer, type TestApp, testApp } from "../support/app.ts";

const BODY = '{"expires_in": null, "scopes": null}';

/** Sends all but the end of a request that makes a key; `finish` sends the rest and answers the status. */
async function hold(t: TestApp, authorization: string): Promise<{ finish(): Promise<number> }> {
  const { port } = t.app.server.address() as { port: number };
  const socket: Socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(
    `POST /api/v1/auth/apikey HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY.slice(0, 1)}`,
  );
  // Until its headers were looked at: another request on another connection is answered after them.
  await fetch(`http://127.0.0.1:${port}/healthz`);
  return {
    finish: async () => {
      socket.write(BODY.slice(1));
      const [answer] = (await once(socket, "data")) as [Buffer];
      socket.destroy();
      return Number(String(answer).split(" ")[1]);
    },
  };
}

test("a credential that ends while its request is under way makes no key any more", async () => {
  await using t = await testApp();
  await t.app.listen({ host: "127.0.0.1", port: 0 });
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  const key = await t.makeKey(bob.access_token);
  const held = [
    await hold(t, `Apikey ${key}`),
    await hold(t, `Bearer ${bob.access_token}`),
    await hold(t, `Apikey ${key}`),
  ];
  assert.equal(await held.pop()?.finish(), 200);
  await t.call({ method: "DELETE", url: `/api/v1/auth/apikey?first_eight=${key}`, headers: apikey(key) });
  assert.equal(await held[0]?.finish(), 401);
  const disabled = await t.call({
    method: "POST",
    url: `/api/v1/auth/principal/${bob.principal}/disable`,
    headers: bearer(alice.access_token),
  });
  assert.equal(disabled.statusCode, 204);
  assert.equal(await held[1]?.finish(), 401);
});

test("who hangs up before the answer is in the log all the same", async () => {
  await using t = await testApp();
  await t.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = t.app.server.address() as { port: number };
  const form = "username=alice&password=secret1";
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(
    `POST /api/v1/auth/provider/toy/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`,
    () => socket.resetAndDestroy(),
  );
  await once(socket, "close");
  const lines = () => t.logLines.filter((line) => line.includes('"path":"/api/v1/auth/provider/toy/token"'));
  for (let turn = 0; turn < 200 && lines().length === 0; turn += 1)
    await fetch(`http://127.0.0.1:${port}/healthz`);
  assert.equal(lines().length, 1);
});
