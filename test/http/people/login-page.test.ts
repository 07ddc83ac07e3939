/** `/login` and `/logout`; what attackers try with them is in `test/http/people/login-page-hostile.test.ts`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import type { Authenticator } from "../../../src/domain/ports/authenticator.ts";
import { PASSWORDS, testApp, toy } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { auditOf, logIn, mixedApp, pathOf, SESSION, tryLogin, whoIs } from "../../support/person.ts";

test("the form helps password managers and phones, and blocks no paste", async () => {
  await using t = await testApp();
  const { body } = await new Browser(t).open("/login");
  const [username = "", password = ""] = [...body.matchAll(/<input type="(?:text|password)"[^>]*>/g)].map(
    ([input]) => input,
  );
  assert.match(username, / autocomplete="username"/);
  assert.match(username, / autocapitalize="none"/);
  assert.match(username, / inputmode="email"/);
  assert.match(username, / autofocus/);
  assert.match(password, / type="password".* autocomplete="current-password"/);
  assert.match(body, /<label for="username">.*<label for="password">/s);
  assert.doesNotMatch(body, /onpaste|autocomplete="off"|<script/);
});

test("a login leads to the account, or where the page was asked for", async () => {
  await using t = await testApp();
  assert.equal(pathOf(await tryLogin(new Browser(t), "bob", PASSWORDS.bob)), "/account");
  const next = "/api/v1/metadata/A?x=1&y=%2F";
  const browser = new Browser(t);
  const asked = await tryLogin(browser, "bob", PASSWORDS.bob, `?next=${encodeURIComponent(next)}`);
  assert.equal(pathOf(asked), next);
  assert.equal(await whoIs(browser), "bob");
});

test("a password that is wrong and a user that is unknown look the same", async () => {
  await using t = await testApp();
  const browser = new Browser(t);
  const wrong = await tryLogin(browser, "alice", "nope");
  const unknown = await tryLogin(browser, "zelda", "nope");
  assert.deepEqual([wrong.statusCode, unknown.statusCode], [401, 401]);
  assert.equal(wrong.headers["www-authenticate"], "Bearer");
  const plain = (page: LightMyRequestResponse) => {
    const id = String(page.headers["x-tiled-request-id"]);
    assert.ok(page.body.includes(id), "for the operator");
    return page.body.replaceAll(/alice|zelda/g, "NAME").replace(id, "REQUEST");
  };
  assert.equal(plain(wrong), plain(unknown));
  assert.match(wrong.body, /Incorrect user name or password/);
  assert.match(wrong.body, /value="alice"/);
  assert.doesNotMatch(wrong.body, /nope/);
  assert.equal(await whoIs(browser), null);
});

test("an empty form, or one with an invalid name, is shown again", async () => {
  await using t = await testApp();
  const browser = new Browser(t);
  for (const [username, password] of [
    ["", "x"],
    ["alice", ""],
  ] as const) {
    const page = await tryLogin(browser, username, password);
    assert.deepEqual([page.statusCode, /Enter your user name and password/.test(page.body)], [422, true]);
  }
  for (const name of ["x".repeat(256), "a\0b"]) {
    const page = await tryLogin(browser, name, "x");
    assert.deepEqual([page.statusCode, /at most 255 characters/.test(page.body)], [422, true]);
  }
});

test("guessing is throttled together with the token route, and the page says until when", async () => {
  await using t = await testApp();
  const browser = new Browser(t, "192.0.2.10");
  for (let guess = 0; guess < 5; guess++) {
    assert.equal((await tryLogin(browser, "alice", `guess ${guess}`)).statusCode, 401);
    const options = { remoteAddress: "192.0.2.10" };
    assert.equal((await t.loginAttempt("alice", `guess ${guess}`, options)).statusCode, 401);
  }
  const page = await tryLogin(browser, "alice", PASSWORDS.alice);
  assert.equal(page.statusCode, 429);
  assert.ok(Number(page.headers["retry-after"]) > 0);
  assert.match(page.body, /Too many failed attempts\. Try again in \d minutes\./);
  assert.equal((await tryLogin(browser, "bob", PASSWORDS.bob)).statusCode, 303);
  assert.equal((await tryLogin(new Browser(t, "10.1.1.1"), "alice", PASSWORDS.alice)).statusCode, 303);
});

test("hosts that the operator allows: the form may lead there, after a question to a logged-in person", async () => {
  await using t = await testApp({ server: { verifyHosts: ["data.example.org"] } });
  const next = "http://data.example.org/x?y";
  const url = `/login?${new URLSearchParams({ next })}`;
  const browser = new Browser(t);
  const page = await browser.open(url);
  assert.match(page.body, /You will then continue to <strong>data\.example\.org<\/strong>/);
  assert.match(
    String(page.headers["content-security-policy"]),
    /form-action 'self' http:\/\/data\.example\.org;/,
  );
  const away = await browser.submit(page, { username: "bob", password: PASSWORDS.bob });
  assert.equal(away.headers.location, next);
  // It would be sent back and forth for ever, where that host does not see the cookie.
  const known = await browser.open(url);
  assert.deepEqual([known.statusCode, known.body.includes(`href="${next}"`)], [200, true]);
});

test("a logged-in person is redirected at once, and logs in again only on request", async () => {
  await using t = await testApp();
  const browser = await logIn(t, "alice");
  assert.equal(pathOf(await browser.open("/login")), "/account");
  assert.equal(pathOf(await browser.open("/login?next=/docs")), "/docs");
  const again = await browser.open("/login?again=1&next=/docs");
  assert.equal(again.statusCode, 200);
  assert.match(again.body, /Log in again/);
  assert.match(again.body, /value="alice"/);
});

test("a refused login says why, and what to do", async () => {
  await using t = await testApp({ authentication: { sessionLimit: 1 } });
  await t.login("bob");
  const full = await tryLogin(new Browser(t), "bob", PASSWORDS.bob);
  assert.deepEqual([full.statusCode, /Too many sessions/.test(full.body)], [400, true]);
  assert.match(full.body, /Log out of one/);
  const { principal, access_token } = await t.login("cara");
  await t.store?.principals.setDisabled({
    principal: (await t.whoami(`Bearer ${access_token}`)).json<{ uuid: never }>().uuid,
    disabled: true,
    now: new Date(t.clock.now()),
    context: { address: null, requestId: null, actor: null },
  });
  assert.ok(principal);
  const disabled = await tryLogin(new Browser(t), "cara", PASSWORDS.cara);
  assert.deepEqual([disabled.statusCode, /This account is disabled/.test(disabled.body)], [401, true]);
});

test("a browser that logs in anew does not need a second place among its person's sessions", async () => {
  await using t = await testApp({ authentication: { sessionLimit: 1 } });
  const browser = await logIn(t, "bob");
  await logIn(t, "bob", browser);
  assert.equal(await whoIs(browser), "bob");
});

test("several providers: one is chosen first, and sites elsewhere are a link away", async () => {
  const twice = new Map<string, Authenticator>([
    ["institute", toy()],
    ["beamline", toy()],
  ]);
  await using t = await testApp({ authenticators: twice });
  const browser = new Browser(t);
  const page = await browser.open("/login?next=/docs");
  assert.doesNotMatch(page.body, /<form/);
  const link = /href="(\/login\?provider=beamline[^"]*)"/.exec(page.body)?.[1] ?? "";
  const form = await browser.open(link.replaceAll("&amp;", "&"));
  assert.match(form.body, /Use your <strong>beamline</);
  const back = await browser.submit(form, { username: "bob", password: PASSWORDS.bob });
  assert.equal(pathOf(back), "/docs");

  await using mixed = await mixedApp();
  const both = await new Browser(mixed.t).open("/login?next=/docs");
  assert.match(both.body, /<form/);
  assert.ok(both.body.includes('href="/api/v1/auth/provider/orcid/authorize?next=%2Fdocs"'));
});

test("logging out ends the session and leaves no credential in the browser", async () => {
  await using t = await testApp();
  const key = await t.makeKey((await t.login("bob")).access_token);
  const browser = await logIn(t, "bob");
  browser.cookies.set("tiled_api_key", { value: key, path: "/" });
  const secret = browser.cookies.get(SESSION);
  const page = await browser.open("/logout");
  assert.match(page.body, /You are logged in as <strong>bob</);
  const out = await browser.submit(page, {});
  assert.deepEqual([out.statusCode, pathOf(out)], [303, "/logout"]);
  assert.deepEqual([browser.cookies.has(SESSION), browser.cookies.has("tiled_api_key")], [false, false]);
  assert.match((await browser.open("/logout")).body, /This browser is logged out/);
  const kept = new Browser(t);
  kept.cookies.set(SESSION, secret ?? { value: "", path: "/" });
  assert.equal(await whoIs(kept), null);
  assert.equal((await auditOf(t)).at(-1), "session_revoked");
  assert.equal((await kept.submit(page, {})).statusCode, 303, "also when it has ended already");
});

test("the landing page leads to the login and the account where there are any", async () => {
  await using t = await testApp();
  assert.match((await new Browser(t).open("/")).body, /<a href="\/login">Log in</);
  assert.match((await (await logIn(t, "bob")).open("/")).body, /<a href="\/account">Your account</);
  await using single = await testApp({ providers: false });
  assert.doesNotMatch((await new Browser(single).open("/")).body, /\/login|\/account/);
  for (const url of ["/login", "/account", "/logout"]) {
    assert.equal((await new Browser(single).open(url)).statusCode, 404, url);
  }
});

test("below a prefix all of it stands there", async () => {
  await using t = await testApp({ server: { rootPath: "/data" } });
  const browser = new Browser(t);
  const login = await browser.open("/data/account");
  assert.equal(login.headers.location, "/data/login?next=%2Fdata%2Faccount");
  const page = await browser.open(String(login.headers.location));
  assert.equal(formOf(page).action, "/data/login");
  const back = await browser.submit(page, { username: "bob", password: PASSWORDS.bob });
  assert.equal(back.headers.location, "/data/account");
  assert.match((await browser.open("/data/account")).body, /action="\/data\/logout"/);
});

test("a space around a user name is taken off, one in a password never is", async () => {
  const authenticators = new Map([["toy", toy({ ann: " secret " })]]);
  await using t = await testApp({ authenticators });
  const browser = new Browser(t);
  assert.equal((await tryLogin(browser, " ann\t", "secret")).statusCode, 401);
  assert.equal((await tryLogin(browser, "   ", " secret ")).statusCode, 422);
  assert.equal((await tryLogin(browser, " ann\t", " secret ")).statusCode, 303);
  assert.equal(await whoIs(browser), "ann");
});
