/** The cookie of a browser that is logged in: what it is, when it ends, and on which requests it counts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import cookie from "@fastify/cookie";
import Fastify from "fastify";
import { Failure } from "../../../src/errors.ts";
import { countedSecretOf, sessionSecretOf } from "../../../src/http/access/session-cookie.ts";
import { bearer, testApp } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { auditOf, logIn, SESSION, tryLogin, whoIs } from "../../support/person.ts";

const SECRET = "5e".repeat(32);

test("a login's cookie is random, for us alone, and out of scripts' reach", async () => {
  await using t = await testApp();
  const response = await tryLogin(new Browser(t), "alice", "secret1");
  const line = [response.headers["set-cookie"]].flat().find((one) => one?.startsWith(SESSION));
  assert.match(
    String(line),
    /^tiled_session=[0-9a-f]{64}; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  const other = await logIn(t, "alice");
  assert.ok(!String(line).includes(other.cookies.get(SESSION)?.value ?? ""));
});

test("under HTTPS only the name counts that no neighbour can plant", async () => {
  await using t = await testApp({ server: { publicUrl: "https://tiled.example.org" } });
  const response = await tryLogin(new Browser(t), "alice", "secret1");
  const line = [response.headers["set-cookie"]].flat().find((one) => one?.includes(SESSION));
  assert.match(
    String(line),
    /^__Host-tiled_session=[0-9a-f]{64}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  const alice = await logIn(t, "alice");
  assert.equal(await whoIs(alice), "alice");
  const secret = alice.cookies.get(`__Host-${SESSION}`)?.value ?? "";
  const planted = new Browser(t);
  planted.cookies.set(SESSION, { value: secret, path: "/" });
  assert.equal(await whoIs(planted), null);
});

test("two cookies of the same name count as none: one of them was planted", async () => {
  await using t = await testApp();
  const alice = await logIn(t, "alice");
  const secret = alice.cookies.get(SESSION)?.value ?? "";
  const page = (line: string) => t.call({ url: "/account", headers: { accept: "text/html", cookie: line } });
  assert.equal((await page(`${SESSION}=${secret}`)).statusCode, 200);
  for (const line of [
    `${SESSION}=${secret}; ${SESSION}=${SECRET}`,
    `${SESSION}=${SECRET}; ${SESSION}=${secret}`,
    `${SESSION}=${secret}; ${SESSION}=${secret}`,
  ]) {
    assert.equal((await page(line)).statusCode, 303, line);
  }
});

test("another application's cookie with a similar name logs no one out", async () => {
  await using t = await testApp({ server: { publicUrl: "https://tiled.example.org" } });
  const alice = await logIn(t, "alice");
  const name = `__Host-${SESSION}`;
  const secret = alice.cookies.get(name)?.value ?? "";
  // Bytes that browsers take for a part of the name, so that its prefix binds nothing, and JavaScript for white space.
  for (const space of ["\u00a0", "\u0085", "\u000c", "\ufeff"]) {
    for (const planted of [`${space}${name}=${SECRET}`, `${name}${space}=${SECRET}`]) {
      const headers = { accept: "text/html", cookie: `${name}=${secret}; ${planted}` };
      assert.equal((await t.call({ url: "/account", headers })).statusCode, 200, JSON.stringify(planted));
      const alone = { accept: "text/html", cookie: planted.replace(SECRET, secret) };
      assert.equal((await t.call({ url: "/account", headers: alone })).statusCode, 303);
    }
  }
});

test("no fixation: cookies from before a login are worthless after it", async () => {
  await using t = await testApp();
  const browser = new Browser(t);
  browser.cookies.set(SESSION, { value: SECRET, path: "/" });
  await logIn(t, "alice", browser);
  assert.notEqual(browser.cookies.get(SESSION)?.value, SECRET);
  const attacker = new Browser(t);
  attacker.cookies.set(SESSION, { value: SECRET, path: "/" });
  assert.equal(await whoIs(attacker), null);

  // Mallory's own session, planted in Alice's browser, ends when she logs in.
  const mallory = await logIn(t, "bob");
  const victim = new Browser(t);
  victim.cookies.set(SESSION, mallory.cookies.get(SESSION) ?? { value: "", path: "/" });
  await logIn(t, "alice", victim);
  assert.equal(await whoIs(victim), "alice");
  assert.equal(await whoIs(mallory), null);
});

test("each login has a session of its own that whoami lists; one after the other in one browser is one", async () => {
  await using t = await testApp();
  const browser = await logIn(t, "alice");
  const first = browser.cookies.get(SESSION);
  await logIn(t, "alice", browser);
  await logIn(t, "alice");
  const { access_token } = await t.login("alice");
  const { sessions } = (await t.whoami(`Bearer ${access_token}`)).json<{
    sessions: { revoked: boolean }[];
  }>();
  assert.deepEqual(sessions.map(({ revoked }) => revoked).sort(), [false, false, false, true]);
  const before = new Browser(t);
  before.cookies.set(SESSION, first ?? { value: "", path: "/" });
  assert.equal(await whoIs(before), null);
});

test("it is no credential for the API", async () => {
  await using t = await testApp({ authentication: { allowAnonymousAccess: false } });
  const alice = await logIn(t, "alice");
  const csrf = alice.cookies.get("tiled_csrf")?.value ?? "";
  const own = `tiled_session=${alice.cookies.get(SESSION)?.value}; tiled_csrf=${csrf}`;
  const ask = (method: "GET" | "POST" | "DELETE", url: string, payload?: object) =>
    t.call({ method, url, headers: { cookie: own, "x-csrf": csrf }, ...(payload && { payload }) });
  assert.equal((await ask("GET", "/api/v1/auth/whoami")).json(), null);
  const { access_token } = await t.login("alice");
  const document = (await t.whoami(`Bearer ${access_token}`)).json<{
    sessions: { uuid: string }[];
    uuid: string;
  }>();
  const session = document.sessions[0]?.uuid ?? "";
  const refused = [
    await ask("POST", "/api/v1/auth/apikey", { expires_in: null, scopes: null }),
    await ask("DELETE", "/api/v1/auth/apikey?first_eight=00000000"),
    await ask("GET", "/api/v1/auth/apikey"),
    await ask("DELETE", `/api/v1/auth/session/revoke/${session}`),
    await ask("GET", "/api/v1/auth/principal"),
    await ask("POST", `/api/v1/auth/principal/${document.uuid}/apikey`, { expires_in: null, scopes: [] }),
    await ask("POST", "/api/v1/auth/identity", { provider: "toy", username: "bob", password: "secret2" }),
    await ask("DELETE", "/api/v1/auth/identity?provider=toy&id=alice"),
    await ask("GET", "/api/v1/metrics"),
    await ask("GET", "/api/v1/metadata/"),
  ];
  for (const [index, response] of refused.entries()) assert.equal(response.statusCode, 401, String(index));
  assert.equal(await whoIs(alice), "alice");
});

test("it ends like any session: revoked by a program, disabled, at the end of its time", async () => {
  await using t = await testApp({ authentication: { sessionMaxAge: 3600, refreshTokenMaxAge: 7200 } });
  const { access_token, principal } = await t.login("bob");
  const browser = await logIn(t, "bob");
  const { sessions } = (await t.whoami(`Bearer ${access_token}`)).json<{ sessions: { uuid: string }[] }>();
  const own = sessions.at(-1)?.uuid ?? "";
  const url = `/api/v1/auth/session/revoke/${own}`;
  assert.equal((await t.call({ method: "DELETE", url, headers: bearer(access_token) })).statusCode, 204);
  assert.equal(await whoIs(browser), null, "at once");

  const again = await logIn(t, "bob");
  const admin = (await t.login("alice")).access_token;
  const change = (what: string) =>
    t.call({ method: "POST", url: `/api/v1/auth/principal/${principal}/${what}`, headers: bearer(admin) });
  await change("disable");
  const page = await again.open("/account");
  assert.deepEqual([page.statusCode, /This account is disabled/.test(page.body)], [401, true]);
  await change("enable");
  assert.equal(await whoIs(again), "bob");
  t.clock.advance(3599);
  assert.equal(await whoIs(again), "bob");
  t.clock.advance(1);
  assert.equal(await whoIs(again), null);
});

test("it slides: only a browser that is not used for the time of a refresh token is logged out", async () => {
  await using t = await testApp({ authentication: { refreshTokenMaxAge: 600 } });
  const browser = await logIn(t, "bob");
  for (const _ of [1, 2, 3, 4]) {
    t.clock.advance(599);
    assert.equal(await whoIs(browser), "bob");
  }
  t.clock.advance(600);
  assert.equal(await whoIs(browser), null);
  // A second server of the same database has seen the uses, too.
  const rows = await t.store?.principals.list({ offset: 0, limit: 10 }, new Date(t.clock.now()));
  const bob = rows?.find(({ identities }) => identities.some(({ id }) => id === "bob"));
  assert.equal(bob?.latestActivity?.getTime(), t.clock.now() - 600_000);
});

test("a browser whose session has ended is sent to the login, and loses the cookie", async () => {
  await using t = await testApp();
  const browser = await logIn(t, "alice");
  const value = browser.cookies.get(SESSION)?.value ?? "";
  await browser.submit(await browser.open("/account"), {}, {}, "Log out");
  const late = new Browser(t);
  late.cookies.set(SESSION, { value, path: "/" });
  const response = await late.open("/account?done=key-revoked");
  assert.equal(response.statusCode, 303);
  assert.match(String(response.headers.location), /\/login\?next=%2Faccount%3Fdone%3Dkey-revoked$/);
  assert.ok(!late.cookies.has(SESSION));
  late.cookies.set(SESSION, { value, path: "/" });
  assert.match((await late.open("/")).body, />Log in<\/a>/);
  assert.ok(!late.cookies.has(SESSION));
  const program = await t.call({ url: "/account", headers: { cookie: `${SESSION}=${value}` } });
  assert.equal(program.statusCode, 401);
  assert.equal(program.headers["content-type"], "application/json");
  assert.deepEqual((await auditOf(t)).filter((event) => event === "session_revoked").length, 1);
});

test("on a page for people no key and no token counts", async () => {
  await using t = await testApp();
  const { access_token } = await t.login("alice");
  const key = await t.makeKey(access_token);
  for (const headers of [
    bearer(access_token),
    { authorization: `Apikey ${key}` },
    { cookie: `tiled_api_key=${key}` },
  ]) {
    assert.equal((await t.call({ url: "/account", headers })).statusCode, 401);
  }
  assert.equal((await t.call(`/account?api_key=${key}`)).statusCode, 401);
});

/** What a request with the cookie comes to: its secret, nothing, or a refusal. */
async function counted(
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE",
  headers: Record<string, string>,
  url = "/",
): Promise<string> {
  const app = Fastify();
  await app.register(cookie);
  const links = {
    base: () => "https://tiled.example.org/data",
    isDataHost: () => false,
    isHttps: () => true,
  };
  let result = "";
  app.route({
    url: "/",
    method: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    config: { access: "public" },
    handler: (request, reply) => {
      try {
        result = countedSecretOf(request, links) === SECRET ? "counts" : "none";
      } catch (error) {
        result = error instanceof Failure ? error.code : String(error);
      }
      assert.equal(sessionSecretOf(request, links), SECRET);
      return reply.send("");
    },
  });
  await app.inject({
    method,
    url,
    headers: { ...headers, cookie: `__Host-tiled_session=${SECRET}; tiled_csrf=abc` },
  });
  return result;
}

