/** How large a request's header may be: cookies of other applications on the same domain come along with everything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { HANDSHAKE, STREAM, socketScene } from "../support/sockets.ts";
import { raw, startBoth, startFront, statuses } from "../support/upstream.ts";

/** Forty of them, 17 kB together. */
const COOKIES = Array.from({ length: 40 }, (_, index) => `app${index}=${"x".repeat(420)}`).join("; ");

test("17 kB of other applications' cookies pass here, through the gateway and in a WebSocket's handshake", async (t) => {
  const scene = await socketScene(t, { authentication: { allowAnonymousAccess: true } });
  const get = (path: string) =>
    raw(scene.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nCookie: ${COOKIES}\r\nConnection: close\r\n\r\n`);
  assert.deepEqual(statuses(await get("/healthz")), [200]);
  assert.deepEqual(statuses(await get("/api/v1/metadata/A")), [200]);
  assert.equal(scene.upstream.one().headers.cookie, COOKIES);
  const switched = await raw(
    scene.port,
    `GET ${STREAM} HTTP/1.1\r\nHost: a\r\nCookie: ${COOKIES}\r\n${HANDSHAKE}\r\n`,
    / 101 /,
  );
  assert.deepEqual(statuses(switched), [101]);
  assert.ok(await eventually(5, async () => scene.asked.length > 0));
  assert.equal(scene.asked[0]?.headers.cookie, COOKIES);
});

test("beyond server.header_limit the answer is 431, on plain requests and handshakes", async (t) => {
  const { port } = await startBoth((last) => t.after(last), { server: { headerLimit: 8_192 } });
  const large = `X-Long: ${"x".repeat(9_000)}\r\n`;
  for (const rest of ["Connection: close\r\n", HANDSHAKE]) {
    const answer = await raw(port, `GET /healthz HTTP/1.1\r\nHost: a\r\n${large}${rest}\r\n`);
    assert.deepEqual(statuses(answer), [431]);
    assert.match(answer, /"detail":"The request header fields are too large\."/);
  }
});

test("a refused handshake's answer may have a header of the size that other answers may have", async (t) => {
  const { port, upstream } = await startBoth((last) => t.after(last), {
    authentication: { allowAnonymousAccess: true },
  });
  const long = "y".repeat(30_000);
  upstream.server.on("upgrade", (_request, socket) => {
    socket.end(`HTTP/1.1 404 Not Found\r\nX-Long: ${long}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  });
  const answer = await raw(port, `GET ${STREAM} HTTP/1.1\r\nHost: a\r\n${HANDSHAKE}\r\n`);
  assert.deepEqual(statuses(answer), [404]);
  assert.ok(answer.includes(long));
});

test("a balancer's probe of HTTP/1.0 without a Host is answered, and nothing else without one", async (t) => {
  const { port } = await startFront((last) => t.after(last), {});
  for (const path of ["/healthz", "/healthz/ready"]) {
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      assert.deepEqual(
        statuses(await raw(port, `${method} ${path} HTTP/1.0\r\n\r\n`)),
        [200],
        `${method} ${path}`,
      );
      const newer = `${method} ${path} HTTP/1.1\r\nConnection: close\r\n\r\n`;
      assert.deepEqual(statuses(await raw(port, newer)), [400]);
    }
    const badHost = await raw(port, `GET ${path} HTTP/1.0\r\nHost: a b\r\n\r\n`);
    assert.deepEqual(statuses(badHost), [400]);
  }
  for (const path of ["/", "/api/v1/", "/nowhere", "/login"])
    assert.deepEqual(statuses(await raw(port, `GET ${path} HTTP/1.0\r\n\r\n`)), [400], path);
});
