/** A key in the URL that a browser opens: when it becomes a cookie, and what that cookie is outranked by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { apikey, bearer, type TestApp, testApp } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { logIn, pathOf, SESSION, whoIs } from "../../support/person.ts";
import { startBoth } from "../../support/upstream.ts";

const OWN = { "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const LINK = { ...OWN, "sec-fetch-site": "cross-site" };
const KEY = "tiled_api_key";
const WHOAMI = "/api/v1/auth/whoami";

async function keyOf(t: TestApp, user: "alice" | "bob"): Promise<string> {
  return await t.makeKey((await t.login(user)).access_token);
}

function identityOf(response: { json<T>(): T }): string | undefined {
  return response.json<{ identities: { id: string }[] } | null>()?.identities[0]?.id;
}

test("a link of another site makes no browser act in the name of its key: a page asks", async () => {
  await using t = await testApp();
  const key = await keyOf(t, "alice");
  for (const headers of [LINK, { ...LINK, "sec-fetch-site": "same-site" }, {}]) {
    const browser = new Browser(t);
    const page = await browser.open(`/?x=1&api_key=${key}`, headers);
    assert.equal(page.statusCode, 200);
    assert.match(page.body, /an API key of <strong>alice<\/strong>/);
    assert.match(page.body, /href="\/\?x=1"/, "the way on without the key");
    assert.equal(page.headers["cache-control"], "no-store");
    assert.match(String(page.headers["content-security-policy"]), /frame-ancestors 'none'/);
    assert.ok(!browser.cookies.has(KEY), JSON.stringify(headers));

    const used = await browser.submit(page, {}, { "sec-fetch-site": "same-origin", origin: "null" });
    assert.deepEqual([used.statusCode, pathOf(used)], [303, "/?x=1"]);
    assert.equal(browser.cookies.get(KEY)?.value, key);
    assert.equal(identityOf(await browser.open(WHOAMI)), "alice");
  }
});

test("an invalid key is reported on the page, and becomes no cookie", async () => {
  await using t = await testApp();
  await using single = await testApp({ providers: false });
  for (const app of [t, single]) {
    const browser = new Browser(app);
    const page = await browser.open("/?api_key=0123456789abcdef", OWN);
    assert.equal(page.statusCode, 200);
    assert.match(page.body, /role="alert">The API key in this address is not valid/);
    assert.doesNotMatch(page.body, /0123456789abcdef/);
    assert.equal(page.headers["cache-control"], "no-store");
    assert.ok(!browser.cookies.has(KEY));
    assert.doesNotMatch((await browser.open("/", OWN)).body, /not valid/);
  }
});

test("an address opened by the person becomes a cookie at once", async () => {
  await using t = await testApp();
  const key = await keyOf(t, "alice");
  for (const site of ["none", "same-origin"]) {
    const browser = new Browser(t);
    const sentOn = await browser.open(`/?api_key=${key}`, { ...OWN, "sec-fetch-site": site });
    assert.deepEqual([sentOn.statusCode, pathOf(sentOn)], [302, "/"]);
    assert.equal(browser.cookies.get(KEY)?.value, key);
    // Again, by a link: there is nothing to ask.
    assert.equal((await browser.open(`/?api_key=${key}`, LINK)).statusCode, 302);
  }
});

test("no image, frame or script of another site sets the cookie, and a program keeps its own", async () => {
  await using t = await testApp();
  const key = await keyOf(t, "alice");
  for (const site of ["cross-site", "same-site"]) {
    const headers = { "sec-fetch-site": site, "sec-fetch-dest": "image", accept: "image/*" };
    const image = await t.call({ url: `${WHOAMI}?api_key=${key}`, headers });
    assert.equal(image.statusCode, 200);
    assert.doesNotMatch(String(image.headers["set-cookie"]), /tiled_api_key/);
  }
  // An old browser, or any without HTTPS, says nothing of where an image stands.
  const old = { "user-agent": "Mozilla/5.0 (iPad; CPU OS 15_0 like Mac OS X)", accept: "image/*,*/*;q=0.8" };
  const image = await t.call({ url: `${WHOAMI}?api_key=${key}`, headers: old });
  assert.equal(image.statusCode, 200);
  assert.doesNotMatch(String(image.headers["set-cookie"]), /tiled_api_key/);
  const program = await t.call(`${WHOAMI}?api_key=${key}`);
  assert.match(String(program.headers["set-cookie"]), /tiled_api_key/);
});

