import assert from "node:assert/strict";
import { test } from "node:test";
import { apikey, testApp } from "../../support/app.ts";

const single = (anonymous = false) =>
  testApp({ providers: false, authentication: { allowAnonymousAccess: anonymous } });

test("the key opens metrics, nothing else does, and a wrong key is never anonymous", async () => {
  await using t = await single(true);
  const metrics = async (headers: Record<string, string>, query = "") =>
    (await t.call({ url: `/api/v1/metrics${query}`, headers })).statusCode;
  assert.equal(await metrics(apikey("secret")), 200);
  assert.equal(await metrics({}, "?api_key=secret"), 200);
  assert.equal(await metrics({}), 401);
  for (const wrong of ["wrong", "SECRET", "secret ", "s\u00f6cret", "secret\u00e9", "x".repeat(5000)]) {
    assert.equal(
      await metrics({}, `?api_key=${encodeURIComponent(wrong)}`),
      wrong === "secret " ? 401 : 401,
      wrong,
    );
  }
  assert.equal(await metrics({ authorization: "Bearer garbage" }), 401);
});

test("there are no authentication routes, and the about document says so", async () => {
  await using t = await single();
  for (const [method, path] of [
    ["GET", "whoami"],
    ["GET", "apikey"],
    ["POST", "session/refresh"],
    ["POST", "logout"],
    ["GET", "principal"],
  ] as const) {
    assert.equal((await t.call({ method, url: `/api/v1/auth/${path}` })).statusCode, 404, path);
  }
  const about = (await t.call("/api/v1/")).json<{ authentication: unknown }>();
  assert.deepEqual(about.authentication, { required: true, providers: [], links: null });
  await using open = await single(true);
  const publicAbout = (await open.call("/api/v1/")).json<{ authentication: unknown }>();
  assert.deepEqual(publicAbout.authentication, { required: false, providers: [], links: null });
});

test("a browser that opens the URL with the key gets a cookie and the same URL without it", async () => {
  await using t = await single();
  const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8", "sec-fetch-site": "none" };
  const response = await t.call({ url: "/?api_key=secret&x=1", headers: browser });
  assert.equal(response.statusCode, 302);
  assert.equal(response.headers.location, "http://localhost:80/?x=1");
  assert.equal(response.headers["cache-control"], "no-store");
  const cookies = [response.headers["set-cookie"]].flat().map(String);
  assert.ok(
    cookies.some((cookie) => /^tiled_api_key=secret; Path=\/; HttpOnly; SameSite=Lax$/i.test(cookie)),
    String(cookies),
  );
  const withCookie = await t.call({ url: "/api/v1/metrics", headers: { cookie: "tiled_api_key=secret" } });
  assert.equal(withCookie.statusCode, 200);
});

test("no redirect leads away from this server", async () => {
  await using t = await single();
  for (const path of ["//evil.test/", "/\\evil.test", "/%2f%2fevil.test", "/.//evil.test"]) {
    const response = await t.call({
      url: `${path}?api_key=secret`,
      headers: { accept: "text/html", host: "localhost", "sec-fetch-site": "none" },
    });
    const { location } = response.headers;
    assert.ok(location === undefined || new URL(location).host === "localhost", `${path} -> ${location}`);
  }
});

test("a wrong key sets no cookie, and the landing page is shown all the same", async () => {
  await using t = await single();
  const response = await t.call({
    url: "/?api_key=wrong",
    headers: { accept: "text/html", "sec-fetch-site": "none" },
  });
  assert.equal(response.statusCode, 200);
  assert.doesNotMatch(String(response.headers["set-cookie"]), /tiled_api_key/);
  assert.doesNotMatch(response.body, /wrong/);
});

test("routes that do not look at credentials keep no key", async () => {
  await using t = await single();
  for (const path of ["/healthz", "/api/v1/", "/openapi.json"]) {
    const response = await t.call({ url: `${path}?api_key=secret`, headers: { accept: "text/html" } });
    assert.doesNotMatch(String(response.headers["set-cookie"]), /tiled_api_key/, path);
  }
});

test("guesses at the key are throttled by address; visitors, other addresses and the owner are not", async () => {
  const authentication = {
    allowAnonymousAccess: true,
    loginThrottle: { account: { failures: 3, per: 60 }, address: { failures: 9, per: 60 } },
  };
  await using t = await testApp({ providers: false, authentication });
  const metrics = async (key: string | null, remoteAddress = "192.0.2.1") =>
    await t.call({ url: "/api/v1/metrics", remoteAddress, ...(key !== null && { headers: apikey(key) }) });
  const status = async (key: string | null, address?: string) => (await metrics(key, address)).statusCode;
  // An old tab that sends the key of yesterday again and again guesses nothing.
  for (let count = 0; count < 10; count++) assert.equal(await status("yesterday"), 401);
  assert.deepEqual([await status("a"), await status("b")], [401, 401]);
  const refused = await metrics("secret");
  assert.equal(refused.statusCode, 429);
  assert.equal(refused.headers["retry-after"], "60");
  assert.equal(await status("c"), 429);
  assert.equal((await t.call({ url: "/api/v1/metadata/", remoteAddress: "192.0.2.1" })).statusCode, 200);
  assert.equal(await status("secret", "192.0.2.2"), 200);
  t.clock.advance(60);
  assert.equal(await status("secret"), 200);
  // From now on this address is known to have it.
  for (const guess of ["d", "e", "f"]) assert.equal(await status(guess), 401);
  assert.equal(await status("g"), 429);
  assert.equal(await status("secret"), 200);
});

test("an address that floods the server with guesses is refused even with the right key", async () => {
  const limit = { failures: 3, per: 60 };
  const authentication = { loginThrottle: { account: limit, address: limit } };
  await using t = await testApp({ providers: false, authentication });
  const status = async (key: string) =>
    (await t.call({ url: "/api/v1/metrics", headers: apikey(key) })).statusCode;
  assert.equal(await status("secret"), 200);
  for (let guess = 0; guess < 3; guess++) assert.equal(await status(`a${guess}`), 401);
  for (let guess = 0; guess < 149; guess++) assert.equal(await status(`b${guess}`), 429);
  // An old tab's key counts once.
  for (let count = 0; count < 10; count++) assert.equal(await status("a0"), 429);
  assert.equal(await status("secret"), 200);
  assert.equal(await status("c"), 429);
  assert.equal(await status("secret"), 429);
  t.clock.advance(60);
  assert.equal(await status("secret"), 200);
});

test("without a throttle nothing is counted", async () => {
  await using t = await testApp({ providers: false, authentication: { loginThrottle: false } });
  for (let guess = 0; guess < 50; guess++)
    assert.equal((await t.call({ url: "/api/v1/metrics", headers: apikey(`g${guess}`) })).statusCode, 401);
});
