/** What passes through the gateway stays as it is, flows as fast as it is taken, and ends when either side does. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, request as send } from "node:http";
import { connect } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { bearer } from "../../support/app.ts";
import { ask, readText as text } from "../../support/asking.ts";
import { eventually } from "../../support/eventually.ts";
import { raw, startBoth, statuses } from "../../support/upstream.ts";

async function scene(t: TestContext) {
  const both = await startBoth((last) => t.after(last));
  const { access_token } = await both.t.login("bob");
  return { ...both, headers: bearer(access_token) };
}

/** Resolves with the exchange of the next request, unanswered. */
function next(upstream: { answer: (request: IncomingMessage, response: ServerResponse) => void }) {
  return new Promise<{ request: IncomingMessage; response: ServerResponse }>((resolve) => {
    upstream.answer = (request, response) => resolve({ request, response });
  });
}

describe("answers pass as they are", () => {
  test("compressed, with their ETag, length and reason", async (x) => {
    const { url, upstream, headers } = await scene(x);
    const body = gzipSync("x".repeat(10_000));
    upstream.answer = (_request, response) => {
      response.writeHead(203, "Quite So", {
        "Content-Encoding": "gzip",
        ETag: '"e"',
        "Content-Length": body.length,
        "X-Custom": "\u00e9",
      });
      response.end(body);
    };
    const response = await ask(`${url}/api/v1/x`, {
      headers: { ...headers, "accept-encoding": "gzip, br;q=0" },
    });
    assert.deepEqual([response.statusCode, response.statusMessage], [203, "Quite So"]);
    assert.equal(response.headers["content-encoding"], "gzip");
    assert.equal(response.headers["content-length"], String(body.length));
    assert.equal(response.headers.etag, '"e"');
    assert.equal(response.headers["x-custom"], "\u00e9");
    assert.deepEqual(Buffer.from(await text(response), "latin1"), body);
    assert.equal(upstream.one().headers["accept-encoding"], "gzip, br;q=0");
  });

  for (const status of [204, 206, 301, 304, 401, 404, 405, 412, 416, 422, 429, 500, 503]) {
    test(`with the status ${status}, asked for once`, async (x) => {
      const { url, upstream, headers } = await scene(x);
      upstream.answer = (_request, response) => {
        response.writeHead(status, { "Retry-After": "3", "WWW-Authenticate": 'Bearer scope="x"' }).end();
      };
      const response = await ask(`${url}/api/v1/x`, {
        headers: { ...headers, range: "bytes=0-9", "if-none-match": '"e"', "if-match": '"f"' },
      });
      assert.equal(response.statusCode, status);
      assert.equal(response.headers["retry-after"], "3");
      assert.equal(response.headers["www-authenticate"], 'Bearer scope="x"');
      const { headers: asked } = upstream.one();
      assert.deepEqual([asked.range, asked["if-none-match"], asked["if-match"]], ["bytes=0-9", '"e"', '"f"']);
    });
  }

  test("HEAD has the length of the GET answer and no body", async (x) => {
    const { url, upstream, headers } = await scene(x);
    upstream.answer = (_request, response) => void response.writeHead(200, { "Content-Length": 1234 }).end();
    const response = await ask(`${url}/api/v1/x`, { method: "HEAD", headers });
    assert.deepEqual([response.headers["content-length"], await text(response)], ["1234", ""]);
  });

  test("of HTTP/1.0 callers, too", async (x) => {
    const { port, upstream, headers } = await scene(x);
    upstream.answer = (_request, response) => {
      response.write("ab");
      response.end("cd");
    };
    const answer = await raw(
      port,
      `GET /api/v1/x HTTP/1.0\r\nHost: a\r\nAuthorization: ${headers["authorization"]}\r\n\r\n`,
    );
    assert.match(answer, /\r\n\r\nabcd$/);
  });

  test("redirects to the upstream itself lead to us, all others are unchanged", async (x) => {
    const { url, upstream, headers } = await scene(x);
    const { host } = new URL(upstream.url);
    for (const [location, expected] of [
      [`http://${host}/ui/?a#b`, `${url}/ui/?a#b`],
      [`HTTPS://${host}`, url],
      [`//${host}/ui`, `${url}/ui`],
      [`http://${host}1/ui`, `http://${host}1/ui`],
      [`http://${host}@evil/`, `http://${host}@evil/`],
      ["/ui/", "/ui/"],
      ["../x", "../x"],
      ["https://elsewhere/", "https://elsewhere/"],
    ] as const) {
      upstream.answer = (_request, response) => void response.writeHead(307, { Location: location }).end();
      const response = await ask(`${url}/api/v1/x`, { headers });
      assert.equal(response.headers.location, expected);
    }
  });
});

