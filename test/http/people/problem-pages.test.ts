/** What a browser sees where one of our pages cannot be shown, and what a program gets in its place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/errors.ts";
import { testApp } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { logIn, tryLogin } from "../../support/person.ts";

test("a browser gets a page that says what to do next, with the request ID for the operator", async () => {
  await using t = await testApp();
  const page = await new Browser(t).open("/acount");
  assert.equal(page.statusCode, 404);
  assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
  assert.match(String(page.headers["content-security-policy"]), /frame-ancestors 'none'/);
  assert.match(page.body, /Page not found/);
  assert.match(page.body, /href="\/account"/);
  assert.ok(page.body.includes(String(page.headers["x-tiled-request-id"])));
});

test("a program gets JSON, and so does every client below /api", async () => {
  await using t = await testApp();
  for (const response of [
    await t.call("/acount"),
    await t.call({ url: "/acount", headers: { accept: "*/*" } }),
    await new Browser(t).open("/api/v1/nope"),
    await new Browser(t).open("/api/v1/auth/principal"),
  ]) {
    assert.equal(response.headers["content-type"], "application/json");
    assert.ok("detail" in response.json<object>());
  }
});

test("without accounts no page leads to one", async () => {
  await using t = await testApp({ providers: false });
  const page = await new Browser(t).open("/nope");
  assert.equal(page.statusCode, 404);
  assert.doesNotMatch(page.body, /account|login/);
});

test("a database that is away: the page says that nothing was changed, and keeps the cookie", async () => {
  await using t = await testApp();
  const browser = await logIn(t, "bob");
  const account = await browser.open("/account");
  const { store } = t;
  assert.ok(store);
  const away = () => Promise.reject(new Failure("store_unavailable", { log: "SQLITE_IOERR secret detail" }));
  Object.assign(store.accounts, { sessions: away, revokeOthers: away });
  Object.assign(store.browserSessions, { open: away });
  for (const page of [
    await browser.open("/account"),
    await browser.submit(account, {}, {}, "/logout").then(() => tryLogin(new Browser(t), "bob", "secret2")),
  ]) {
    assert.equal(page.statusCode, 503);
    assert.match(page.body, /Nothing was changed/);
    assert.doesNotMatch(page.body, /SQLITE|secret/);
    assert.ok(page.body.includes(String(page.headers["x-tiled-request-id"])));
  }
});

test("a broken backend is no wrong password", async () => {
  const authenticator = {
    kind: "password",
    confirmationMessage: "",
    authenticate: () => Promise.reject(new Error("LDAP: connection refused by ldap.secret.example")),
  } as const;
  await using t = await testApp({ authenticators: new Map([["toy", authenticator]]) });
  const page = await tryLogin(new Browser(t), "alice", "secret1");
  assert.ok(page.statusCode >= 500);
  assert.match(page.body, /Something went wrong on this server/);
  assert.doesNotMatch(page.body, /LDAP|ldap/);
});
