import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, type TestApp, testApp } from "../../support/app.ts";

const BODY = { expires_in: null, scopes: [] };

function post(t: TestApp, headers: Record<string, string>, query = "") {
  return t.call({ method: "POST", url: `/api/v1/auth/apikey${query}`, headers, payload: BODY });
}

test("the first answer sets tiled_csrf, a later one does not, and no script can read it", async () => {
  await using t = await testApp();
  for (const url of ["/healthz", "/nope", "/api/v1/auth/principal"]) {
    assert.match(
      String((await t.call(url)).headers["set-cookie"]),
      /^tiled_csrf=[0-9a-f]{48}; HttpOnly; Path=\/; SameSite=lax$/,
    );
  }
  const again = await t.call({ url: "/healthz", headers: { cookie: "tiled_csrf=abc" } });
  assert.equal(again.headers["set-cookie"], undefined);
});

test("the cookie counts wherever it stands, and only under its whole name", async () => {
  await using t = await testApp();
  const isSet = async (cookie: string) =>
    (await t.call({ url: "/healthz", headers: { cookie } })).headers["set-cookie"] !== undefined;
  for (const cookie of [
    "tiled_csrf=",
    "a=b; tiled_csrf=c",
    "tiled_csrf_old=a;tiled_csrf=b",
    "tiled_csrf=a; b=c",
  ])
    assert.equal(await isSet(cookie), false, cookie);
  for (const cookie of [
    "",
    "tiled_csrf",
    "tiled_csrf_old=a",
    "not_tiled_csrf=a",
    "a=tiled_csrf=b",
    "TILED_CSRF=a",
  ])
    assert.equal(await isSet(cookie), true, cookie);
});

test("under HTTPS the cookie is Secure", async () => {
  await using t = await testApp({ server: { publicUrl: "https://tiled.example.org" } });
  assert.match(String((await t.call("/healthz")).headers["set-cookie"]), /; Secure$/);
});

test("a key in a cookie changes something only together with the double-submitted token", async () => {
  await using t = await testApp();
  const key = await t.makeKey((await t.login("bob")).access_token);
  const cookie = `tiled_api_key=${key}; tiled_csrf=abc`;
  const refused = [
    await post(t, { cookie: `tiled_api_key=${key}` }),
    await post(t, { cookie }),
    await post(t, { cookie, "x-csrf": "wrong" }),
    await post(t, { cookie, "x-csrf": "" }),
    await post(t, { cookie, "x-csrf": "\u00e9" }),
    await post(t, { cookie }, "?csrf=wrong"),
    await post(t, { cookie }, "?csrf=abc&csrf=abc"),
    // The cookie counts even where another credential would do, since a browser sends it by itself.
    await post(t, { cookie, authorization: `Apikey ${key}` }),
  ];
  for (const [index, response] of refused.entries()) {
    assert.equal(response.statusCode, 403, String(index));
    assert.equal(response.headers["content-type"], "application/json");
    assert.match(response.json<{ detail: string }>().detail, /csrf/i);
  }
  assert.equal((await post(t, { cookie, "x-csrf": "abc" })).statusCode, 200);
  assert.equal((await post(t, { cookie }, "?csrf=abc")).statusCode, 200);
});

test("a page of another origin cannot use the cookie, not even with planted cookies of its own", async () => {
  await using t = await testApp({ allowOrigins: ["https://ui.example.org", "*"] });
  const key = await t.makeKey((await t.login("bob")).access_token);
  const genuine = { cookie: `tiled_api_key=${key}; tiled_csrf=abc`, "x-csrf": "abc" };
  const refused: Record<string, string>[] = [
    { ...genuine, origin: "https://evil.example.org" },
    { ...genuine, origin: "null" },
    { ...genuine, "sec-fetch-site": "same-site" },
    { ...genuine, "sec-fetch-site": "cross-site" },
    { cookie: `tiled_csrf=evil; tiled_api_key=${key}; tiled_csrf=abc`, "x-csrf": "evil" },
    { cookie: `tiled_api_key=other; tiled_api_key=${key}; tiled_csrf=abc`, "x-csrf": "abc" },
  ];
  for (const headers of refused)
    assert.equal((await post(t, headers)).statusCode, 403, JSON.stringify(headers).slice(-60));
  for (const headers of [
    { ...genuine, origin: "http://localhost", host: "localhost" },
    { ...genuine, origin: "https://ui.example.org", "sec-fetch-site": "same-site" },
    { ...genuine, "sec-fetch-site": "same-origin" },
  ]) {
    assert.equal((await post(t, headers)).statusCode, 200, JSON.stringify(headers).slice(-60));
  }
});

test("an answer for shared caches sets no cookie", async () => {
  await using t = await testApp();
  const style = /href="(\/assets\/style[^"]+)"/.exec((await t.call("/")).body)?.[1] ?? "";
  const asset = await t.call(style);
  assert.equal(asset.statusCode, 200);
  assert.equal(asset.headers["set-cookie"], undefined);
  assert.match(String((await t.call("/api/v1/")).headers["cache-control"]), /^private/);
});

test("a Bearer token needs no double submit: browsers never send one on their own", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  assert.equal((await post(t, { ...bearer(bob.access_token), cookie: "tiled_csrf=abc" })).statusCode, 200);
});

test("reading needs no double submit", async () => {
  await using t = await testApp();
  const key = await t.makeKey((await t.login("bob")).access_token);
  const response = await t.call({ url: "/api/v1/auth/whoami", headers: { cookie: `tiled_api_key=${key}` } });
  assert.equal(response.statusCode, 200);
});

test("logout clears the key's cookie, with the double submit only", async () => {
  await using t = await testApp();
  const key = await t.makeKey((await t.login("bob")).access_token);
  const cookie = `tiled_api_key=${key}; tiled_csrf=abc`;
  assert.equal(
    (await t.call({ method: "POST", url: "/api/v1/auth/logout", headers: { cookie } })).statusCode,
    403,
  );
  const response = await t.call({
    method: "POST",
    url: "/api/v1/auth/logout",
    headers: { cookie, "x-csrf": "abc" },
  });
  assert.deepEqual([response.statusCode, response.json()], [200, {}]);
  assert.match(String(response.headers["set-cookie"]), /^tiled_api_key=;.*Max-Age=0.*Path=\//i);
});
