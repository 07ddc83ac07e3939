/** Request smuggling, and requests that fake their sender or their target (RFC 9112, section 11.2). */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { bearer } from "../../support/app.ts";
import { raw, startBoth, statuses } from "../../support/upstream.ts";

async function scene(t: TestContext) {
  const both = await startBoth((last) => t.after(last));
  const { access_token } = await both.t.login("bob");
  both.upstream.echo();
  return { ...both, token: access_token };
}

const HEAD = "Host: front\r\n";
const SECOND = "GET /smuggled HTTP/1.1\r\nHost: front\r\n\r\n";

describe("forged fields", () => {
  const forged = {
    "X-Tiled-Principal": "evil",
    "x-tiled-scopes": "evil",
    X_Tiled_Identity: "evil",
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Host": "evil.example.org",
    "X-Forwarded-Proto": "evil",
    X_Forwarded_Host: "evil",
    Forwarded: "host=evil;for=6.6.6.6",
    "X-Real-IP": "6.6.6.6",
    "X-Original-URL": "/api/v1/auth/evil",
    "X-Rewrite-URL": "/evil",
    Proxy: "http://evil",
  };

  test("never reach the server behind; ours stand in their place", async (x) => {
    const { url, port, token, upstream } = await scene(x);
    await fetch(`${url}/api/v1/x`, { headers: { ...bearer(token), ...forged } });
    const { fields, headers } = upstream.one();
    assert.doesNotMatch(JSON.stringify(fields), /evil|6\.6\.6\.6/);
    assert.equal(headers["x-forwarded-host"], `127.0.0.1:${port}`);
    assert.equal(headers["x-forwarded-proto"], "http");
    assert.equal(headers["x-forwarded-for"], "127.0.0.1");
    const names = fields.map(([name]) => name);
    for (const name of ["authorization", "host", "x-tiled-principal", "x-forwarded-host"]) {
      assert.equal(names.filter((other) => other === name).length, 1, name);
    }
  });

  test("of a trusted proxy name the browser's host and address, the last word counting", async (x) => {
    const both = await startBoth((last) => x.after(last), {
      authentication: { allowAnonymousAccess: true },
      server: { trustedProxies: ["127.0.0.1"] },
    });
    await fetch(`${both.url}/api/v1/x`, {
      headers: {
        "x-forwarded-host": "evil.example.org, tiled.example.org",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "6.6.6.6, 7.7.7.7",
      },
    });
    const { headers } = both.upstream.one();
    assert.equal(headers["x-forwarded-host"], "tiled.example.org");
    assert.equal(headers["x-forwarded-proto"], "https");
    assert.equal(headers["x-forwarded-for"], "7.7.7.7");
  });
});

describe("an answer for one caller only", () => {
  test("stays here: tokens in the query of a page that a login led to", async (x) => {
    const { url, token, upstream } = await scene(x);
    const query = "?access_token=A&refresh_token=R&refresh%5Ftoken=R&state=1";
    await fetch(`${url}/ui${query}`);
    assert.equal(upstream.one().url, "/ui?state=1");
    await fetch(`${url}/api/v1/x${query}`, { headers: bearer(token) });
    assert.equal(upstream.one().url, "/api/v1/x?state=1");
  });

  test("is not for shared caches, whatever the credential; public answers are", async (x) => {
    const { url, token } = await scene(x);
    const control = async (path: string, headers = {}) =>
      (await fetch(url + path, { headers })).headers.get("cache-control");
    assert.equal(await control("/api/v1/x", bearer(token)), "private");
    assert.equal(await control("/ui"), null);
  });
});

