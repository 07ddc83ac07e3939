/** Logout at CAVE's pages: what ends with a login, and who cannot end it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, type TestApp } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { auditOf, logIn, whoIs } from "../../support/person.ts";
import { authorizePath, COOKIE, caveApp, logInToCave, SERVER, SERVICE, tokenIn, VIEWER } from "./pages.ts";

const LOGOUT = "/sticky_auth/api/v1/logout";

async function statusWith(t: TestApp, token: string): Promise<number> {
  return (await t.call({ url: "/auth/api/v1/user/cache", headers: bearer(token) })).statusCode;
}

async function handedTo(browser: Browser, redirect?: string): Promise<string> {
  return tokenIn(await browser.open(authorizePath(redirect))) ?? assert.fail("no token");
}

test("it ends the session and every login that it handed over, and nothing else", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logInToCave(t, "bob");
  const other = await logInToCave(t, "bob");
  const account = await logIn(t, "bob");
  const tokens = [
    await handedTo(browser),
    await handedTo(browser, `${VIEWER}/`),
    await handedTo(browser, SERVICE),
  ];
  const kept = await handedTo(other, `${VIEWER}/`);
  const { access_token } = await t.login("bob");
  const apiToken = await t.makeKey(access_token, { scopes: ["cave"] });
  for (const token of [...tokens, kept, apiToken]) assert.equal(await statusWith(t, token), 200);

  const page = await browser.open(LOGOUT);
  assert.equal(page.statusCode, 200);
  assert.match(page.body, /logged in as <strong>bob</);
  for (const token of tokens)
    assert.equal(await statusWith(t, token), 200, "opening the page changes nothing");
  const response = await browser.submit(page, {});
  assert.equal(response.statusCode, 303);
  assert.equal(response.headers.location, SERVER + LOGOUT);
  assert.ok(!browser.cookies.has(COOKIE));
  assert.match((await browser.open(LOGOUT)).body, /<h1>Logged out/);
  for (const token of tokens) assert.equal(await statusWith(t, token), 401);
  for (const token of [kept, apiToken]) assert.equal(await statusWith(t, token), 200);
  assert.equal(await whoIs(account), "bob");
  assert.equal(tokenIn(await browser.open(authorizePath(`${VIEWER}/`))), null);
  assert.ok((await auditOf(t)).includes("session_revoked"));
});

test("no page of another site and no other person can end it", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logInToCave(t, "bob");
  const page = await browser.open(LOGOUT);
  const theirs = formOf(await (await logInToCave(t, "alice")).open(LOGOUT)).hidden;
  const account = formOf(await (await logIn(t, "bob")).open("/logout")).hidden;
  for (const fields of [{}, { logout: "1" }, { token: "" }, { token: "x" }, theirs, account]) {
    const refused = await browser.post(LOGOUT, fields);
    assert.equal(refused.statusCode, 403, JSON.stringify(fields));
    assert.match(refused.body, /This form is no longer valid/);
  }
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: VIEWER },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ] as Record<string, string>[]) {
    assert.equal((await browser.submit(page, {}, headers)).statusCode, 403, JSON.stringify(headers));
  }
  assert.match((await browser.open(LOGOUT)).body, /logged in as <strong>bob</);
  assert.match(await handedTo(browser, `${VIEWER}/`), /^[0-9a-f]{32}$/);
});

test("a page of another site cannot read whose login it would end", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
  assert.ok(!(await browser.open(LOGOUT, headers)).body.includes("bob"));
});

test("a login that has ended is logged out already", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logInToCave(t, "bob");
  const page = await browser.open(LOGOUT);
  t.clock.advance(31_536_000_001);
  assert.equal((await browser.submit(page, {})).statusCode, 303);
  assert.ok(!browser.cookies.has(COOKIE));
  assert.match((await new Browser(t).open(LOGOUT)).body, /<h1>Logged out/);
});

test("the other prefix leads to the page that knows the login", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  const response = await browser.open("/auth/api/v1/logout");
  assert.equal(response.statusCode, 303);
  assert.equal(response.headers.location, SERVER + LOGOUT);
});

test("no answer is kept or framed", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  for (const who of [browser, new Browser(app.t)]) {
    const { headers } = await who.open(LOGOUT);
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.match(String(headers["content-security-policy"]), /default-src 'none'.*frame-ancestors 'none'/);
    assert.doesNotMatch(String(headers["content-security-policy"]), /unsafe/);
  }
});
