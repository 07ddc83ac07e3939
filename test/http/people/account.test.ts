/** `/account`: the page of one's own sessions, browsers and keys, and that no one else can see or change them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { apikey, bearer, memoryStore, PASSWORDS, testApp } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { UNTOLD } from "../../support/changes.ts";
import { ManualClock } from "../../support/clock.ts";
import { auditOf, logIn, pathOf, SESSION, tryLogin, whoIs } from "../../support/person.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

function text(page: LightMyRequestResponse): string {
  return page.body.replaceAll(/<span class="hidden">[^<]*<\/span>/g, "").replaceAll(/<[^>]+>/g, "");
}

test("without a login the page redirects to the login and back", async () => {
  await using t = await testApp();
  const browser = new Browser(t);
  const away = await browser.open("/account");
  assert.deepEqual([away.statusCode, pathOf(away)], [303, "/login?next=%2Faccount"]);
  const back = await tryLogin(browser, "bob", PASSWORDS.bob, "?next=%2Faccount");
  assert.equal(pathOf(back), "/account");
  const post = await new Browser(t).post("/account/sessions/end-others", {});
  assert.deepEqual([post.statusCode, pathOf(post)], [303, "/login?next=%2Faccount"]);
});

test("the account: identities, permissions, sessions, keys", async () => {
  await using t = await testApp();
  const { access_token } = await t.login("alice");
  await t.form(
    "/api/v1/auth/provider/toy/token",
    { username: "alice", password: PASSWORDS.alice },
    { headers: { "user-agent": "python-tiled/0.2.20" }, remoteAddress: "192.0.2.44" },
  );
  const key = await t.makeKey(access_token, {
    note: "the detector",
    scopes: ["read:data"],
    expires_in: 86_400,
  });
  const browser = new Browser(t);
  const page = await browser.open("/login");
  await browser.submit(page, { username: "alice", password: PASSWORDS.alice }, { "user-agent": FIREFOX });
  t.clock.advance(7200);
  const account = await browser.open("/account");
  assert.equal(account.statusCode, 200);
  assert.match(account.body, /logged in as <strong>alice<\/strong> with toy/);
  const shown = text(account);
  assert.match(shown, /Firefox on Linux this browser192\.0\.2\.10 · as alice · logged in 2 hours ago/);
  assert.match(shown, /Tiled for Python 0\.2\.20192\.0\.2\.44 · as alice · logged in 2 hours ago/);
  assert.match(
    shown,
    new RegExp(`the detector ${key.slice(0, 8)}…read:data · never used · until 1 February 2026`),
  );
  assert.match(shown, /user.*read:metadata.*admin.*read:principals/s);
  assert.ok(!account.body.includes(key.slice(8)));
  assert.ok(!account.body.includes(browser.cookies.get(SESSION)?.value ?? "x"));
});

test("a session of mine ends at a press of its button; the one of this browser has none", async () => {
  await using t = await testApp();
  const { access_token } = await t.login("bob");
  const browser = await logIn(t, "bob");
  const page = await browser.open("/account");
  assert.equal([...page.body.matchAll(/action="\/account\/sessions\/end"/g)].length, 1);
  const done = await browser.submit(page, {}, {}, "/account/sessions/end");
  assert.equal(pathOf(done), "/account?done=session-ended");
  assert.match((await browser.open(pathOf(done))).body, /role="status">That session is logged out/);
  assert.equal((await t.whoami(`Bearer ${access_token}`)).statusCode, 401);
  const again = await browser.submit(page, {}, {}, "/account/sessions/end");
  assert.equal(pathOf(again), "/account?done=session-ended", "idempotent, like the API");
  assert.equal(await whoIs(browser), "bob");
});

test("no one ends another person's session, or one that does not exist", async () => {
  await using t = await testApp();
  const alice = await t.login("alice");
  const { sessions } = (await t.whoami(`Bearer ${alice.access_token}`)).json<{
    sessions: { uuid: string }[];
  }>();
  const browser = await logIn(t, "bob");
  const { hidden } = formOf(await browser.open("/account"), "/logout");
  for (const session of [sessions[0]?.uuid ?? "", "", "nonsense", "0".repeat(32)]) {
    const done = await browser.post("/account/sessions/end", { ...hidden, session });
    assert.equal(pathOf(done), "/account?done=session-gone", session);
  }
  assert.equal((await t.whoami(`Bearer ${alice.access_token}`)).statusCode, 200);
});

test("all other sessions end together; keys and this browser go on", async () => {
  await using t = await testApp();
  const { access_token, refresh_token } = await t.login("bob");
  const key = await t.makeKey(access_token);
  const other = await logIn(t, "bob");
  const alice = await t.login("alice");
  const browser = await logIn(t, "bob");
  const done = await browser.submit(await browser.open("/account"), {}, {}, "/account/sessions/end-others");
  assert.equal(pathOf(done), "/account?done=others-ended");
  assert.equal((await t.whoami(`Bearer ${access_token}`)).statusCode, 401);
  assert.equal((await t.refresh(refresh_token)).statusCode, 401);
  assert.equal(await whoIs(other), null);
  assert.equal(await whoIs(browser), "bob");
  assert.equal((await t.whoami(`Apikey ${key}`)).statusCode, 200);
  assert.equal((await t.whoami(`Bearer ${alice.access_token}`)).statusCode, 200);
  const page = await browser.open("/account");
  assert.doesNotMatch(page.body, /end-others/);
});

test("a key is revoked, mine only", async () => {
  await using t = await testApp();
  const bobs = await t.makeKey((await t.login("bob")).access_token);
  const alices = await t.makeKey((await t.login("alice")).access_token);
  const browser = await logIn(t, "bob");
  const page = await browser.open("/account");
  assert.ok(!page.body.includes(alices.slice(0, 8)));
  const { hidden } = formOf(page, "/account/keys/revoke");
  const foreign = await browser.post("/account/keys/revoke", { ...hidden, first_eight: alices.slice(0, 8) });
  assert.equal(pathOf(foreign), "/account?done=key-gone");
  const own = await browser.submit(page, {}, {}, "/account/keys/revoke");
  assert.equal(pathOf(own), "/account?done=key-revoked");
  assert.equal((await t.whoami(`Apikey ${bobs}`)).statusCode, 401);
  assert.equal((await t.whoami(`Apikey ${alices}`)).statusCode, 200);
  assert.ok((await auditOf(t)).includes("api_key_revoked"));
});

/** Fills in the form for a new key. */
async function makeKey(browser: Browser, fields: Record<string, string>): Promise<LightMyRequestResponse> {
  return await browser.submit(await browser.open("/account"), fields, {}, 'action="/account/keys"');
}

