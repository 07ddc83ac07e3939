/** Timeouts of connections that send nothing, or take nothing of what is sent. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { IdleWatch, type Watched } from "../../../src/http/gateway/idle.ts";
import { eventually } from "../../support/eventually.ts";
import { raw, startBoth, startFront, startUpstream, statuses } from "../../support/upstream.ts";

class Passing implements Watched {
  touched = 0;
  moved = false;
  heldUp = false;
  ended = 0;
  hasMoved = () => this.moved;
  isHeldUp = () => this.heldUp;
  onSilence() {
    this.ended += 1;
  }
}

describe("the watch", () => {
  test("ends silent connections first, stalled ones later, and never active ones", (x) => {
    x.mock.timers.enable({ apis: ["setInterval"] });
    const watch = new IdleWatch(60);
    const [silent, heldUp, moving] = [new Passing(), new Passing(), new Passing()];
    heldUp.heldUp = true;
    moving.moved = true;
    for (const one of [silent, heldUp, moving]) watch.add(one);
    const ended = () => [silent, heldUp, moving].map((one) => one.ended > 0);
    x.mock.timers.tick(60_000);
    assert.deepEqual(ended(), [false, false, false]);
    x.mock.timers.tick(1_000);
    assert.deepEqual(ended(), [true, false, false]);
    x.mock.timers.tick(540_000);
    assert.deepEqual(ended(), [true, true, false]);
    watch.close();
  });
});

const ANYBODY = { authentication: { allowAnonymousAccess: true } };

describe("through the gateway", { timeout: 30_000 }, () => {
  test("an upload that stops is 408, the caller's fault; a slow one is not", async (x) => {
    const upstream = await startUpstream((last) => x.after(last));
    const upstreams = [{ url: upstream.url, timeout: 1 }];
    const { port } = await startFront((last) => x.after(last), { ...ANYBODY, upstreams });
    upstream.echo();
    const head = "PUT /api/v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";
    const stopped = raw(port, `${head}abc`);
    const slow = connect(port, "127.0.0.1").setEncoding("latin1");
    x.after(() => slow.destroy());
    let answer = "";
    slow.on("data", (part: string) => {
      answer += part;
    });
    slow.write(head);
    for (let byte = 0; byte < 10; byte++) {
      await delay(500);
      slow.write("x");
    }
    assert.deepEqual(statuses(await stopped), [408]);
    assert.match(await stopped, /connection: close/i);
    assert.ok(await eventually(5, async () => /x{10}$/.test(answer)), answer);
  });

  test("an upload that the upstream does not read is 504", async (x) => {
    const upstream = await startUpstream((last) => x.after(last));
    const { port } = await startFront((last) => x.after(last), {
      ...ANYBODY,
      upstreams: [{ url: upstream.url, timeout: 1 }],
    });
    upstream.server.removeAllListeners("request").on("request", () => undefined);
    const size = 16 * 1_048_576;
    const socket = connect(port, "127.0.0.1").setEncoding("latin1");
    // It is closed while there is more to send.
    socket.on("error", () => undefined);
    let answer = "";
    socket.on("data", (part: string) => {
      answer += part;
    });
    socket.write(`PUT /api/v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size));
    assert.ok(await eventually(10, async () => answer !== ""));
    assert.deepEqual(statuses(answer), [504]);
    socket.destroy();
  });

  test("the upstream is not asked for a caller that disconnected during authentication", async (x) => {
    const { port, upstream } = await startBoth((last) => x.after(last), ANYBODY);
    let told = () => {};
    const [about] = upstream.server.listeners("request");
    upstream.server.removeAllListeners("request").on("request", (request, response) => {
      if (request.url === "/api/v1/") told = () => response.end("{}");
      else about?.call(upstream.server, request, response);
    });
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /ui HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(5, async () => String(told).includes("response"));
    socket.destroy();
    await delay(100);
    told();
    await delay(200);
    assert.equal(upstream.asked.length, 0);
  });
});