describe("Connection", () => {
  for (const named of [
    "authorization, x-tiled-principal, x-forwarded-host, x-forwarded-proto",
    "close, Authorization",
    "keep-alive, x-tiled-scopes, host",
    "content-length, content-type",
    "transfer-encoding",
  ]) {
    test(`naming ${named} takes nothing of ours away`, async (x) => {
      const { port, token, upstream } = await scene(x);
      const request = `POST /api/v1/x HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\nContent-Length: 3\r\nConnection: ${named}\r\n\r\nabc`;
      const answer = await raw(port, request, /abc/);
      assert.deepEqual(statuses(answer), [200]);
      assert.match(answer, /abc/);
      const { headers } = upstream.one();
      assert.match(headers.authorization ?? "", /^Bearer /);
      assert.equal(headers["x-forwarded-host"], "front");
      assert.equal(headers["x-tiled-identity"], "toy:bob");
      assert.match(headers.host ?? "", /^127\.0\.0\.1:/);
    });
  }

  test("removes the caller's own fields that it names", async (x) => {
    const { port, token, upstream } = await scene(x);
    const request = `GET /api/v1/x HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\nX-Hop: 1\r\nX-End: 2\r\nConnection: x-hop\r\n\r\n`;
    await raw(port, request, /\r\n\r\n/);
    const { headers } = upstream.one();
    assert.deepEqual([headers["x-hop"], headers["x-end"]], [undefined, "2"]);
  });
});