function secretOf(page: LightMyRequestResponse): string {
  return /<code>([0-9a-f]{72})<\/code>/.exec(page.body)?.[1] ?? "";
}

test("a new key is shown once, and has the ticked scopes", async () => {
  await using t = await testApp();
  const browser = await logIn(t, "bob");
  const fields = { note: "my laptop", lifetime: "week", "scope read:metadata": "1", "scope read:data": "1" };
  const page = await makeKey(browser, fields);
  assert.deepEqual([page.statusCode, page.headers["cache-control"]], [200, "no-store"]);
  const secret = secretOf(page);
  assert.match(page.body, /For <strong>my laptop<\/strong>\. It expires on <time[^>]*>7 February 2026/);
  const { body } = await t.call({ url: "/api/v1/auth/apikey", headers: apikey(secret) });
  const key = JSON.parse(body) as Record<string, unknown>;
  assert.deepEqual(key["scopes"], ["read:metadata", "read:data"]);
  assert.equal(key["expiration_time"], "2026-02-07T12:00:00+00:00");
  assert.equal(key["note"], "my laptop");
  const account = await browser.open("/account");
  assert.ok(account.body.includes(secret.slice(0, 8)) && !account.body.includes(secret));
  assert.ok(!t.logLines.join("").includes(secret.slice(8)));
});