test("reading: from our own pages, and by opening an address; never from inside another site's page", async () => {
  const navigation = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{}, "counts"],
    [{ "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }, "counts"],
    [{ "sec-fetch-site": "none", ...navigation }, "counts"],
    [{ "sec-fetch-site": "cross-site", ...navigation }, "counts"],
    [{ "sec-fetch-site": "same-site", ...navigation }, "counts"],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, "none"],
    [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, "none"],
    [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }, "none"],
    [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "cors", origin: "https://x.example.org" }, "none"],
    // A form of another site, which a proxy asks about with GET.
    [{ "sec-fetch-site": "cross-site", ...navigation, origin: "https://evil.example" }, "none"],
    [{ origin: "https://evil.example" }, "none"],
    [{ origin: "http://tiled.example.org" }, "none"],
    [{ origin: "https://tiled.example.org" }, "counts"],
  ];
  for (const [headers, expected] of cases) {
    for (const method of ["GET", "HEAD"] as const) {
      assert.equal(await counted(method, headers), expected, JSON.stringify(headers));
    }
  }
});

test("a WebSocket: only from a page of ours, which says so", async () => {
  const upgrade = { upgrade: "websocket" };
  assert.equal(await counted("GET", { ...upgrade, origin: "https://tiled.example.org" }), "counts");
  for (const origin of [
    "https://evil.example",
    "https://x.example.org",
    "null",
    "http://tiled.example.org",
  ]) {
    assert.equal(await counted("GET", { ...upgrade, origin }), "none", origin);
  }
  assert.equal(await counted("GET", upgrade), "none");
});

test("changing: with the double submit, from our own origin", async () => {
  const token = { "x-csrf": "abc" };
  for (const method of ["POST", "PUT", "DELETE"] as const) {
    assert.equal(await counted(method, token), "counts");
    assert.equal(await counted(method, { ...token, "sec-fetch-site": "same-origin" }), "counts");
    assert.equal(await counted(method, {}, "/?csrf=abc"), "counts");
    assert.equal(await counted(method, {}), "csrf");
    assert.equal(await counted(method, { "x-csrf": "abd" }), "csrf");
    assert.equal(await counted(method, { "x-csrf": "" }), "csrf");
    assert.equal(await counted(method, { ...token, origin: "https://evil.example" }), "csrf");
    assert.equal(await counted(method, { ...token, "sec-fetch-site": "cross-site" }), "csrf");
    assert.equal(await counted(method, { ...token, "sec-fetch-site": "same-site" }), "csrf");
  }
});
