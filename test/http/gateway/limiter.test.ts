/** No caller takes a server behind from all others: requests and WebSockets through the gateway are bounded. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientRequest, type ServerResponse, request as send } from "node:http";
import { describe, type TestContext, test } from "node:test";
import type { UpstreamConfig } from "../../../src/config/model.ts";
import { ConcurrencyLimiter, type Requester } from "../../../src/http/gateway/limiter.ts";
import { bearer, type TestAppOptions } from "../../support/app.ts";
import { eventually } from "../../support/eventually.ts";
import { SocketClient, STREAM, socketScene } from "../../support/sockets.ts";
import { startBoth, startFront } from "../../support/upstream.ts";

const stranger = (name: string): Requester => ({ known: false, name });
const known = (name: string): Requester => ({ known: true, name });

describe("a room", () => {
  const enter = (room: ConcurrencyLimiter, requester: Requester, count: number) => {
    const told = { begun: 0, full: 0, gaveUp: 0 };
    const slots: { leave(): void }[] = [];
    for (let round = 0; round < count; round++) {
      const waiting = room.enter(requester, {
        begin: (slot) => {
          told.begun += 1;
          slots.push(slot);
        },
        giveUp: () => {
          told.gaveUp += 1;
        },
      });
      if (waiting === "full") told.full += 1;
    }
    return { told, slots };
  };
  const room = (slots: number, waiting = slots, waitMs = 60_000) =>
    new ConcurrencyLimiter({ slots, waiting, waitMs });

  test("gives one stranger half of the strangers' part, all strangers three quarters, and one that is known half", () => {
    const one = room(16);
    assert.deepEqual(enter(one, stranger("a"), 100).told, { begun: 6, full: 88, gaveUp: 0 });
    assert.deepEqual(enter(one, stranger("b"), 100).told.begun, 6);
    assert.deepEqual(enter(one, stranger("c"), 100).told.begun, 0);
    assert.deepEqual(enter(one, known("d"), 100).told.begun, 4);
    assert.deepEqual(enter(room(16), known("d"), 100).told.begun, 8);
  });

  test("gives a free slot to the first in line that may have it", () => {
    const one = room(8);
    const first = enter(one, stranger("a"), 4);
    const second = enter(one, stranger("b"), 3);
    const third = enter(one, known("c"), 5);
    assert.deepEqual([first.told.begun, second.told.begun, third.told.begun], [3, 3, 2]);
    first.slots[0]?.leave();
    first.slots[0]?.leave();
    assert.deepEqual([first.told.begun, third.told.begun], [4, 2]);
    third.slots[0]?.leave();
    assert.equal(third.told.begun, 3);
  });

  test("holds the slot given to a waiting caller until that caller leaves", () => {
    const one = room(1);
    const first = enter(one, known("a"), 1);
    const begun: { leave(): void }[] = [];
    const calls = {
      begin: (slot: { leave(): void }) => void begun.push(slot),
      giveUp: () => assert.fail(),
    };
    const waiting = one.enter(known("b"), calls);
    assert.ok(waiting !== "full" && waiting !== null);
    first.slots[0]?.leave();
    waiting.leave();
    assert.deepEqual([begun.length, enter(one, known("c"), 1).told.begun], [1, 0]);
  });

  test("forgets callers that left, and refuses those that waited too long", async (x) => {
    x.mock.timers.enable({ apis: ["setTimeout"] });
    const one = room(1, 8, 1000);
    const { slots } = enter(one, known("a"), 1);
    const left = one.enter(known("b"), { begin: () => assert.fail(), giveUp: () => assert.fail() });
    assert.ok(left !== "full" && left !== null);
    left.leave();
    const late = enter(one, known("c"), 1);
    x.mock.timers.tick(1000);
    assert.equal(late.told.gaveUp, 1);
    slots[0]?.leave();
    assert.deepEqual(late.told, { begun: 0, full: 0, gaveUp: 1 });
    assert.equal(enter(one, stranger("d"), 1).told.begun, 1);
  });

  test("of one slot is for everyone", () => {
    assert.equal(enter(room(1), stranger("a"), 1).told.begun, 1);
    assert.equal(enter(room(1), known("a"), 1).told.begun, 1);
  });
});

describe("requests", () => {
  async function scene(t: TestContext, upstream: Partial<UpstreamConfig>, options: TestAppOptions = {}) {
    const cleanup = (last: () => Promise<unknown>) => t.after(last);
    const { upstream: behind } = await startBoth(cleanup);
    const front = await startFront(cleanup, {
      upstreams: [{ url: behind.url, kind: "tiled", ...upstream }],
      server: { trustedProxies: ["127.0.0.1"] },
      ...options,
    });
    const held: ServerResponse[] = [];
    behind.answer = (_request, response) => void held.push(response);
    const asked: ClientRequest[] = [];
    t.after(() => {
      for (const request of asked) request.destroy();
    });
    const answers: number[] = [];
    /** Unanswered ones, as long as the server behind keeps them. */
    const flood = (count: number, address: string, headers: Record<string, string> = {}) => {
      for (let round = 0; round < count; round++) {
        const request = send(`${front.url}/static/a.js`, {
          agent: false,
          headers: { "x-forwarded-for": address, ...headers },
        });
        request.on("error", () => undefined);
        request.on("response", (response) => {
          answers.push(response.statusCode ?? 0);
          response.resume();
        });
        asked.push(request.end());
      }
    };
    return { ...front, behind, held, flood, answers };
  }
  const isSo = async (what: () => boolean) => assert.ok(await eventually(10, async () => what()));

  test("of one stranger fill neither the server behind nor the queue; others, logins and /healthz go on", async (x) => {
    const { t, url, behind, held, flood, answers } = await scene(x, { maxConnections: 16 });
    let connections = 0;
    behind.server.on("connection", () => {
      connections += 1;
    });
    flood(200, "203.0.113.1");
    // 6 are under way, 24 wait, and the rest is told to come back.
    await isSo(() => answers.length === 170);
    assert.deepEqual([...new Set(answers)], [503]);
    assert.equal(held.length, 6);
    assert.equal(connections, 6);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    const { access_token } = await t.login("bob");
    behind.answer = (_request, response) => void response.end();
    const other = { "x-forwarded-for": "203.0.113.2" };
    assert.equal((await fetch(`${url}/static/a.js`, { headers: other })).status, 200);
    const busy = await fetch(`${url}/static/a.js`, { headers: { "x-forwarded-for": "203.0.113.1" } });
    assert.equal(busy.headers.get("retry-after"), "5");
    assert.match(((await busy.json()) as { detail: string }).detail, /too many requests at the moment/);
    assert.equal((await fetch(`${url}/api/v1/metadata/A`, { headers: bearer(access_token) })).status, 200);
    for (const response of held.splice(0)) response.end();
    await isSo(() => answers.length === 200);
    assert.equal(answers.filter((status) => status === 200).length, 30);
  });

  test("of anonymous callers in total leave a quarter to known callers", async (x) => {
    const { t, url, behind, held, flood } = await scene(x, { maxConnections: 8 });
    for (let number = 1; number <= 4; number++) flood(50, `203.0.113.${number}`);
    await isSo(() => held.length === 6);
    const { access_token } = await t.login("bob");
    behind.answer = (_request, response) => void response.end();
    for (let round = 0; round < 3; round++) {
      const response = await fetch(`${url}/api/v1/metadata/A`, { headers: bearer(access_token) });
      assert.equal(response.status, 200);
    }
  });

  test("that are given up make room, waiting or under way", async (x) => {
    const { url, held, flood, behind } = await scene(x, { maxConnections: 4 });
    const first = send(`${url}/static/a.js`, { agent: false }).on("error", () => undefined);
    first.end();
    const second = send(`${url}/static/a.js`, { agent: false }).on("error", () => undefined);
    second.end();
    await isSo(() => held.length === 2);
    const waiting = send(`${url}/static/a.js`, { agent: false }).on("error", () => undefined);
    waiting.end();
    flood(20, "127.0.0.1");
    behind.answer = (_request, response) => void response.end();
    waiting.destroy();
    first.destroy();
    second.destroy();
    await isSo(() => held.every((response) => response.destroyed));
    assert.equal((await fetch(`${url}/static/a.js`)).status, 200);
  });

  test("that fail, break off or cannot be sent leave their slots", async (x) => {
    const { url, behind } = await scene(x, { maxConnections: 1, timeout: 1 });
    const ways = [
      (response: ServerResponse) => response.destroy(),
      (response: ServerResponse) => response.writeHead(500).end("no"),
      (response: ServerResponse) => {
        response.writeHead(200, { "content-length": 100 }).write("half");
        setImmediate(() => response.destroy());
      },
      (response: ServerResponse) => response.writeHead(304, { "content-length": 100 }).end(),
      (response: ServerResponse) =>
        response.writeHead(200, { "content-length": 2_000_000 }).end(Buffer.alloc(2_000_000)),
    ];
    for (const way of ways) {
      behind.answer = (_request, response) => void way(response);
      await fetch(`${url}/static/a.js`)
        .then((response) => response.arrayBuffer())
        .catch(() => undefined);
    }
    behind.answer = (_request, response) => void response.end("fine");
    assert.equal(await (await fetch(`${url}/static/a.js`)).text(), "fine");
  });

  test("wait no longer than the server behind may be silent", async (x) => {
    const { flood, answers, held } = await scene(x, { maxConnections: 1, timeout: 1 });
    flood(2, "203.0.113.1");
    await isSo(() => answers.length === 2);
    assert.ok(
      answers.every((status) => status === 503 || status === 504),
      String(answers),
    );
    assert.ok(held.length >= 1);
  });
});

