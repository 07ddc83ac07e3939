/** An open WebSocket through the gateway: both sides are as one, and it ends with the login. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { Failure } from "../../../src/errors.ts";
import type { SocketTimeouts } from "../../../src/http/gateway/socket.ts";
import { apikey, bearer, memoryStore, type TestApp } from "../../support/app.ts";
import { UNTOLD } from "../../support/changes.ts";
import { ManualClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { HANDSHAKE, STREAM, socketScene as scene } from "../../support/sockets.ts";

const SOON = { firstMessage: 10_000, recheck: 100 };

/** A stream whose caller has stopped reading. */
async function paused(x: TestContext, socketTimeouts: SocketTimeouts) {
  const { t, open, opened } = await scene(x, { socketTimeouts });
  const { access_token } = await t.login("bob");
  const client = open(STREAM, bearer(access_token));
  await client.has("schema");
  client.socket.pause();
  const [behind] = opened;
  assert.ok(behind);
  return { behind, client };
}

/** Nothing else happens for so many milliseconds. */
function blockFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

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
    const { t, open } = await scene(x, { socketTimeouts: SOON });
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

  describe("ends with the credential that opened it", () => {
    const expired = [4003, "The credential has expired"];

    test("an API key, in the handshake or as the first message", async (x) => {
      const { t, open } = await scene(x, { socketTimeouts: SOON });
      const bob = bearer((await t.login("bob")).access_token);
      const key = (more: Record<string, unknown>) => t.makeKey(bob["authorization"]?.slice(7) ?? "", more);
      const short = open(STREAM, apikey(await key({ expires_in: 2 })));
      const later = open(STREAM);
      const api_key = await key({ expires_in: 60 });
      later.socket.on("open", () => later.socket.send(JSON.stringify({ type: "auth", api_key })));
      const endless = open(STREAM, apikey(await key({})));
      const login = open(STREAM, bob);
      await Promise.all([short, later, endless, login].map((client) => client.has("schema")));
      t.clock.advance(2);
      assert.deepEqual(await short.closed, expired);
      t.clock.advance(57);
      assert.equal(later.socket.readyState, WebSocket.OPEN);
      t.clock.advance(1);
      assert.deepEqual(await later.closed, expired);
      // Its access token ends after 15 minutes, and its session does not.
      t.clock.advance(3600);
      await delay(3 * SOON.recheck);
      for (const { socket } of [endless, login]) assert.equal(socket.readyState, WebSocket.OPEN);
    });

    test("but not with a key that a login has revoked before, as clients do once they are connected", async (x) => {
      const { t, open } = await scene(x, { socketTimeouts: SOON });
      const { access_token } = await t.login("bob");
      const secret = await t.makeKey(access_token, { expires_in: 60 });
      const stream = open(STREAM, apikey(secret));
      await stream.has("schema");
      await revoke(t, secret, bearer(access_token));
      t.clock.advance(59);
      await delay(3 * SOON.recheck);
      t.clock.advance(60);
      await delay(3 * SOON.recheck);
      assert.equal(stream.socket.readyState, WebSocket.OPEN);
    });

    test("and revoking a key by itself, or by a key that expires, does not extend it", async (x) => {
      const { t, open } = await scene(x, { socketTimeouts: SOON });
      const { access_token } = await t.login("bob");
      const key = (expires_in: number) => t.makeKey(access_token, { expires_in });
      const [itself, first, other] = [await key(60), await key(60), await key(120)];
      const [alone, followed] = [open(STREAM, apikey(itself)), open(STREAM, apikey(first))];
      await Promise.all([alone.has("schema"), followed.has("schema")]);
      await revoke(t, itself, apikey(itself));
      await revoke(t, first, apikey(other));
      t.clock.advance(59);
      await delay(3 * SOON.recheck);
      t.clock.advance(2);
      assert.deepEqual(await alone.closed, expired);
      assert.equal(followed.socket.readyState, WebSocket.OPEN);
      t.clock.advance(60);
      assert.deepEqual(await followed.closed, expired);
    });

    test("and so does an event stream over HTTP", async (x) => {
      const { t, url, upstream } = await scene(x, { socketTimeouts: SOON });
      const { access_token } = await t.login("bob");
      const secret = await t.makeKey(access_token, { expires_in: 2 });
      upstream.answer = (request, response) => {
        const type = request.url === "/api/v1/events" ? "text/event-stream; charset=utf-8" : "text/csv";
        response.writeHead(200, { "content-type": type }).write("data: first\n\n");
      };
      const ask = async (path: string) => {
        const response = await fetch(url + path, { headers: apikey(secret) });
        const reader = response.body?.getReader();
        assert.ok(reader);
        x.after(() => reader.cancel().catch(() => undefined));
        assert.match(Buffer.from((await reader.read()).value ?? "").toString(), /first/);
        return reader;
      };
      const [events] = [await ask("/api/v1/events"), await ask("/api/v1/download")];
      t.clock.advance(3);
      await assert.rejects(events.read());
    });

    for (const [what, end] of [
      ["its session has ended", (t: TestApp, refresh_token: string) => endSession(t, refresh_token)],
      ["its principal is disabled", (t: TestApp) => disable(t, "bob")],
    ] as const)
      test(`which ends also where ${what}`, async (x) => {
        const { t, url, upstream } = await scene(x, { socketTimeouts: SOON });
        const { access_token, refresh_token } = await t.login("bob");
        upstream.answer = (_request, response) =>
          void response.writeHead(200, { "content-type": "text/event-stream" }).write("data: first\n\n");
        const { body } = await fetch(`${url}/api/v1/events`, { headers: bearer(access_token) });
        const reader = body?.getReader();
        assert.ok(reader);
        await reader.read();
        await end(t, refresh_token);
        t.clock.advance(1);
        await assert.rejects(reader.read());
      });

    async function endSession(t: TestApp, refresh_token: string): Promise<void> {
      const url = "/api/v1/auth/session/revoke";
      assert.equal((await t.call({ method: "POST", url, payload: { refresh_token } })).statusCode, 204);
    }

    async function disable(t: TestApp, id: string): Promise<void> {
      const summary = await t.store?.principals.summaryOfIdentity({ provider: "toy", id });
      assert.ok(summary);
      const url = `/api/v1/auth/principal/${summary.uuid}/disable`;
      const headers = bearer((await t.login("alice")).access_token);
      assert.equal((await t.call({ method: "POST", url, headers })).statusCode, 204);
    }

    async function revoke(t: TestApp, secret: string, headers: Record<string, string>): Promise<void> {
      const url = `/api/v1/auth/apikey?first_eight=${secret.slice(0, 8)}`;
      const response = await t.call({ method: "DELETE", url, headers });
      assert.ok(response.statusCode < 300, response.body);
    }
  });

  test("ends soon after its principal has lost the right to read data", async (x) => {
    const clock = new ManualClock();
    const store = await memoryStore(clock);
    let readers = true;
    const summary: typeof store.principals.summary = async (uuid) => {
      const found = await store.principals.summary(uuid);
      const scopes = found?.scopes.filter((scope) => readers || scope !== "read:data");
      return found && scopes && { ...found, scopes };
    };
    const principals = { ...store.principals, summary };
    const { t, open } = await scene(x, {
      clock,
      store: { ...store, changes: UNTOLD, principals },
      socketTimeouts: SOON,
    });
    const bob = await t.login("bob");
    const stream = open(STREAM, bearer(bob.access_token));
    const other = open("/queue/socket", bearer(bob.access_token));
    await Promise.all([stream.has("schema"), other.has("schema")]);
    readers = false;
    clock.advance(1000);
    assert.equal((await stream.closed)[0], 4003);
    assert.equal(other.socket.readyState, WebSocket.OPEN);
  });

  for (const code of ["store_busy", "store_unavailable"] as const)
    test(`ends where the database cannot say, twice in a row, whether it may go on: ${code}`, async (x) => {
      const clock = new ManualClock();
      const store = await memoryStore(clock);
      let looks = -1;
      const summary: typeof store.principals.summary = async (uuid) => {
        if (looks < 0) return await store.principals.summary(uuid);
        looks += 1;
        throw new Failure(code);
      };
      const principals = { ...store.principals, summary };
      const { t, open } = await scene(x, {
        clock,
        store: { ...store, changes: UNTOLD, principals },
        socketTimeouts: SOON,
      });
      const stream = open(STREAM, bearer((await t.login("bob")).access_token));
      await stream.has("schema");
      looks = 0;
      clock.advance(1);
      assert.equal((await stream.closed)[0], 1013);
      assert.equal(looks, 2);
    });

  test("ends with its login, however long the database takes to tell of others", async (x) => {
    const clock = new ManualClock();
    const store = await memoryStore(clock);
    let stuck: string | undefined;
    const summary: typeof store.principals.summary = async (uuid) =>
      uuid.replaceAll("-", "") === stuck
        ? await new Promise(() => undefined)
        : await store.principals.summary(uuid);
    const principals = { ...store.principals, summary };
    const { t, open } = await scene(x, {
      clock,
      store: { ...store, changes: UNTOLD, principals },
      socketTimeouts: SOON,
    });
    const [alice, bob] = [await t.login("alice"), await t.login("bob")];
    const stream = open(STREAM, bearer(alice.access_token));
    await stream.has("schema");
    const other = open(STREAM, bearer(bob.access_token));
    await other.has("schema");
    stuck = alice.principal;
    clock.advance(1);
    await delay(2 * SOON.recheck);
    await t.call({
      method: "POST",
      url: "/api/v1/auth/session/revoke",
      payload: { refresh_token: bob.refresh_token },
    });
    assert.equal((await other.closed)[0], 4003);
  });

  test("of a caller that answers is kept, however long the looks take", async (x) => {
    const clock = new ManualClock();
    const store = await memoryStore(clock);
    let slow = false;
    const summary: typeof store.principals.summary = async (uuid) => {
      if (slow) {
        await delay(2.5 * SOON.recheck);
        // The next look is due at the moment when this one ends.
        blockFor(SOON.recheck);
      }
      return await store.principals.summary(uuid);
    };
    const principals = { ...store.principals, summary };
    const { t, open } = await scene(x, {
      clock,
      store: { ...store, changes: UNTOLD, principals },
      socketTimeouts: SOON,
    });
    const stream = open(STREAM, bearer((await t.login("bob")).access_token));
    await stream.has("schema");
    slow = true;
    for (let round = 0; round < 4; round++) {
      clock.advance(1);
      await delay(6 * SOON.recheck);
    }
    stream.socket.send("still here");
    await stream.has("schema", "still here");
  });

  test("is kept where this process stalls for once", async (x) => {
    const { t, open } = await scene(x, { socketTimeouts: SOON });
    const stream = open(STREAM, bearer((await t.login("bob")).access_token));
    await stream.has("schema");
    // The next ping is due before the answer to this one has been read.
    await once(stream.socket, "ping");
    blockFor(1.5 * SOON.recheck);
    await delay(3 * SOON.recheck);
    stream.socket.send("still here");
    await stream.has("schema", "still here");
  });

  test("outlives the key that it was opened with, which clients revoke at once, and the access token", async (x) => {
    const { t, open } = await scene(x, { socketTimeouts: SOON });
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
    // It reads nothing more, so it answers no ping.
    const { behind } = await paused(x, SOON);
    await once(behind, "close");
  });

  test("of a caller that has gone without a word is closed, though there is news for it", async (x) => {
    const { behind } = await paused(x, SOON);
    const closed = once(behind, "close");
    const news = setInterval(() => behind.send("news"), 20);
    x.after(() => clearInterval(news));
    await closed;
  });

  test("of a caller on a slow line is kept", async (x) => {
    const { t, open, opened } = await scene(x, { socketTimeouts: { firstMessage: 1000, recheck: 300 } });
    const client = open(STREAM, bearer((await t.login("bob")).access_token));
    await client.has("schema");
    // Each ping waits behind some eight messages.
    client.socket.on("message", () => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 120);
    });
    for (let count = 0; count < 30; count++) opened[0]?.send(Buffer.alloc(1_000_000));
    assert.ok(await eventually(20, async () => client.messages.length === 31), `${client.messages.length}`);
  });

  test("of a caller that waits for the server behind is kept", async (x) => {
    const { t, open, opened } = await scene(x, { socketTimeouts: SOON });
    const client = open(STREAM, bearer((await t.login("bob")).access_token));
    await client.has("schema");
    opened[0]?.pause();
    for (let count = 0; count < 30; count++) client.socket.send(Buffer.alloc(1_000_000));
    await delay(10 * SOON.recheck);
    opened[0]?.resume();
    assert.ok(await eventually(20, async () => client.messages.length === 31), `${client.messages.length}`);
  });

  test("is as fast as its slower side: nothing piles up here", async (x) => {
    const { behind, client } = await paused(x, { firstMessage: 1000, recheck: 100_000 });
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

  test("that sends no frames ends, and leaves a line without a stack in the log", async (x) => {
    const { t, port } = await scene(x);
    const { access_token } = await t.login("bob");
    const handshake = `GET ${STREAM} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${access_token}\r\n${HANDSHAKE}\r\n`;
    const socket = connect(port, "127.0.0.1");
    x.after(() => socket.destroy());
    socket.write(handshake);
    await once(socket, "data");
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    const line = () => t.logLines.find((one) => one.includes("broke off"));
    assert.ok(await eventually(5, async () => line() !== undefined));
    assert.match(line() ?? "", /"reason":"Invalid WebSocket frame/);
    assert.doesNotMatch(line() ?? "", /stack/);
  });

  test("is closed with a reason when the server stops, so its client reconnects", async (x) => {
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
