/** What the pages of the account and of a device login know of CAVE: its tokens are keys, and its logins are sessions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, type TestApp } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { logIn } from "../../support/person.ts";
import { authorizePath, caveApp, logInToCave, SERVICE, TOKENS, tokenIn, VIEWER } from "./pages.ts";

async function statusOf(t: TestApp, token: string): Promise<number> {
  return (await t.call({ url: "/auth/api/v1/user/cache", headers: bearer(token) })).statusCode;
}

async function newToken(browser: Browser): Promise<string> {
  const page = await browser.open(TOKENS);
  const made = await browser.submit(page, { description: "My laptop" }, {}, 'name="description"');
  return /<code id="token">([0-9a-f]{32})</.exec(made.body)?.[1] ?? "";
}

test("a token of CAVE is among the keys of the account, by its name, and is revoked there", async () => {
  await using app = await caveApp();
  const { t } = app;
  const token = await newToken(await logInToCave(t, "alice"));
  assert.equal(await statusOf(t, token), 200);
  const browser = await logIn(t, "alice");
  const page = await browser.open("/account");
  assert.match(page.body, /<strong>My laptop<\/strong>.*CAVE token · /s);
  assert.ok(page.body.includes(`<a href="${TOKENS}">`));
  const gone = await browser.submit(page, {}, {}, `value="${token.slice(0, 8)}"`);
  assert.match(String(gone.headers.location), /done=key-revoked/);
  assert.equal(await statusOf(t, token), 401);
});

test("a key made on the account page with the scope cave is a token of CAVE and opens nothing of Tiled", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logIn(t, "bob");
  const fields = { note: "n", lifetime: "week", "scope cave": "1" };
  const made = await browser.submit(await browser.open("/account"), fields, {}, "Create key");
  assert.equal(made.statusCode, 200);
  const [key = ""] = /[0-9a-f]{72}/.exec(made.body) ?? [];
  assert.match(made.body, /client\.auth\.save_token/);
  assert.doesNotMatch(made.body, /from_uri/);
  assert.equal(await statusOf(t, key), 200);
  const tree = await t.call({ url: "/api/v1/metadata/", headers: { authorization: `Apikey ${key}` } });
  assert.equal(tree.statusCode, 401);
  const all = { note: "n", lifetime: "week", inherit: "1" };
  const inherit = await browser.submit(await browser.open("/account"), all, {}, "Create key");
  const [everything = ""] = /[0-9a-f]{72}/.exec(inherit.body) ?? [];
  assert.equal(await statusOf(t, everything), 401);
});

test("login tokens end with their session on the account page, and other sessions go on", async () => {
  await using app = await caveApp();
  const { t } = app;
  const one = await logInToCave(t, "alice");
  const other = await logInToCave(t, "alice", new Browser(t, "192.0.2.77"));
  const hand = async (browser: Browser, origin: string) =>
    tokenIn(await browser.open(authorizePath(`${origin}/x`))) ?? "";
  const ending = [await hand(one, SERVICE), await hand(one, VIEWER)];
  const staying = await hand(other, SERVICE);
  for (const token of [...ending, staying]) assert.equal(await statusOf(t, token), 200);

  const account = await logIn(t, "alice", new Browser(t, "192.0.2.99"));
  const page = await account.open("/account");
  const ended = await account.submit(page, {}, {}, "192.0.2.10");
  assert.match(String(ended.headers.location), /done=session-ended/);
  for (const token of ending) assert.equal(await statusOf(t, token), 401);
  assert.equal(await statusOf(t, staying), 200);
  assert.equal((await one.open(TOKENS)).statusCode, 303);
  assert.equal((await other.open(TOKENS)).statusCode, 200);

  await account.submit(await account.open("/account"), {}, {}, "/account/sessions/end-others");
  assert.equal(await statusOf(t, staying), 401);
  assert.equal((await other.open(TOKENS)).statusCode, 303);
});

test("the page that confirms a program's login names the page of CAVE's tokens", async () => {
  await using app = await caveApp();
  const { t, orcid } = app;
  const begun = await t.call({ method: "POST", url: "/api/v1/auth/provider/orcid/authorize" });
  const { authorization_uri: away } = begun.json<{ authorization_uri: string }>();
  const page = await new Browser(t).open(orcid.signIn(away, "0000-0001"));
  assert.match(page.body, /Let a program log in as you\?/);
  assert.ok(page.body.includes(`<a href="${TOKENS}">your CAVE tokens</a>`));
});