describe("WebSockets", () => {
  test("are bounded for each silent address, and in total; known callers get in", async (x) => {
    const { upstream } = await socketScene(x);
    const { t, url } = await startFront((last) => x.after(last), {
      upstreams: [{ url: upstream.url, maxStreams: 8 }],
      server: { trustedProxies: ["127.0.0.1"] },
    });
    const open = (address: string, headers: Record<string, string> = {}) => {
      const client = new SocketClient(
        url.replace("http", "ws") + STREAM,
        { "x-forwarded-for": address, ...headers },
        [],
      );
      x.after(() => client.socket.terminate());
      return client;
    };
    const opens = async (...args: Parameters<typeof open>) => {
      const client = open(...args);
      return await Promise.race([
        once(client.socket, "open").then(() => 101),
        client.refused.then(([status]) => status),
      ]);
    };
    const statuses = async (address: string, count: number) => {
      const found: number[] = [];
      for (let round = 0; round < count; round++) found.push(await opens(address));
      return found;
    };
    assert.deepEqual(await statuses("203.0.113.1", 5), [101, 101, 101, 503, 503]);
    assert.deepEqual(await statuses("203.0.113.2", 4), [101, 101, 101, 503]);
    const bob = bearer((await t.login("bob")).access_token);
    const [first, second] = [open("203.0.113.1", bob), open("203.0.113.1", bob)];
    await first.has("schema");
    await second.has("schema");
    assert.equal(await opens("203.0.113.1", bob), 503);
    first.socket.terminate();
    assert.ok(await eventually(10, async () => (await opens("203.0.113.1", bob)) === 101));
  });

  test("that authenticate in time release their anonymous slots", async (x) => {
    const { upstream } = await socketScene(x);
    const { t, url } = await startFront((last) => x.after(last), {
      upstreams: [{ url: upstream.url, maxStreams: 8 }],
    });
    const { access_token } = await t.login("bob");
    for (let round = 0; round < 4; round++) {
      const client = new SocketClient(url.replace("http", "ws") + STREAM, {}, []);
      x.after(() => client.socket.terminate());
      await once(client.socket, "open");
      client.socket.send(JSON.stringify({ type: "auth", access_token }));
      await client.has("schema");
    }
  });
});
