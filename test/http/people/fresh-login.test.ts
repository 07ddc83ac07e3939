/** Actions that need a login within the last five minutes, and how a person continues after one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { apikey, bearer, PASSWORDS, type TestApp, testApp } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { logIn, logInAt, mixedApp, pathOf, tryLogin, whoIs } from "../../support/person.ts";

const NEW_KEY = 'action="/account/keys"';

async function stale(t: TestApp): Promise<Browser> {
  const browser = await logIn(t, "bob");
  t.clock.advance(301);
  return browser;
}

function asksAgain(response: LightMyRequestResponse): string {
  const path = pathOf(response);
  assert.equal(response.statusCode, 303);
  assert.match(path, /^\/login\?next=%2Faccount%2Fgo-on%3F.*&again=1$/);
  return path;
}

/** The password once more, and on to the page with the button. */
async function showAgain(browser: Browser, asked: LightMyRequestResponse): Promise<LightMyRequestResponse> {
  const query = asksAgain(asked).slice("/login".length);
  const back = await tryLogin(browser, "bob", PASSWORDS.bob, query);
  assert.match(pathOf(back), /^\/account\/go-on\?/);
  return await browser.open(pathOf(back));
}

test("a key: with an old login it is made after the password was shown once more, as it was asked for", async () => {
  await using t = await testApp();
  const browser = await stale(t);
  const fields = { note: "Grüße", lifetime: "week", "scope read:data": "1", "scope read:metadata": "1" };
  const asked = await browser.submit(await browser.open("/account"), fields, {}, NEW_KEY);
  const goOn = await showAgain(browser, asked);
  assert.match(goOn.body, /<dd>Grüße<\/dd>.*<dd>in one week<\/dd>.*read:data.*read:metadata/s);
  const made = await browser.submit(goOn, {});
  const secret = /<code>([0-9a-f]{72})<\/code>/.exec(made.body)?.[1] ?? "";
  const key = (await t.call({ url: "/api/v1/auth/apikey", headers: apikey(secret) })).json<{
    note: string;
    scopes: string[];
    expiration_time: string;
  }>();
  assert.equal(key.note, "Grüße");
  assert.deepEqual(key.scopes.toSorted(), ["read:data", "read:metadata"]);
  assert.match(key.expiration_time, /^2026-02-07/);
});

test("a note that fits no address is typed again, and all else is kept", async () => {
  await using t = await testApp();
  const browser = await stale(t);
  const fields = { note: "漢".repeat(255), lifetime: "day", "scope read:data": "1" };
  const asked = await browser.submit(await browser.open("/account"), fields, {}, NEW_KEY);
  const goOn = await showAgain(browser, asked);
  assert.match(goOn.body, /no note.*one day.*read:data/s);
});

test("revoking a key, ending a login and all others: the same", async () => {
  await using t = await testApp();
  const { access_token } = await t.login("bob");
  const key = await t.makeKey(access_token);
  const other = await logIn(t, "bob");
  const browser = await stale(t);
  const page = await browser.open("/account");
  const revoke = await browser.submit(page, {}, {}, "/account/keys/revoke");
  const end = await browser.submit(page, {}, {}, "/account/sessions/end");
  const endOthers = await browser.submit(page, {}, {}, "/account/sessions/end-others");
  for (const response of [revoke, end, endOthers]) asksAgain(response);
  assert.equal((await t.whoami(`Apikey ${key}`)).statusCode, 200);
  assert.equal((await t.whoami(`Bearer ${access_token}`)).statusCode, 200);

  const goOn = await showAgain(browser, revoke);
  assert.match(goOn.body, new RegExp(`<code>${key.slice(0, 8)}…</code>`));
  assert.equal(pathOf(await browser.submit(goOn, {})), "/account?done=key-revoked");
  assert.equal((await t.whoami(`Apikey ${key}`)).statusCode, 401);
  // The login is fresh now: nothing is asked again.
  const last = await browser.open(new URL(String(endOthers.headers.location)).searchParams.get("next") ?? "");
  assert.equal(pathOf(await browser.submit(last, {})), "/account?done=others-ended");
  assert.equal(await whoIs(other), null);
  assert.equal(await whoIs(browser), "bob");
});

test("logging out, ending one's own login by its form, and the API ask nothing again", async () => {
  await using t = await testApp();
  const { access_token } = await t.login("bob");
  const browser = await stale(t);
  const key = await t.makeKey(access_token);
  const headers = bearer(access_token);
  const url = `/api/v1/auth/apikey?first_eight=${key.slice(0, 8)}`;
  assert.equal((await t.call({ method: "DELETE", url, headers })).statusCode, 204);
  const out = await browser.submit(await browser.open("/account"), {}, {}, "Log out");
  assert.equal(pathOf(out), "/logout");
});

test("at a provider: its login leads back to the button", async () => {
  await using s = await mixedApp();
  const browser = new Browser(s.t);
  await logInAt(browser, s.orcid, "0000-0001");
  s.t.clock.advance(301);
  const fields = { lifetime: "week", "scope read:data": "1" };
  const asked = await browser.submit(await browser.open("/account"), fields, {}, NEW_KEY);
  const login = await browser.open(asksAgain(asked));
  const way = /href="([^"]*orcid\/authorize[^"]*)"/.exec(login.body)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const back = await logInAt(browser, s.orcid, "0000-0001", way);
  assert.match(pathOf(back), /^\/account\/go-on\?/);
  const made = await browser.submit(await browser.open(pathOf(back)), {});
  assert.match(made.body, /Your new key/);
});

test("a stranger's link shows no button: the page is only for the browser that asked", async () => {
  await using t = await testApp();
  const mallory = await stale(t);
  const fields = { lifetime: "never", inherit: "1" };
  const asked = await mallory.submit(await mallory.open("/account"), fields, {}, NEW_KEY);
  const next = new URL(String(asked.headers.location)).searchParams.get("next") ?? "";
  const victim = await logIn(t, "alice");
  assert.equal(pathOf(await victim.open(next)), "/account");
  await logIn(t, "bob", mallory);
  assert.match((await mallory.open(next)).body, /Create this key\?/);
  for (const changed of [
    next.replace("lifetime=never", "lifetime=week"),
    next.replace("action=keys", "action=keys%2Frevoke"),
    `${next}&note=x`,
    "/account/go-on",
    "/account/go-on?action=keys&action=keys",
  ]) {
    const response = await mallory.open(changed);
    assert.ok([303, 422].includes(response.statusCode), `${changed} ${response.statusCode}`);
  }
});