describe("streams", () => {
  test("a body arrives while it is still being sent, and an answer while it is still being made", async (x) => {
    const { url, upstream, headers } = await scene(x);
    const arrived = next(upstream);
    const sending = send(`${url}/api/v1/x`, { method: "PUT", headers });
    sending.write("first ");
    const { request, response } = await arrived;
    assert.equal(request.headers["transfer-encoding"], "chunked");
    assert.equal(String((await once(request, "data"))[0]), "first ");
    sending.end("second");
    assert.equal(String((await once(request, "data"))[0]), "second");
    response.write("third ");
    const [answer] = (await once(sending, "response")) as [IncomingMessage];
    assert.equal(String((await once(answer, "data"))[0]), "third ");
    response.end("fourth");
    assert.equal(String((await once(answer, "data"))[0]), "fourth");
  });

  test("a body that is larger than any limit of ours passes, with its length", async (x) => {
    const { url, upstream, headers } = await scene(x);
    const size = 30_000_000;
    let received = 0;
    upstream.answer = (request, response) => {
      request.on("data", (chunk: Buffer) => {
        received += chunk.length;
      });
      request.on("end", () => response.end());
    };
    const response = await ask(
      `${url}/api/v1/x`,
      { method: "PUT", headers: { ...headers, "content-type": "application/json", "content-length": size } },
      Buffer.alloc(size, "{"),
    );
    assert.deepEqual([response.statusCode, received], [200, size]);
    assert.equal(upstream.one().headers["content-length"], String(size));
  });

  test("nothing is kept for a caller that does not read", async (x) => {
    const { url, upstream, headers } = await scene(x);
    let sent = 0;
    let stalled = false;
    upstream.answer = (_request, response) => {
      const more = () => {
        while (!response.destroyed) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536))) break;
        }
        stalled = true;
      };
      response.on("drain", more);
      more();
    };
    const response = await ask(`${url}/api/v1/x`, { headers });
    response.pause();
    let before = -1;
    await eventually(10, async () => {
      const same = stalled && sent === before;
      before = sent;
      await delay(100);
      return same;
    });
    // Sockets have buffers; ours adds none to speak of.
    assert.ok(sent < 20_000_000, `${sent} bytes`);
    response.destroy();
  });

  test("a server that is slow in reading slows the caller down", async (x) => {
    const { url, upstream, headers } = await scene(x);
    const arrived = next(upstream);
    const sending = send(`${url}/api/v1/x`, { method: "PUT", headers });
    sending.on("error", () => undefined);
    let sent = 0;
    const more = () => {
      while (sent < 200_000_000) {
        sent += 65_536;
        if (!sending.write(Buffer.alloc(65_536))) break;
      }
    };
    sending.on("drain", more);
    more();
    const { request } = await arrived;
    request.pause();
    let before = -1;
    await eventually(10, async () => {
      const same = sent === before;
      before = sent;
      await delay(200);
      return same;
    });
    assert.ok(sent < 20_000_000, `${sent} bytes`);
    sending.destroy();
  });

  test("an answer before the end of the upload reaches the caller, which stops sending", async (x) => {
    const { port, upstream, headers } = await scene(x);
    upstream.answer = (_request, response) => {
      response.writeHead(413, { "Content-Type": "text/plain" }).end("too much");
    };
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    let answer = "";
    socket.setEncoding("latin1").on("data", (part: string) => {
      answer += part;
    });
    socket.write(
      `PUT /api/v1/x HTTP/1.1\r\nHost: a\r\nAuthorization: ${headers["authorization"]}\r\nContent-Length: 100000000\r\n\r\n`,
    );
    const more = setInterval(() => socket.write(Buffer.alloc(65_536)), 5);
    socket.once("close", () => clearInterval(more));
    assert.ok(await eventually(5, async () => answer.includes("too much")), answer);
    assert.deepEqual(statuses(answer), [413]);
    assert.match(answer, /connection: close/i);
    socket.destroy();
    clearInterval(more);
  });
});

describe("the end of one side is the end of the other", () => {
  test("a caller that leaves before the answer, or in its midst, ends the request behind", async (x) => {
    const { url, upstream, headers } = await scene(x);
    for (const begun of [false, true]) {
      const arrived = next(upstream);
      const sending = send(`${url}/api/v1/x`, { headers });
      sending.on("error", () => undefined).end();
      const { response } = await arrived;
      if (begun) {
        response.write("x");
        await once(sending, "response");
      }
      const closed = once(response, "close");
      sending.destroy();
      await closed;
      assert.equal(response.writableFinished, false);
    }
  });

  test("an upload that breaks off is not taken for a whole one", async (x) => {
    const { url, upstream, headers } = await scene(x);
    for (const length of [{ "content-length": 10 }, {}]) {
      const arrived = next(upstream);
      const sending = send(`${url}/api/v1/x`, { method: "PUT", headers: { ...headers, ...length } });
      sending.on("error", () => undefined);
      sending.write("12345");
      const { request } = await arrived;
      let whole = false;
      request.on("end", () => {
        whole = true;
      });
      const closed = new Promise((resolve) => request.on("error", () => undefined).on("close", resolve));
      await once(request, "data");
      request.resume();
      sending.destroy();
      await closed;
      assert.equal(whole, false);
    }
  });

  test("an answer that breaks off is not taken for a whole one", async (x) => {
    const { t, url, upstream, headers } = await scene(x);
    for (const length of [{ "content-length": 10 }, {}]) {
      upstream.answer = (_request, response) => {
        response.writeHead(200, length as Record<string, string | number>);
        response.write("12345", () => response.destroy());
      };
      const response = await ask(`${url}/api/v1/x`, { headers });
      await assert.rejects(text(response), { code: "ECONNRESET" });
    }
    assert.match(t.logLines.join(""), /broke off/);
  });
});
