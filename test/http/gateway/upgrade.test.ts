/** What a client can do with a connection after asking for a WebSocket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { HANDSHAKE, STREAM } from "../../support/sockets.ts";
import { raw, startBoth, statuses } from "../../support/upstream.ts";

const ANYBODY = { authentication: { allowAnonymousAccess: true } };
const handshake = (path: string) => `GET ${path} HTTP/1.1\r\nHost: front\r\n${HANDSHAKE}\r\n`;

describe("a handshake", { timeout: 20_000 }, () => {
  test("behind a request that has no answer yet ends the connection, and nothing else", async (x) => {
    const { port, url, upstream } = await startBoth((last) => x.after(last), ANYBODY);
    upstream.answer = (_request, response) => void setTimeout(() => response.end(), 300);
    const first = "GET /api/v1/x HTTP/1.1\r\nHost: front\r\n\r\n";
    assert.equal(await raw(port, first + handshake(STREAM)), "");
    assert.equal((await fetch(`${url}/api/v1/x`)).status, 200);
  });

  test("that is refused leaves no connection open, even if the caller does not end its side", async (x) => {
    const { port, t } = await startBoth((last) => x.after(last), ANYBODY);
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    x.after(() => socket.destroy());
    let answer = "";
    socket.setEncoding("latin1").on("data", (part: string) => {
      answer += part;
    });
    socket.write(handshake("/api/v1/../x"));
    await once(socket, "end");
    assert.deepEqual(statuses(answer), [400]);
    const count = () =>
      new Promise<number>((resolve) => t.app.server.getConnections((_error, open) => resolve(open)));
    assert.ok(await eventually(3, async () => (await count()) === 0));
  });
});
