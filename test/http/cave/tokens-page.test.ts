/** The page of CAVE's tokens: what its forms do, and what they refuse. Its look is tested in `test/pages/cave`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { type TestApp, testApp, type UserName } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { SESSION } from "../../support/person.ts";
import { caveApp, logInToCave, TOKENS as PAGE } from "./pages.ts";

async function logIn(t: TestApp, user: UserName): Promise<Browser> {
  return await logInToCave(t, user, new Browser(t), PAGE);
}

/** The starts of the tokens on the page, newest first. */
async function listed(browser: Browser): Promise<string[]> {
  const page = await browser.open(PAGE);
  assert.equal(page.statusCode, 200, page.body);
  return [...page.body.matchAll(/<code>([0-9a-f]{8})…<\/code>/g)].map(([, start = ""]) => start);
}

const CREATE = 'name="description"';

async function create(browser: Browser, description: string): Promise<LightMyRequestResponse> {
  return await browser.submit(await browser.open(PAGE), { description }, {}, CREATE);
}

function tokenIn(page: LightMyRequestResponse): string {
  const [, token] = /<code id="token">([0-9a-f]*)<\/code>/.exec(page.body) ?? [];
  assert.ok(token, page.body);
  return token;
}

async function newToken(browser: Browser, description: string): Promise<string> {
  return tokenIn(await create(browser, description));
}

function idOf(token: string): string {
  return String(Number.parseInt(token.slice(0, 8), 16));
}

function revokeForm(token: string): string {
  return `name="token_id" value="${idOf(token)}"`;
}

test("a token is shown once, and listed from then on by its start", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logIn(t, "alice");
  assert.deepEqual(await listed(browser), []);
  const made = await create(browser, "My laptop");
  assert.equal(made.statusCode, 200);
  const token = tokenIn(made);
  assert.match(token, /^[0-9a-f]{32}$/);
  assert.equal(made.headers["cache-control"], "no-store");
  assert.match(made.body, /For <strong>My laptop<\/strong>/);
  assert.match(made.body, /CAVEclient\(server_address=&quot;https:\/\/cave\.example\.org&quot;\)/);
  const page = await browser.open(PAGE);
  assert.ok(!page.body.includes(token));
  assert.match(page.body, /<strong>My laptop<\/strong>/);
  assert.deepEqual(await listed(browser), [token.slice(0, 8)]);
});

test("the addresses that make tokens for programs lead a person here, and opening them makes none", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logIn(t, "alice");
  for (const prefix of ["/auth", "/sticky_auth"]) {
    for (const path of ["create_token", "refresh_token", "user/token"]) {
      const away = await browser.open(`${prefix}/api/v1/${path}`);
      assert.equal(away.statusCode, 302, away.body);
      const here = await browser.open(String(away.headers.location));
      assert.equal(here.headers.location, PAGE);
      assert.deepEqual(await listed(browser), []);
    }
  }
});

test("a form that is sent again creates no other token and shows none", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logIn(t, "alice");
  const page = await browser.open(PAGE);
  const token = tokenIn(await browser.submit(page, { description: "My laptop" }, {}, CREATE));
  const again = await browser.submit(page, { description: "My laptop" }, {}, CREATE);
  assert.equal(again.statusCode, 409);
  assert.match(again.body, /This form was sent a second time/);
  assert.ok(!again.body.includes(token));
  assert.deepEqual(await listed(browser), [token.slice(0, 8)]);
  // The page that says so is a new one, and its form works.
  const next = tokenIn(await browser.submit(again, { description: "My laptop" }, {}, CREATE));
  assert.equal((await listed(browser)).length, 2);
  assert.notEqual(next, token);
});

test("a form without a description creates a token without one", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logIn(t, "alice");
  await newToken(browser, " ");
  assert.match((await browser.open(PAGE)).body, /<strong>No description<\/strong>/);
});

