/** Large answers through the gateway: the bytes must be the same however they are split and whichever side is slow. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request as send } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { bearer } from "../../support/app.ts";
import { eventually } from "../../support/eventually.ts";
import { startFront } from "../../support/upstream.ts";

const BODY = randomBytes(5_000_000);
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** What a server writes for `/name`, and whether it ends the connection there. */
type Plays = Readonly<Record<string, (socket: Socket) => unknown>>;

const head = (length = BODY.length, more = "") =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n${more}\r\n`;

async function scene(t: TestContext, plays: Plays) {
  const connections: Socket[] = [];
  const server: Server = createServer((socket) => {
    connections.push(socket);
    socket.on("error", () => undefined).setEncoding("latin1");
    socket.on("data", (part: string) => {
      for (const [, name = ""] of part.matchAll(/^GET \/api\/v1\/(\w+) /gm)) plays[name]?.(socket);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const front = await startFront((last) => t.after(last), {
    upstreams: [{ url, timeout: 1, kind: "tiled" }],
  });
  const { access_token } = await front.t.login("bob");
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const open = async (name: string, method = "GET"): Promise<IncomingMessage> => {
    const asked = send(`${front.url}/api/v1/${name}`, { agent, method, headers: bearer(access_token) }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    return response;
  };
  const bytes = async (name: string): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of await open(name)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };
  return { ...front, connections, open, bytes };
}

const inPieces = async (socket: Socket, size: number, pause: number) => {
  socket.write(head());
  for (let start = 0; start < BODY.length; start += size) {
    await delay(pause);
    socket.write(BODY.subarray(start, start + size));
  }
};

const PLAYS: Plays = {
  together: (socket) => socket.write(Buffer.concat([Buffer.from(head()), BODY])),
  apart: (socket) => socket.write(head(), () => setTimeout(() => socket.write(BODY), 50)),
  pieces: (socket) => inPieces(socket, 500_000, 20),
  crumbs: async (socket) => {
    socket.write(head());
    for (let index = 0; index < 20; index++) {
      socket.write(BODY.subarray(index, index + 1));
      await delay(2);
    }
    socket.write(BODY.subarray(20));
  },
  /** The head itself comes in two. */
  torn: (socket) => {
    socket.write(head().slice(0, 20));
    setTimeout(() => socket.write(Buffer.concat([Buffer.from(head().slice(20)), BODY])), 30);
  },
  /** More than it said: the beginning of another answer. */
  more: (socket) =>
    socket.write(Buffer.concat([Buffer.from(head()), BODY, Buffer.from(head(3)), Buffer.from("abc")])),
  chunked: (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write(`${BODY.length.toString(16)}\r\n`);
    socket.write(BODY);
    socket.write("\r\n0\r\n\r\n");
  },
  small: (socket) => socket.write(`${head(3)}abc`),
  short: (socket) => {
    socket.write(head());
    socket.end(BODY.subarray(0, 3_000_000));
  },
  silent: (socket) => {
    socket.write(head());
    socket.write(BODY.subarray(0, 3_000_000));
  },
  unchanged: (socket) => socket.write(`HTTP/1.1 304 Not Modified\r\nContent-Length: ${BODY.length}\r\n\r\n`),
};

for (const name of ["together", "apart", "pieces", "crumbs", "torn", "more", "chunked"]) {
  test(`a large answer that comes ${name} is the same bytes, and the caller's connection goes on`, async (x) => {
    const { bytes } = await scene(x, PLAYS);
    for (let round = 0; round < 3; round++) {
      assert.equal(digest(await bytes(name)), digest(BODY));
      assert.equal(String(await bytes("small")), "abc");
    }
  });
}

test("many at once do not mix", async (x) => {
  const bodies = Array.from({ length: 12 }, (_, index) => randomBytes(2_000_000 + index * 100_001));
  const plays = Object.fromEntries(
    bodies.map((body, index) => [
      `body${index}`,
      async (socket: Socket) => {
        socket.write(head(body.length));
        for (let start = 0; start < body.length; start += 100_000) {
          socket.write(body.subarray(start, start + 100_000));
          await delay(1);
        }
      },
    ]),
  );
  const { bytes } = await scene(x, plays);
  const received = await Promise.all(bodies.map((_, index) => bytes(`body${index}`)));
  assert.deepEqual(received.map(digest), bodies.map(digest));
});

test("a slow caller gets all of it, and slows the server down", async (x) => {
  const large = randomBytes(40_000_000);
  let written = 0;
  const { open } = await scene(x, {
    large: (socket) => {
      socket.write(head(large.length));
      const more = () => {
        while (written < large.length) {
          const piece = large.subarray(written, written + 65_536);
          written += piece.length;
          if (!socket.write(piece)) return;
        }
      };
      socket.on("drain", more);
      more();
    },
  });
  const response = await open("large");
  response.pause();
  let before = -1;
  await eventually(10, async () => {
    const same = written === before;
    before = written;
    await delay(200);
    return same;
  });
  assert.ok(written < 25_000_000, `${written} bytes`);
  // Longer than the server may be silent: it is not silent, it was asked to wait.
  await delay(2_500);
  const hash = createHash("sha256");
  for await (const chunk of response) hash.update(chunk as Buffer);
  assert.equal(hash.digest("hex"), digest(large));
});

test("one that ends early, or falls silent, does not look like a whole one", async (x) => {
  const { t, open } = await scene(x, PLAYS);
  for (const name of ["short", "silent"]) {
    const response = await open(name);
    let received = 0;
    await assert.rejects(
      async () => {
        for await (const chunk of response) received += (chunk as Buffer).length;
      },
      { code: "ECONNRESET" },
    );
    assert.equal(received, 3_000_000);
  }
  assert.equal(t.logLines.join("").match(/broke off/g)?.length, 2);
});

test("a caller that leaves in its midst ends the connection behind; the next request gets another", async (x) => {
  const { open, bytes, connections } = await scene(x, PLAYS);
  const response = await open("silent");
  await once(response, "data");
  const [behind] = connections;
  assert.ok(behind);
  response.destroy();
  await new Promise((resolve) => behind.on("close", resolve));
  assert.equal(digest(await bytes("apart")), digest(BODY));
});

test("no answer without a body is taken for a large one", async (x) => {
  const { open, bytes } = await scene(x, PLAYS);
  const response = await open("unchanged");
  response.resume();
  await once(response, "end");
  assert.equal(response.statusCode, 304);
  assert.equal(response.headers["content-length"], String(BODY.length));
  assert.equal(String(await bytes("small")), "abc");
});