test("a key that inherits, without an end", async () => {
  await using t = await testApp();
  const browser = await logIn(t, "bob");
  const page = await makeKey(browser, { lifetime: "never", inherit: "1", note: "" });
  assert.match(page.body, /It does not expire/);
  const key = (await t.call({ url: "/api/v1/auth/apikey", headers: apikey(secretOf(page)) })).json<object>();
  assert.deepEqual(
    { ...key, first_eight: "" },
    {
      first_eight: "",
      expiration_time: null,
      note: null,
      scopes: ["inherit"],
      access_tags: null,
      latest_activity: null,
    },
  );
});

test("a key that cannot be is not made, and the form says why", async () => {
  await using t = await testApp({ authentication: { apiKeyLimit: 1 } });
  const browser = await logIn(t, "bob");
  const cases: readonly (readonly [Record<string, string>, number, RegExp])[] = [
    [{}, 422, /tick a box at least/],
    [{ "scope read:data": "1", note: "x".repeat(256) }, 422, /at most 255 characters/],
    [{ "scope admin:apikeys": "1" }, 403, /A key cannot do more than you/],
    [{ "scope nonsense": "1" }, 403, /A key cannot do more than you/],
    [{ "scope read:data": "1", lifetime: "toString" }, 400, /not understood/],
  ];
  for (const [fields, status, words] of cases) {
    const page = await makeKey(browser, { lifetime: "week", ...fields });
    assert.deepEqual([page.statusCode, words.test(page.body)], [status, true], JSON.stringify(fields));
    assert.equal(secretOf(page), "");
  }
  await makeKey(browser, { "scope read:data": "1" });
  const page = await makeKey(browser, { "scope read:data": "1", note: "kept" });
  assert.deepEqual([page.statusCode, /as many keys as this server allows/.test(page.body)], [400, true]);
  assert.match(page.body, /<details open>.*value="kept"/s);
});

test("forged forms change nothing: no token, a wrong one, another's, another site", async () => {
  await using t = await testApp();
  const key = await t.makeKey((await t.login("bob")).access_token);
  await t.login("bob");
  const browser = await logIn(t, "bob");
  const page = await browser.open("/account");
  const mallory = formOf(await (await logIn(t, "cara")).open("/account"), "/logout").hidden;
  const csrf = browser.cookies.get("tiled_csrf")?.value ?? "";
  const fields: readonly (readonly [string, Record<string, string>])[] = [
    ["/account/sessions/end", formOf(page, "/account/sessions/end").hidden],
    ["/account/sessions/end-others", {}],
    ["/account/keys/revoke", { first_eight: key.slice(0, 8) }],
    ["/account/keys", { inherit: "1", lifetime: "never" }],
    ["/account/identities/remove", { provider: "toy", id: "bob" }],
    ["/account/identities/add/toy", { username: "cara", password: PASSWORDS.cara }],
  ];
  const before = await auditOf(t);
  for (const [url, form] of fields) {
    const { token: _, ...without } = form;
    const token = formOf(page, "/logout").hidden["token"] ?? "";
    const attempts: readonly (readonly [Record<string, string>, Record<string, string>])[] = [
      [without, {}],
      [{ ...without, token: "" }, {}],
      [{ ...without, token: "wrong" }, {}],
      [{ ...without, ...mallory }, {}],
      [{ ...without, token: csrf }, { "x-csrf": csrf }],
      [{ ...without, token }, { origin: "https://evil.example" }],
      [{ ...without, token }, { "sec-fetch-site": "cross-site" }],
      [
        { ...without, token },
        { "sec-fetch-site": "same-site", origin: "http://localhost" },
      ],
    ];
    for (const [body, headers] of attempts) {
      const response = await browser.post(url, body, headers);
      assert.equal(response.statusCode, 403, `${url} ${JSON.stringify([body, headers])}`);
      assert.match(response.body, /This form is no longer valid/);
    }
    const asJson = await t.call({
      method: "POST",
      url,
      headers: { cookie: `${SESSION}=${browser.cookies.get(SESSION)?.value}` },
      payload: { ...form, token },
    });
    assert.equal(asJson.statusCode, 415, url);
  }
  assert.deepEqual(await auditOf(t), before);
});