describe("two requests in one", () => {
  const chunk = "3\r\nabc\r\n0\r\n\r\n";
  for (const [name, fields, body] of [
    ["Content-Length and Transfer-Encoding", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunk],
    ["Transfer-Encoding and Content-Length", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", chunk],
    ["two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"],
    ["the same length twice", "Content-Length: 3\r\nContent-Length: 3\r\n", "abc"],
    ["a list of lengths", "Content-Length: 3, 3\r\n", "abc"],
    ["a length with a sign", "Content-Length: +3\r\n", "abc"],
    ["a negative length", "Content-Length: -3\r\n", "abc"],
    ["a length in hex", "Content-Length: 0x3\r\n", "abc"],
    ["another coding", "Transfer-Encoding: xchunked\r\n", chunk],
    ["a coding that is not the last", "Transfer-Encoding: chunked, identity\r\n", chunk],
    ["chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunk],
    ["a space before the colon", "Transfer-Encoding : chunked\r\n", chunk],
    ["a folded field", "Transfer-Encoding:\r\n chunked\r\n", chunk],
    ["a vertical tab", "Transfer-Encoding: \x0bchunked\r\n", chunk],
    ["a chunk without a length", "Transfer-Encoding: chunked\r\n", "xyz\r\n0\r\n\r\n"],
    ["a chunk with a bare CR", "Transfer-Encoding: chunked\r\n", "3\rabc\r\n0\r\n\r\n"],
    ["a chunk that is longer than it says", "Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n"],
    ["a NUL in a field", "X-A: a\0b\r\n", ""],
    ["a bare CR in a field", "X-A: a\rX-Forwarded-Host: evil\r\n", ""],
    ["two hosts", "Host: other\r\n", ""],
    ["two credentials", "Authorization: Bearer x\r\n", ""],
  ] as const) {
    test(`${name}: refused or passed on as one`, async (x) => {
      const { port, token, upstream } = await scene(x);
      const start = `POST /api/v1/x HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\n${fields}\r\n${body}`;
      const answer = await raw(port, start + SECOND, /HTTP.*HTTP/s);
      const [status, ...more] = statuses(answer);
      for (const { url } of upstream.asked) assert.notEqual(url, "/smuggled");
      if (status === 200) {
        // Read as one request: the second stands for itself, and has no credential.
        assert.deepEqual(more, [401]);
        assert.equal(upstream.one().headers["content-length"] ?? "3", "3");
      } else {
        assert.equal(status, 400, answer);
        assert.ok(upstream.asked.length <= 1);
        // If the connection goes on, then with a request of its own, which has no credential.
        for (const next of more) assert.equal(next, 401);
      }
    });
  }

  test("a body of GET is its own, not the start of another request", async (x) => {
    const { port, token, upstream } = await scene(x);
    const inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    const request = `GET /api/v1/x HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
    const answer = await raw(port, request, /smuggled/);
    assert.deepEqual(statuses(answer).slice(0, 1), [200]);
    assert.deepEqual(
      upstream.asked.map(({ url }) => url),
      ["/api/v1/x"],
    );
  });

  test("requests behind one another are answered in their order, each by its own credential", async (x) => {
    const { port, token, upstream } = await scene(x);
    const one = (path: string, more: string) => `GET ${path} HTTP/1.1\r\n${HEAD}${more}\r\n`;
    const credential = `Authorization: Bearer ${token}\r\n`;
    const text =
      one("/api/v1/a", credential) +
      one("/api/v1/b", "") +
      one("/api/v1/c", `${credential}Connection: close\r\n`);
    assert.deepEqual(statuses(await raw(port, text)), [200, 401, 200]);
    assert.deepEqual(
      upstream.asked.map(({ url }) => url),
      ["/api/v1/a", "/api/v1/c"],
    );
  });

  test("a line break in a path or a query stays encoded", async (x) => {
    const { url, token, upstream } = await scene(x);
    const path = "/api/v1/metadata/a%0d%0aX-Evil:%201?b=%0d%0aX-Evil:%201";
    await fetch(url + path, { headers: bearer(token) });
    const asked = upstream.one();
    assert.deepEqual([asked.url, asked.headers["x-evil"]], [path, undefined]);
  });
});

describe("paths", () => {
  for (const path of [
    "/api/v1/../auth/whoami",
    "/api/v1/%2e%2e/auth/whoami",
    "/api/v1%2Fauth%2Fwhoami",
    "//api/v1/auth/whoami",
    "/api/v1//auth/whoami",
    "/API/v1/auth/whoami",
    "/api/v1\\auth\\whoami",
    "/api/v1/metadata/%00",
    "/api/v1/metadata/a#/../../auth",
    "http://elsewhere/api/v1/auth/whoami",
  ]) {
    test(`${path} goes nowhere`, async (x) => {
      const { port, token, upstream } = await scene(x);
      const request = `GET ${path} HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
      assert.deepEqual(statuses(await raw(port, request)), [400]);
      assert.equal(upstream.asked.length, 0);
    });
  }

  test("pass byte for byte where they can be read in one way only", async (x) => {
    const { port, token, upstream } = await scene(x);
    for (const path of [
      "/api/v1/metadata//box/gone",
      "/api/v1/metadata/a%2Fb/%C3%A4/%20/",
      "/api/v1/search/?filter%5Beq%5D=%22..%22&x=/../y&fields=",
      "/a.b/...c/~x;y=1/!$&'()*+,:@=",
      "/zarr/v3/x/.zarray",
    ]) {
      const request = `GET ${path} HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
      assert.deepEqual(statuses(await raw(port, request)), [200], path);
      assert.equal(upstream.one().url, path);
    }
  });

  test("of an absolute URL of this host reach the server behind without it", async (x) => {
    const { port, token, upstream } = await scene(x);
    const request = `GET http://front/api/v1/a?b HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    assert.deepEqual(statuses(await raw(port, request)), [200]);
    assert.equal(upstream.one().url, "/api/v1/a?b");
  });
});

describe("methods and protocols", () => {
  test("TRACE would echo our token, CONNECT is a tunnel: neither passes", async (x) => {
    const { port, token, upstream } = await scene(x);
    const rest = `HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    assert.deepEqual(statuses(await raw(port, `TRACE /api/v1/x ${rest}`)), [405]);
    assert.deepEqual(statuses(await raw(port, `CONNECT behind:80 ${rest}`)), []);
    assert.equal(upstream.asked.length, 0);
  });

  for (const method of ["PROPFIND", "MKCOL", "QUERY", "PATCH", "DELETE", "PUT", "OPTIONS", "HEAD"]) {
    test(`${method} passes`, async (x) => {
      const { port, token, upstream } = await scene(x);
      const request = `${method} /api/v1/x HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
      assert.deepEqual(statuses(await raw(port, request)), [200]);
      assert.equal(upstream.one().method, method);
    });
  }

  test("another protocol that is offered is not taken up, and not passed on", async (x) => {
    const { port, token, upstream } = await scene(x);
    for (const protocol of ["h2c", "TLS/1.0", "websocketx"]) {
      const request = `POST /api/v1/x HTTP/1.1\r\n${HEAD}Authorization: Bearer ${token}\r\nContent-Length: 3\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nabc`;
      const answer = await raw(port, request, /abc/);
      assert.deepEqual(statuses(answer), [200]);
      assert.match(answer, /abc/);
      const { headers } = upstream.one();
      assert.deepEqual([headers.upgrade, headers["http2-settings"]], [undefined, undefined]);
    }
  });
});