test("no form of another site sets the cookie, also without HTTPS, where a browser names the origin alone", async () => {
  await using t = await testApp();
  const key = await keyOf(t, "alice");
  for (const origin of ["http://evil.example", "null"]) {
    const headers = { origin, accept: "text/html", "content-type": "text/plain" };
    const url = `/api/v1/auth/apikey?api_key=${key}`;
    const form = await t.call({ method: "POST", url, headers, payload: "{}" });
    assert.equal(form.statusCode, 415);
    assert.doesNotMatch(String(form.headers["set-cookie"]), /tiled_api_key/, origin);
  }
});

test("the answer to the page counts from our own page in this browser, for its key only", async () => {
  await using t = await testApp();
  const [key, other] = [await keyOf(t, "alice"), await keyOf(t, "bob")];
  const mallory = new Browser(t);
  const theirs = formOf(await mallory.open(`/?api_key=${other}`, LINK)).hidden;
  const victim = new Browser(t);
  const { hidden } = formOf(await victim.open(`/?api_key=${key}`, LINK));
  const attempts: [Record<string, string>, Record<string, string>][] = [
    [theirs, {}],
    [{ ...hidden, key: other }, {}],
    [{ ...hidden, token: "" }, {}],
    [hidden, { origin: "https://evil.example" }],
    [hidden, { "sec-fetch-site": "cross-site" }],
  ];
  for (const [fields, headers] of attempts) {
    assert.equal((await victim.post("/login/key", fields, headers)).statusCode, 403);
    assert.ok(!victim.cookies.has(KEY));
  }
  const elsewhere = await victim.post("/login/key", { ...hidden, next: "https://evil.example/" });
  assert.deepEqual([elsewhere.statusCode, elsewhere.headers.location], [303, "http://localhost:80/"]);
});

test("a key that was revoked meanwhile is not kept", async () => {
  await using t = await testApp();
  const login = await t.login("alice");
  const key = await t.makeKey(login.access_token);
  const browser = new Browser(t);
  const page = await browser.open(`/?api_key=${key}`, LINK);
  const url = `/api/v1/auth/apikey?first_eight=${key.slice(0, 8)}`;
  await t.call({ method: "DELETE", url, headers: bearer(login.access_token) });
  assert.equal((await browser.submit(page, {})).statusCode, 401);
  assert.ok(!browser.cookies.has(KEY));
});

test("a logged-in person is asked even if they opened the address themselves, and a yes logs them out", async () => {
  await using t = await testApp();
  const key = await keyOf(t, "alice");
  const browser = await logIn(t, "bob");
  const page = await browser.open(`/?api_key=${key}`, OWN);
  assert.match(page.body, /You are logged in as <strong>bob<\/strong>/);
  assert.equal(await whoIs(browser), "bob", "without an answer nothing changes");
  await browser.submit(page, {});
  assert.ok(!browser.cookies.has(SESSION));
  assert.equal(await whoIs(browser), null);
  assert.equal(identityOf(await browser.open(WHOAMI)), "alice");
  // And the other way round.
  await logIn(t, "bob", browser);
  assert.ok(!browser.cookies.has(KEY));
});

test("a key that is in a browser counts nowhere beside a login or a header", async (x) => {
  const { t, upstream, url } = await startBoth((last) => x.after(last));
  const key = await keyOf(t, "alice");
  const browser = await logIn(t, "bob");
  browser.cookies.set(KEY, { value: key, path: "/" });
  // The login is no credential of the API, and the key none beside it.
  assert.equal((await browser.open(WHOAMI)).body, "null");
  assert.equal((await browser.open("/api/v1/auth/verify")).headers["x-tiled-identity"], "toy:bob");
  const cookie = [...browser.cookies].map(([name, { value }]) => `${name}=${value}`).join("; ");
  assert.equal((await fetch(`${url}/api/v1/metadata/A`, { headers: { cookie } })).status, 200);
  assert.equal(upstream.one().headers["x-tiled-identity"], "toy:bob");

  const ofBob = await t.login("bob");
  for (const header of [bearer(ofBob.access_token), apikey(await t.makeKey(ofBob.access_token))]) {
    const headers = { ...header, cookie: `${KEY}=${key}` };
    assert.equal(identityOf(await t.call({ url: WHOAMI, headers })), "bob");
    const verified = await t.call({ url: "/api/v1/auth/verify", headers });
    assert.equal(verified.headers["x-tiled-identity"], "toy:bob");
    await fetch(`${url}/api/v1/metadata/A`, { headers });
    assert.equal(upstream.one().headers["x-tiled-identity"], "toy:bob");
  }
  // A login that has ended outranks nothing.
  browser.cookies.set(SESSION, { value: "5e".repeat(32), path: "/" });
  assert.equal(identityOf(await browser.open(WHOAMI)), "alice");
  assert.ok(!browser.cookies.has(SESSION));
});