test("a key in the browser's cookies does not stand in the way of the forms", async () => {
  await using t = await testApp();
  const key = await t.makeKey((await t.login("bob")).access_token);
  const browser = await logIn(t, "bob");
  browser.cookies.set("tiled_api_key", { value: key, path: "/" });
  const done = await browser.submit(await browser.open("/account"), {}, {}, "/account/sessions/end-others");
  assert.equal(pathOf(done), "/account?done=others-ended");
});

test("foreign content is shown as text: names, notes, programs, addresses", async () => {
  const evil = `"><script>alert('1')</script><b x="`;
  await using t = await testApp();
  const { access_token } = await t.login("bob");
  await t.makeKey(access_token, { note: evil });
  await t.form(
    "/api/v1/auth/provider/toy/token",
    { username: "bob", password: PASSWORDS.bob },
    { headers: { "user-agent": evil } },
  );
  const browser = await logIn(t, "bob");
  const account = await browser.open(`/account?done=${encodeURIComponent(evil)}`);
  assert.equal(account.statusCode, 200);
  assert.doesNotMatch(account.body, /<script|<b x/);
  assert.ok(account.body.includes("&quot;&gt;&lt;script&gt;"));
  for (const url of ["/login?again=1", `/login?next=${encodeURIComponent(`/x"><script>`)}&again=1`]) {
    const page = await tryLogin(browser, evil, "x", url.slice("/login".length));
    assert.doesNotMatch(page.body, /<script|<b x/);
  }
  const problem = await browser.open(`/${encodeURIComponent(evil)}`);
  assert.doesNotMatch(problem.body, /<script|<b x/);
});

test("without the scopes to make or revoke keys the buttons are absent and refused", async () => {
  const clock = new ManualClock();
  // What the test changes below, the store does not know.
  await using t = await testApp({ clock, store: { ...(await memoryStore(clock)), changes: UNTOLD } });
  const { access_token, principal } = await t.login("bob");
  await t.makeKey(access_token);
  const browser = await logIn(t, "bob");
  const { hidden } = formOf(await browser.open("/account"), "/logout");
  const store = t.store;
  assert.ok(store);
  // The operator has taken the role away.
  const summary = store.principals.summary;
  Object.assign(store.principals, {
    summary: async (uuid: never) => {
      const found = await summary(uuid);
      return found && found.uuid.replaceAll("-", "") === principal
        ? { ...found, scopes: ["read:data"] }
        : found;
    },
  });
  t.clock.advance(1);
  const page = await browser.open("/account");
  assert.equal(page.statusCode, 200);
  assert.doesNotMatch(page.body, /action="\/account\/keys/);
  for (const url of ["/account/keys", "/account/keys/revoke"]) {
    const refused = await browser.post(url, { ...hidden, inherit: "1", first_eight: "00000000" });
    assert.deepEqual([refused.statusCode, /You do not have permission/.test(refused.body)], [403, true]);
  }
});

test("fifty sessions are shown, the newest; the others are counted", async () => {
  await using t = await testApp();
  for (let count = 0; count < 52; count++) {
    await t.login("cara");
    t.clock.advance(1);
  }
  const page = await (await logIn(t, "cara")).open("/account");
  assert.equal([...page.body.matchAll(/\/account\/sessions\/end"/g)].length, 49);
  assert.match(page.body, /and 3 more that were used less recently/);
});

test("no page of another origin reads the account, even one that may use the API", async () => {
  await using t = await testApp({ allowOrigins: ["http://localhost:3000"] });
  const browser = await logIn(t, "bob");
  const foreign: Record<string, string>[] = [
    { origin: "http://localhost:3000" },
    { origin: "http://localhost:3000", "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
    { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
    { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
  ];
  for (const headers of foreign) {
    for (const url of ["/account", "/logout", "/"]) {
      const page = await browser.open(url, headers);
      assert.doesNotMatch(page.body, /bob|name="token"|Your account/, `${url} ${JSON.stringify(headers)}`);
    }
  }
  assert.equal(await whoIs(browser), "bob");
});

test("a program asks the API, and gets no page for a refusal", async () => {
  await using t = await testApp();
  const { access_token } = await t.login("bob");
  const response = await t.call({ url: "/account", headers: { ...bearer(access_token), accept: "*/*" } });
  assert.deepEqual([response.statusCode, response.headers["content-type"]], [401, "application/json"]);
});