test("a description is text of at most 120 characters without NUL, and is kept in the form", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logIn(t, "alice");
  const longest = `${"é".repeat(119)}🧠`;
  const refusals: readonly [string, RegExp][] = [
    [`${longest}x`, /at most 120 characters/],
    ["a\0b", /cannot be stored/],
  ];
  for (const [description, text] of refusals) {
    const refused = await create(browser, description);
    assert.equal(refused.statusCode, 422);
    assert.match(refused.body, text);
    assert.match(refused.body, /aria-invalid="true"/);
    assert.deepEqual(await listed(browser), []);
  }
  assert.equal((await create(browser, "x".repeat(5000))).statusCode, 422);
  await newToken(browser, longest);
  assert.ok((await browser.open(PAGE)).body.includes(`<strong>${longest}</strong>`));
});

test("a description is never markup", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logIn(t, "alice");
  const evil = `"><script>alert(1)</script>`;
  const made = await create(browser, evil);
  const refused = await create(browser, evil.repeat(10));
  for (const page of [made, refused, await browser.open(PAGE)]) {
    assert.ok(!page.body.includes("<script>alert"), page.body);
    assert.ok(page.body.includes("&lt;script&gt;alert"));
  }
});

test("the limit of keys is told, and a revoked token makes room", async () => {
  await using app = await caveApp({ authentication: { apiKeyLimit: 1 } });
  const { t } = app;
  const browser = await logIn(t, "alice");
  const token = await newToken(browser, "first");
  const refused = await create(browser, "second");
  assert.equal(refused.statusCode, 400);
  assert.match(refused.body, /as many tokens and keys as this server allows/);
  const revoked = await browser.submit(await browser.open(PAGE), {}, {}, revokeForm(token));
  assert.equal(revoked.statusCode, 303);
  assert.match((await browser.open(String(revoked.headers.location))).body, /The token is revoked/);
  await newToken(browser, "second");
});

test("only one's own tokens can be revoked, by numbers that are ids", async () => {
  await using app = await caveApp();
  const { t } = app;
  const alice = await logIn(t, "alice");
  const bob = await logIn(t, "bob");
  const token = await newToken(alice, "alice's");
  await newToken(bob, "bob's");
  const page = await bob.open(PAGE);
  const wrong = [
    idOf(token),
    "",
    "0",
    "-1",
    "1e3",
    "0x1",
    "4294967296",
    "99999999999",
    `${idOf(token)} `,
    "__proto__",
  ];
  for (const id of wrong) {
    const refused = await bob.submit(page, { token_id: id }, {}, 'name="token_id"');
    assert.equal(refused.statusCode, 404, id);
    assert.match(refused.body, /You have no such token/);
  }
  assert.equal((await listed(alice)).length, 1);
  assert.equal((await listed(bob)).length, 1);
});

test("keys for Tiled are neither listed nor revoked here, and keys with the scope cave are", async () => {
  await using app = await caveApp();
  const { t } = app;
  const { access_token } = await t.login("alice");
  const forTiled = await t.makeKey(access_token, { scopes: ["read:data"] });
  const everything = await t.makeKey(access_token);
  const forCave = await t.makeKey(access_token, { scopes: ["cave"], note: "service" });
  const browser = await logIn(t, "alice");
  assert.deepEqual(await listed(browser), [forCave.slice(0, 8)]);
  const page = await browser.open(PAGE);
  for (const key of [forTiled, everything]) {
    const refused = await browser.submit(page, { token_id: idOf(key) }, {}, 'name="token_id"');
    assert.equal(refused.statusCode, 404);
    assert.equal((await t.whoami(`Apikey ${key}`)).statusCode, 200);
  }
  await browser.submit(page, {}, {}, revokeForm(forCave));
  assert.deepEqual(await listed(browser), []);
});

