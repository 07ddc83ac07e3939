/**
 * A server behind that is down, slow, or speaks nonsense: what callers are told, and that the rest goes on. In a process of
 * its own: a certificate is trusted in all of it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from "node:tls";
import type { UpstreamConfig } from "../../../src/config/model.ts";
import { bearer } from "../../support/app.ts";
import { ask, readText as text } from "../../support/asking.ts";
import { TLS_CERT, TLS_KEY } from "../../support/tls.ts";
import { raw, startBoth, startFront, statuses } from "../../support/upstream.ts";

async function scene(t: TestContext) {
  const both = await startBoth((last) => t.after(last));
  const { access_token } = await both.t.login("bob");
  return { ...both, headers: bearer(access_token) };
}

describe("a server behind that is not there", () => {
  const dead = async (x: TestContext, upstream: Partial<UpstreamConfig> = {}) => {
    const front = await startFront((last) => x.after(last), {
      upstreams: [{ url: "http://127.0.0.1:9", ...upstream }],
    });
    const { access_token } = await front.t.login("bob");
    return { ...front, headers: bearer(access_token) };
  };
  const listen = async (x: TestContext, greet: (socket: Socket) => void, port = 0): Promise<NetServer> => {
    const server = createServer(greet).listen(port, "127.0.0.1");
    await once(server, "listening");
    x.after(() => server.close());
    return server;
  };
  const portOf = (server: NetServer) => (server.address() as { port: number }).port;

  test("is 502 with a text that says so, and nothing of where it is; logins go on", async (x) => {
    const { t, url, headers } = await dead(x);
    for (const method of ["GET", "PUT"]) {
      const response = await ask(
        `${url}/api/v1/x`,
        { method, headers },
        method === "PUT" ? "body" : undefined,
      );
      assert.equal(response.statusCode, 502);
      const { detail } = JSON.parse(await text(response));
      assert.match(detail, /data service .* cannot be reached.*logins are not affected/i);
      assert.doesNotMatch(detail, /127|:9/);
    }
    assert.match(t.logLines.join(""), /ECONNREFUSED/);
    assert.equal((await t.loginAttempt("alice", "secret1")).statusCode, 200);
    assert.equal((await fetch(`${url}/healthz/ready`)).status, 200);
    assert.equal((await fetch(`${url}/ui/`)).status, 502);
    assert.equal((await fetch(`${url}/api/v1/`)).status, 200);
  });

  test("is tried again at the next request", async (x) => {
    const free = await listen(x, (socket) => socket.destroy());
    const port = portOf(free);
    free.close();
    await once(free, "close");
    const { url, headers } = await dead(x, { url: `http://127.0.0.1:${port}` });
    assert.equal((await ask(`${url}/api/v1/x`, { headers })).statusCode, 502);
    await listen(x, (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), port);
    assert.equal((await ask(`${url}/api/v1/x`, { headers })).statusCode, 200);
  });

  test("is 504 where it does not answer in time, and the request behind is given up", async (x) => {
    const closed: Promise<unknown>[] = [];
    const server = await listen(x, (socket) => {
      closed.push(once(socket.on("error", () => undefined).resume(), "close"));
    });
    const { url, headers } = await dead(x, { url: `http://127.0.0.1:${portOf(server)}`, timeout: 1 });
    const response = await ask(`${url}/api/v1/x`, { headers });
    assert.equal(response.statusCode, 504);
    assert.match(JSON.parse(await text(response)).detail, /did not answer in time/);
    await Promise.all(closed);
  });

  for (const [name, answer] of [
    ["no HTTP", "SSH-2.0-OpenSSH_9\r\n"],
    ["nothing", ""],
    ["a field that is none", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    [
      "a length and chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
  ] as const) {
    test(`is 502 where it answers ${name}`, async (x) => {
      const server = await listen(x, (socket) => {
        socket.on("error", () => undefined).once("data", () => socket.end(answer));
      });
      const { url, headers } = await dead(x, { url: `http://127.0.0.1:${portOf(server)}` });
      const response = await ask(`${url}/api/v1/x`, { method: "POST", headers }, "x");
      assert.equal(response.statusCode, 502);
      assert.doesNotMatch(await text(response), /SSH|HPE|UND_ERR/);
    });
  }

  test("a connection that the upstream closed while idle loses no answer, and nothing is done twice", async (x) => {
    const asked = { GET: 0, POST: 0 };
    const server = await listen(x, (socket) => {
      let answered = false;
      socket
        .on("error", () => undefined)
        .on("data", (part) => {
          const method = /^(GET|POST) /.exec(String(part))?.[1] as "GET" | "POST" | undefined;
          if (method === undefined) return;
          asked[method] += 1;
          // The second request on a connection finds it closed.
          if (answered) socket.destroy();
          else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
          answered = true;
        });
    });
    const { url, headers } = await dead(x, { url: `http://127.0.0.1:${portOf(server)}`, kind: "tiled" });
    const status = async (method: string) => {
      const response = await ask(`${url}/api/v1/x`, { method, headers }, method === "POST" ? "x" : undefined);
      response.resume();
      return response.statusCode;
    };
    assert.deepEqual([await status("GET"), await status("GET")], [200, 200]);
    assert.equal(asked.GET, 3);
    const answers = [await status("POST"), await status("POST"), await status("POST")];
    assert.ok(answers.includes(502), String(answers));
    assert.equal(asked.POST, 3);
  });

  for (const tls of [false, true]) {
    test(`a connection${tls ? " with TLS" : ""} whose answer was an error of the server's is not used again`, async (x) => {
      const seen: string[] = [];
      // As bluesky-httpserver: it cuts the connection behind an error, at the latest when the next request is on it.
      const serve = (socket: Socket) => {
        let failed = false;
        socket
          .on("error", () => undefined)
          .on("data", (part) => {
            const [, method = "", path = ""] = /^(GET|POST) (\S+)/.exec(String(part)) ?? [];
            if (method === "") return;
            seen.push(`${method} ${path}`);
            if (failed) socket.destroy();
            else if (path === "/api/broken") socket.write("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno");
            else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            failed = path === "/api/broken";
          });
      };
      if (tls) setDefaultCACertificates([...getCACertificates("default"), TLS_CERT]);
      const server = tls ? createTlsServer({ cert: TLS_CERT, key: TLS_KEY }, serve) : createServer(serve);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      x.after(() => server.close());
      const { url, headers } = await dead(x, {
        url: `http${tls ? "s" : ""}://127.0.0.1:${portOf(server)}`,
        kind: "http",
      });
      for (const [method, path, status] of [
        ["GET", "/api/fine", 200],
        ["GET", "/api/broken", 500],
        ["POST", "/api/change", 200],
        ["POST", "/api/broken", 500],
        ["POST", "/api/change", 200],
      ] as const) {
        const response = await ask(url + path, { method, headers }, method === "POST" ? "x" : undefined);
        await text(response);
        assert.equal(response.statusCode, status, `${method} ${path}`);
      }
      assert.equal(seen.length, 5);
    });
  }

  test("connections are kept and used again", async (x) => {
    const { url, upstream, headers } = await scene(x);
    // The first one asks what kind of server this is, too.
    await text(await ask(`${url}/api/v1/x`, { headers }));
    upstream.server.closeAllConnections();
    let connections = 0;
    upstream.server.on("connection", () => {
      connections += 1;
    });
    for (let round = 0; round < 5; round++) await text(await ask(`${url}/api/v1/x`, { headers }));
    assert.equal(connections, 1);
  });

  for (const [name, method, answer] of [
    ["204", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"],
    ["204 without an end", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 50\r\n\r\nhello"],
    ["204", "DELETE", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"],
    [
      "204 in chunks",
      "GET",
      "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
    ["304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello"],
    ["304 without a body", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
    ["200 with one", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
    ["200 in chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
  ] as const) {
    test(`a body where none may be leaves no caller waiting: ${name} to ${method}`, async (x) => {
      const server = await listen(x, (socket) => {
        socket
          .on("error", () => undefined)
          .on("data", (part) => {
            if (/ \/api\/odd /.test(String(part))) socket.write(answer);
            else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
          });
      });
      const { port, headers } = await dead(x, { url: `http://127.0.0.1:${portOf(server)}`, kind: "tiled" });
      const head = (verb: string, path: string) =>
        `${verb} ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${headers["authorization"]}\r\n`;
      const got = await raw(
        port,
        `${head(method, "/api/odd")}\r\n${head("GET", "/api/next")}Connection: close\r\n\r\n`,
      );
      const [status] = statuses(answer);
      assert.deepEqual(statuses(got), [status, 200], got);
      assert.doesNotMatch(got, /hello/);
      const [first = ""] = got.split("\r\n\r\n");
      if (status === 204) assert.doesNotMatch(first, /content-length|transfer-encoding/i);
    });
  }
});