test("a second cookie of a login, which a neighbour has planted, lets no key count in its place", async () => {
  await using t = await testApp();
  const key = await keyOf(t, "alice");
  const bob = (await logIn(t, "bob")).cookies.get(SESSION)?.value;
  for (const sessions of [`${SESSION}=x; ${SESSION}=${bob}`, `${SESSION}=${bob}; ${SESSION}=x`]) {
    const headers = { cookie: `${sessions}; ${KEY}=${key}`, "sec-fetch-site": "same-origin" };
    const answer = await t.call({ url: WHOAMI, headers });
    assert.equal(identityOf(answer), undefined, sessions);
  }
});

test("a refused key is taken from the browser, which is not locked out by it", async () => {
  await using t = await testApp();
  const login = await t.login("bob");
  const [revoked, expired] = [
    await t.makeKey(login.access_token),
    await t.makeKey(login.access_token, { expires_in: 60 }),
  ];
  const url = `/api/v1/auth/apikey?first_eight=${revoked.slice(0, 8)}`;
  await t.call({ method: "DELETE", url, headers: bearer(login.access_token) });
  t.clock.advance(61);
  for (const key of [revoked, expired, "00".repeat(36), "nonsense"]) {
    for (const path of ["/", WHOAMI, "/login", "/api/v1/metadata/"]) {
      const browser = new Browser(t);
      browser.cookies.set(KEY, { value: key, path: "/" });
      await browser.open(path);
      assert.ok(!browser.cookies.has(KEY), path);
    }
    // The proxy's question: its answer goes to the proxy, the next page to the browser.
    const browser = new Browser(t);
    browser.cookies.set(KEY, { value: key, path: "/" });
    assert.equal((await browser.open("/api/v1/auth/verify?login=1")).statusCode, 302);
    assert.ok(!browser.cookies.has(KEY));
    await logIn(t, "bob", browser);
    assert.equal((await browser.open("/api/v1/auth/verify?login=1")).statusCode, 204);
  }
  // A bad header is no reason to take the cookie away.
  const kept = await t.call({ url: WHOAMI, headers: { ...apikey("00"), cookie: `${KEY}=00` } });
  assert.doesNotMatch(String(kept.headers["set-cookie"]), /tiled_api_key/);
});

test("under HTTPS a neighbour of the host name can plant no key", async () => {
  await using t = await testApp({ server: { publicUrl: "https://tiled.example.org" } });
  const key = await keyOf(t, "alice");
  const opened = await new Browser(t).open(`/?api_key=${key}`, OWN);
  const line = [opened.headers["set-cookie"]].flat().find((one) => one?.includes(KEY));
  assert.match(String(line), /^__Host-tiled_api_key=[0-9a-f]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const who = async (cookie: string) => identityOf(await t.call({ url: WHOAMI, headers: { cookie } }));
  assert.equal(await who(`__Host-${KEY}=${key}`), "alice");
  assert.equal(await who(`${KEY}=${key}`), undefined);
  // What is planted is not in the way of what is genuine either.
  const headers = { cookie: `${KEY}=00; __Host-${KEY}=${key}; tiled_csrf=abc`, "x-csrf": "abc" };
  const payload = { expires_in: null, scopes: [] };
  assert.equal(
    (await t.call({ method: "POST", url: "/api/v1/auth/apikey", headers, payload })).statusCode,
    200,
  );
});

test("the one key of a server without accounts: the same", async () => {
  await using t = await testApp({ providers: false });
  const browser = new Browser(t);
  const page = await browser.open("/?api_key=secret", LINK);
  assert.match(page.body, /contains this server’s key/);
  assert.ok(!browser.cookies.has(KEY));
  const { hidden } = formOf(page);
  assert.equal((await browser.post("/login/key", { ...hidden, key: "wrong" })).statusCode, 403);
  await browser.submit(page, {});
  assert.equal((await browser.open("/api/v1/metrics")).statusCode, 200);
  browser.cookies.set(KEY, { value: "old", path: "/" });
  assert.equal((await browser.open("/api/v1/metrics")).statusCode, 401);
  assert.ok(!browser.cookies.has(KEY));
});