test("a form without its hidden token, with another person's, or from another site does nothing", async () => {
  await using app = await caveApp();
  const { t } = app;
  const alice = await logIn(t, "alice");
  const bob = await logIn(t, "bob");
  const token = await newToken(alice, "alice's");
  const { hidden } = formOf(await bob.open(PAGE), CREATE);
  const page = await alice.open(PAGE);
  const forms = [{ description: "x" }, { token_id: idOf(token) }, { logout: "1" }];
  for (const fields of forms) {
    const refused = [
      await alice.post(PAGE, fields),
      await alice.post(PAGE, { ...fields, token: "" }),
      await alice.post(PAGE, { ...fields, token: hidden["token"] ?? "" }),
      await alice.submit(page, fields, { origin: "https://evil.example" }),
      await alice.submit(page, fields, { "sec-fetch-site": "cross-site" }),
      await alice.submit(page, fields, { "sec-fetch-site": "same-site" }),
    ];
    assert.deepEqual(
      refused.map(({ statusCode }) => statusCode),
      [403, 403, 403, 403, 403, 403],
    );
  }
  assert.deepEqual(await listed(alice), [token.slice(0, 8)]);
});

test("fields that belong to no form of the page are refused", async () => {
  await using app = await caveApp();
  const { t } = app;
  const alice = await logIn(t, "alice");
  const token = await newToken(alice, "alice's");
  const page = await alice.open(PAGE);
  for (const fields of [{}, { description: "x", token_id: idOf(token) }, { description: "x", logout: "1" }]) {
    const { action, hidden } = formOf(page, CREATE);
    const response = await alice.post(action, { token: hidden["token"] ?? "", ...fields });
    assert.equal(response.statusCode, 400);
  }
  assert.equal((await listed(alice)).length, 1);
});

test("the page needs a login of its own: neither tokens, keys nor the account's login open it", async () => {
  await using app = await caveApp();
  const { t } = app;
  const alice = await logIn(t, "alice");
  const token = await newToken(alice, "alice's");
  const { access_token } = await t.login("alice");
  const stranger = new Browser(t);
  for (const headers of [
    {},
    { authorization: `Bearer ${token}` },
    { authorization: `Bearer ${access_token}` },
  ]) {
    const away = await stranger.open(PAGE, headers);
    assert.equal(away.statusCode, 303);
    assert.match(String(away.headers.location), /\/sticky_auth\/api\/v1\/authorize\?/);
  }
  assert.equal((await stranger.post(PAGE, { description: "x" })).statusCode, 403);
  const outdated = await stranger.post(PAGE, { description: "x", token: "of a login that has ended" });
  assert.equal(outdated.statusCode, 303);
  assert.match(String(outdated.headers.location), /\/sticky_auth\/api\/v1\/authorize\?/);
  assert.ok(!stranger.cookies.has(SESSION));
  assert.deepEqual(await listed(alice), [token.slice(0, 8)]);
});

test("the login can be ended here", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logIn(t, "alice");
  const token = await newToken(browser, "stays");
  const gone = await browser.submit(await browser.open(PAGE), {}, {}, 'name="logout"');
  assert.equal(gone.statusCode, 303);
  assert.equal((await browser.open(PAGE)).statusCode, 303);
  assert.deepEqual(await listed(await logIn(t, "alice")), [token.slice(0, 8)]);
});

test("a page with a token runs our script only, and the list runs none", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logIn(t, "alice");
  const policyOf = (page: LightMyRequestResponse) => String(page.headers["content-security-policy"]);
  const list = await browser.open(PAGE);
  assert.match(policyOf(list), /^default-src 'none';(?!.*script-src).*frame-ancestors 'none'/);
  assert.equal(list.headers["cache-control"], "no-store");
  const made = await create(browser, "x");
  assert.match(policyOf(made), /script-src 'self'/);
  assert.doesNotMatch(policyOf(made), /unsafe/);
  const [, script = ""] = /<script src="([^"]+)">/.exec(made.body) ?? [];
  const asset = await browser.open(script);
  assert.equal(asset.statusCode, 200);
  assert.match(String(asset.headers["content-type"]), /^text\/javascript/);
});

test("without the section cave there is no page", async () => {
  await using t = await testApp();
  const browser = new Browser(t);
  assert.equal((await browser.open("/sticky_auth/settings/tokens")).statusCode, 404);
});
