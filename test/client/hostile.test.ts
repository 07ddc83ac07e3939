/** Servers that are broken or hostile, on real sockets: nothing unbounded, no secret elsewhere, no control characters. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { Context, deviceCodeGrant, fromUri, passwordGrant } from "../../src/client/index.ts";

const ABOUT = {
  api_version: 0,
  authentication: {
    required: true,
    providers: [
      { provider: "toy", mode: "internal", links: { auth_endpoint: "http://evil.example/token" } },
      { provider: "out", mode: "external", links: { auth_endpoint: "http://evil.example/authorize" } },
    ],
    links: {},
  },
};

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The about document, and the listener for the rest. */
async function withAbout(t: TestContext, rest: RequestListener): Promise<Context> {
  const url = await serve(t, (request, response) => {
    if (request.url === "/api/v1/") response.end(JSON.stringify(ABOUT));
    else rest(request, response);
  });
  return (await Context.fromAnyUri(url, { retry: false, timeout: 500 })).context;
}

const ALICE = { username: "alice", password: "geheim" };

test("what is no about document", async (t) => {
  for (const body of ["<html>", "null", "[]", "{}", '{"authentication":{"providers":[null]}}', ""]) {
    const url = await serve(t, (_request, response) => response.end(body));
    await assert.rejects(fromUri(url, { retry: false }), { code: "ERR_UNAVAILABLE", status: 200 }, body);
  }
});

test("headers that do not come, and a body that does not end", async (t) => {
  const silent = await serve(t, () => {});
  await assert.rejects(fromUri(silent, { retry: false, timeout: 50 }), {
    code: "ERR_UNAVAILABLE",
    message: /did not answer in time/,
  });
  const slow = await serve(t, (_request, response) => response.write("{"));
  await assert.rejects(fromUri(slow, { retry: false, timeout: 200 }), {
    code: "ERR_UNAVAILABLE",
    message: /did not answer in time/,
  });
  const reason = new Error("no patience");
  const aborter = new AbortController();
  const endless = await serve(t, (_request, response) => {
    response.write("{");
    setImmediate(() => aborter.abort(reason));
  });
  await assert.rejects(fromUri(endless, { signal: aborter.signal }), (error) => error === reason);
});

test("a body without end is not read to its end", async (t) => {
  let sent = 0;
  const url = await serve(t, (_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(" ".repeat(1 << 20))) sent += 1;
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  await assert.rejects(fromUri(url, { retry: false }), (error: Error) => {
    assert.match(String(error.cause), /longer than/);
    return true;
  });
  assert.ok(sent < 200, `${sent} MiB`);
});

test("messages have no control characters, and no input that the server repeats", async (t) => {
  const details = [
    "\u001b[2Jhello\u202e\n",
    [{ type: "x", loc: ["body", "password"], msg: "bad", input: "geheim" }],
  ];
  const context = await withAbout(t, (_request, response) => {
    response.writeHead(422, { "content-type": "application/json", "x-tiled-request-id": "a b\u00e9" });
    response.end(JSON.stringify({ detail: details.shift() }));
  });
  const grant = () => passwordGrant(context, ALICE);
  await assert.rejects(grant, {
    code: "ERR_REFUSED",
    message: "\\u001b[2Jhello\\u202e\\u000a (422)",
    requestId: null,
  });
  await assert.rejects(grant, (error: Error) => {
    assert.match(error.message, /^body\.password: bad/);
    assert.ok(!JSON.stringify(error).includes("geheim"));
    return true;
  });
});

test("a password and a refresh token are not sent on by a redirect", async (t) => {
  const bodies: string[] = [];
  const other = await serve(t, (request, response) => {
    request.on("data", (part) => bodies.push(String(part))).on("end", () => response.end("{}"));
  });
  const context = await withAbout(t, (request, response) => {
    if (request.url?.endsWith("/whoami")) response.writeHead(401).end();
    else response.writeHead(307, { location: other }).end();
  });
  await assert.rejects(passwordGrant(context, ALICE), { code: "ERR_REFUSED", status: 307 });
  await context.configureAuth({ access_token: "a", refresh_token: "r" });
  await assert.rejects(context.whoami(), { code: "ERR_REFUSED", status: 307 });
  assert.deepEqual(bodies, []);
});

test("an access token does not follow a redirect to another origin", async (t) => {
  const seen: unknown[] = [];
  const other = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    response.end("{}");
  });
  const context = await withAbout(t, (_request, response) =>
    response.writeHead(302, { location: other }).end(),
  );
  await context.configureAuth({ access_token: "a", refresh_token: "r" });
  assert.equal((await context.fetch("thing")).status, 200);
  assert.deepEqual(seen, [undefined]);
});

test("tokens and addresses that are none", async (t) => {
  const answers: unknown[] = [
    { access_token: "a b", refresh_token: "r" },
    { access_token: "a" },
    "text",
    { user_code: "A", device_code: "b", authorization_uri: "javascript:alert(1)" },
    { user_code: "A\u001b[2J", device_code: "b", authorization_uri: "https://h/" },
  ];
  const context = await withAbout(t, (_request, response) => response.end(JSON.stringify(answers.shift())));
  for (let n = 0; n < 3; n++)
    await assert.rejects(passwordGrant(context, ALICE), { code: "ERR_UNAVAILABLE" });
  const device = () => deviceCodeGrant(context, { onVerification: () => assert.fail("shown") });
  for (let n = 0; n < 2; n++) await assert.rejects(device, { code: "ERR_UNAVAILABLE" });
});
