/** Content of a server behind runs in a sandbox, unless its path is one of a trusted page in every way to read it. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { UpstreamConfig } from "../../../src/config/model.ts";
import { bearer } from "../../support/app.ts";
import { raw, startFront, startUpstream } from "../../support/upstream.ts";

async function scene(t: TestContext, upstream: Partial<UpstreamConfig> = {}) {
  const cleanup = (last: () => Promise<unknown>) => t.after(last);
  const behind = await startUpstream(cleanup);
  behind.answer = (_request, response) => void response.setHeader("content-type", "text/html").end("<p>");
  const front = await startFront(cleanup, { upstreams: [{ url: behind.url, ...upstream }] });
  const { access_token } = await front.t.login("alice");
  const headers = bearer(access_token);
  /** The path as it is written, which `fetch` would change. */
  const sandboxed = async (path: string, more = "") => {
    const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${access_token}\r\n${more}`;
    const answer = await raw(front.port, `${head}Connection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 200 /, path);
    return /^content-security-policy: sandbox allow-scripts\r$/im.test(answer);
  };
  return { ...front, behind, headers, sandboxed };
}

const OF_TILED = ["/ui", "/ui/", "/ui/browse/my%20node", "/ui//x", "/static/a.html", "/favicon.ico"];
const CONTENT = [
  "/api/v1/asset/bytes/evil?id=1",
  "/api/v1/array/full/A?format=text/html",
  "/custom/x.html",
  "/uix",
  "/ui.html",
  "/UI/x",
  "//ui/x",
  "/%75i/x",
  "/static",
  "/staticx/a.html",
  "/api/v1/asset/bytes/evil;/ui/x",
];

test("of a Tiled its own pages are trusted, and nothing else", async (x) => {
  const { sandboxed } = await scene(x);
  for (const path of OF_TILED) assert.equal(await sandboxed(path), false, path);
  for (const path of CONTENT.filter((path) => path !== "/static"))
    assert.equal(await sandboxed(path), true, path);
});

test("below a prefix these are the ones below it", async (x) => {
  const { sandboxed } = await scene(x, { prefix: "/beamline" });
  for (const path of OF_TILED) assert.equal(await sandboxed(`/beamline${path}`), false, path);
  assert.equal(await sandboxed("/beamline/docs"), false);
  for (const path of CONTENT.filter((path) => path !== "/static"))
    assert.equal(await sandboxed(`/beamline${path}`), true, path);
});

test("of another service nothing is, unless the operator says so", async (x) => {
  const none = await scene(x, { kind: "http" });
  for (const path of [...OF_TILED, ...CONTENT]) assert.equal(await none.sandboxed(path), true, path);
  const some = await scene(x, { kind: "http", trustedPages: ["/app"] });
  assert.equal(await some.sandboxed("/app/index.html"), false);
  assert.equal(await some.sandboxed("/ui/"), true);
  const all = await scene(x, { kind: "http", trustedPages: [""] });
  assert.equal(await all.sandboxed("/any/thing"), false);
  const not = await scene(x, { kind: "tiled", trustedPages: [] });
  assert.equal(await not.sandboxed("/ui/"), true);
});

test("no service worker of the server behind gets our origin", async (x) => {
  const { url, behind, headers, sandboxed } = await scene(x);
  behind.asked.length = 0;
  for (const field of [{ "service-worker": "script" }, { "sec-fetch-dest": "serviceworker" }]) {
    const response = await fetch(`${url}/api/v1/asset/bytes/w.js`, { headers: { ...headers, ...field } });
    assert.equal(response.status, 403);
  }
  assert.equal(behind.asked.length, 0);
  assert.equal(await sandboxed("/ui/w.js", "Service-Worker: script\r\n"), false);
});

test("the answer to a handshake that is refused is in the sandbox, too", async (x) => {
  const { port, behind, headers } = await scene(x);
  behind.server.on("upgrade", (_request, socket) => {
    socket.end("HTTP/1.1 403 No\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>");
  });
  const answer = await raw(
    port,
    `GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: ${headers["authorization"]}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  assert.match(answer, /^content-security-policy: sandbox allow-scripts\r$/im);
});
