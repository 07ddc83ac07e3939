import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { testApp } from "../support/app.ts";
import { eventually } from "../support/eventually.ts";
import { raw, startFront, statuses } from "../support/upstream.ts";

const ORIGIN = "https://ui.example.org";

function preflight(origin: string) {
  return {
    method: "OPTIONS" as const,
    url: "/any/path",
    headers: {
      origin,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "authorization,x-csrf",
    },
  };
}

test("an origin that is allowed may send credentials, from any path on", async () => {
  await using t = await testApp({ allowOrigins: [ORIGIN] });
  const response = await t.call(preflight(ORIGIN));
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers["access-control-allow-origin"], ORIGIN);
  assert.equal(response.headers["access-control-allow-credentials"], "true");
  assert.match(String(response.headers["access-control-allow-methods"]), /PUT/);
  assert.equal(response.headers["access-control-allow-headers"], "authorization,x-csrf");
  const get = await t.call({ url: "/healthz", headers: { origin: ORIGIN } });
  assert.equal(get.headers["access-control-allow-origin"], ORIGIN);
  const exposed = String(get.headers["access-control-expose-headers"]).split(", ");
  for (const name of ["Retry-After", "WWW-Authenticate", "X-Tiled-Request-ID"])
    assert.ok(exposed.includes(name), name);
  assert.equal(response.headers["access-control-expose-headers"], undefined);
  const refused = await t.call({ url: "/nope", headers: { origin: ORIGIN } });
  assert.equal(refused.headers["access-control-allow-origin"], ORIGIN);
});

test("any other origin gets nothing", async () => {
  await using t = await testApp({ allowOrigins: [ORIGIN] });
  for (const origin of ["https://evil.test", "null", `${ORIGIN}.evil.test`, "http://ui.example.org"]) {
    const response = await t.call(preflight(origin));
    assert.deepEqual([response.statusCode, response.body], [400, "Disallowed CORS origin"], origin);
    assert.equal(response.headers["access-control-allow-origin"], undefined);
    const get = await t.call({ url: "/healthz", headers: { origin } });
    assert.deepEqual([get.statusCode, get.headers["access-control-allow-origin"]], [200, undefined]);
    assert.match(String(get.headers.vary), /Origin/);
  }
});

test("a star allows every origin", async () => {
  await using t = await testApp({ allowOrigins: ["*"] });
  assert.equal((await t.call(preflight("https://any.test"))).statusCode, 200);
});

/** Requests that no route sees, or that a hook before the routes refuses. */
const EARLY: Readonly<Record<string, readonly [status: number, lines: string, body?: string]>> = {
  "a path that cannot be decoded": [400, "GET /%ff HTTP/1.1\r\nHost: a"],
  "a path that is not there": [404, "GET /nowhere HTTP/1.1\r\nHost: a"],
  "a method that a path does not have": [405, "DELETE /healthz HTTP/1.1\r\nHost: a"],
  "a Host that is none": [400, "GET /healthz HTTP/1.1\r\nHost: a b"],
  "two Hosts": [400, "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b"],
  "an old client": [400, "GET /api/v1/ HTTP/1.1\r\nHost: a\r\nUser-Agent: python-tiled/0.0.1"],
  "a body that is too large": [
    413,
    "POST /api/v1/auth/session/refresh HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 999999",
  ],
  "a header that is too large": [431, `GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(40_000)}`],
  "a header that is none": [400, "GET /healthz HTTP/1.1\r\nHost: a\r\nno colon"],
};

for (const [what, [status, lines]] of Object.entries(EARLY)) {
  test(`a page that is allowed can read why it was refused: ${what}`, async (t) => {
    const { port } = await startFront((last) => t.after(last), { allowOrigins: [ORIGIN] });
    const [first, ...rest] = lines.split("\r\n");
    const ask = (origin: string) =>
      raw(port, [first, `Origin: ${origin}`, ...rest, "Connection: close", "", ""].join("\r\n"));
    const answer = await ask(ORIGIN);
    assert.deepEqual(statuses(answer), [status]);
    assert.match(answer, /\r\naccess-control-allow-origin: https:\/\/ui\.example\.org\r\n/i);
    assert.match(answer, /\r\naccess-control-allow-credentials: true\r\n/i);
    const other = await ask("https://evil.test");
    assert.deepEqual(statuses(other), [status]);
    assert.doesNotMatch(other, /access-control-allow/i);
  });
}

test("what comes while the server stops is 503 with Retry-After, in our form, and a page can read it", async (t) => {
  let go = (): void => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  let asked = false;
  const { t: front, port } = await startFront((last) => t.after(last), {
    allowOrigins: [ORIGIN],
    beforeReady: (app) => {
      app.get("/api/v1/held", { config: { access: "public" } }, async () => {
        asked = true;
        await held;
        return "held";
      });
    },
  });
  let requests = 0;
  front.app.server.on("request", () => {
    requests += 1;
  });
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nOrigin: ${ORIGIN}\r\n\r\n`;
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (part: string) => {
    answer += part;
  });
  socket.write(request("/api/v1/held"));
  assert.ok(await eventually(5, async () => asked));
  const closed = front.app.close();
  front.app.connections.drain();
  socket.write(request("/healthz"));
  assert.ok(await eventually(5, async () => requests === 2));
  go();
  await Promise.all([once(socket, "close"), closed]);
  assert.deepEqual(statuses(answer), [200, 503]);
  const second = answer.slice(answer.indexOf(" 503 "));
  assert.match(second, /retry-after: 1\r\n/i);
  assert.match(second, /access-control-allow-origin: https:/i);
  assert.match(second, /\{"detail":"The server is stopping\. Try again\."\}/);
});
