/** `/login/invitation/…`, `/login/reset/…` and `/login/new-password`; links are made as the command line makes them. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { testApp, toy } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { ADAS_PASSWORD, localAccounts } from "../../support/local-accounts.ts";
import { pathOf, tryLogin, whoIs } from "../../support/person.ts";

const PASSWORD = ADAS_PASSWORD;
const NEW = "a wholly different sentence";
const OVER = /This link has been used, replaced, or is too old\. Ask for another\./;

async function scene(t: TestContext, server: { publicUrl?: string } = {}) {
  const made = await localAccounts(server);
  t.after(() => made.app.close());
  return made;
}

/** Opens a link as a person does, and returns the page that it leads to. */
async function follow(browser: Browser, path: string) {
  const answer = await browser.open(path);
  assert.equal(answer.statusCode, 303);
  assert.equal(pathOf(answer), "/login/new-password");
  return await browser.open("/login/new-password");
}

const filled = (text: string) => ({ new_password: text, new_password_again: text });

test("a reset sets the password, logs in, and ends all other sessions", async (t) => {
  const { app, link } = await scene(t);
  const other = new Browser(app);
  await tryLogin(other, "ada", PASSWORD);
  assert.equal(await whoIs(other), "ada");
  const { path } = await link();
  const browser = new Browser(app);
  const page = await follow(browser, path);
  assert.equal(page.statusCode, 200);
  assert.match(page.body, /<strong>ada<\/strong>/);
  assert.match(page.body, /name="revoke_keys"/);
  assert.match(String(page.headers["content-security-policy"]), /default-src 'none'/);
  const done = await browser.submit(page, filled(NEW));
  assert.deepEqual([done.statusCode, pathOf(done)], [303, "/account"], done.body);
  assert.equal(await whoIs(browser), "ada");
  assert.equal(await whoIs(other), null);
  assert.equal((await tryLogin(new Browser(app), "ada", PASSWORD)).statusCode, 401);
  assert.equal((await tryLogin(new Browser(app), "ada", NEW)).statusCode, 303);
});

test("a link counts once, only the newest, and for its time; an unknown one is answered the same", async (t) => {
  const { app, clock, link, store, change } = await scene(t);
  const over = async (path: string) => {
    const page = await follow(new Browser(app), path);
    assert.equal(page.statusCode, 410);
    assert.match(page.body, OVER);
  };
  const first = await link();
  const second = await link();
  await over(first.path);
  await over(`/login/reset/${"0".repeat(64)}`);
  await over("/login/invitation/no-link");
  const [one, two] = [new Browser(app), new Browser(app)];
  const pages = [await follow(one, second.path), await follow(two, second.path)] as const;
  const answers = await Promise.all([one.submit(pages[0], filled(NEW)), two.submit(pages[1], filled(NEW))]);
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [303, 410]);
  await over(second.path);
  const third = await link();
  const late = new Browser(app);
  const page = await follow(late, third.path);
  clock.advance(3601);
  assert.equal((await late.submit(page, filled(NEW))).statusCode, 410);
  await over(third.path);
  const fourth = await link("bob");
  assert.equal((await store.localAccounts.remove({ ...change(), name: "bob" })).kind, "removed");
  await over(fourth.path);
});

test("opening a link uses nothing up, and leaves no link in a Referer, a later address, or the log", async (t) => {
  const { app, link } = await scene(t);
  const { path, secret } = await link();
  for (const method of ["HEAD", "GET", "GET"] as const) {
    const answer = await app.call({ method, url: path });
    assert.equal(answer.statusCode, 303);
    assert.equal(answer.headers["referrer-policy"], "no-referrer");
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.ok(!String(answer.headers.location).includes(secret));
    const [cookie] = answer.cookies.filter(({ name }) => name === "tiled_link");
    assert.deepEqual(
      [cookie?.path, cookie?.httpOnly, cookie?.sameSite, cookie?.secure ?? false],
      ["/login", true, "Lax", false],
    );
  }
  await app.call({ method: "POST", url: path });
  await app.call(`/login//reset/${secret}`);
  await app.call(`/login/res%65t/${secret}`);
  const browser = new Browser(app);
  const page = await follow(browser, path);
  assert.ok(!page.body.includes(secret));
  assert.equal((await browser.submit(page, filled(NEW))).statusCode, 303);
  const log = app.logLines.join("\n");
  assert.match(log, /\/login\/reset\/…/);
  assert.ok(!log.includes(secret));
});

test("under HTTPS the cookie is Secure", async (t) => {
  const { app, link } = await scene(t, { publicUrl: "https://tiled.example.org" });
  const { path } = await link();
  const { cookies } = await app.call({ url: path, headers: { host: "tiled.example.org" } });
  const [cookie] = cookies.filter(({ name }) => name === "__Secure-tiled_link");
  assert.deepEqual([cookie?.secure, cookie?.path], [true, "/login"]);
});

test("a page sets the password of its own link's account only, and not from another site", async (t) => {
  const { app, link } = await scene(t);
  const [ada, bob] = [await link("ada"), await link("bob")];
  const browser = new Browser(app);
  const page = await follow(browser, ada.path);
  await follow(browser, bob.path);
  const crossed = await browser.submit(page, filled(NEW));
  assert.equal(crossed.statusCode, 403);
  assert.match(crossed.body, /<strong>bob<\/strong>/);
  const foreign = await browser.submit(crossed, filled(NEW), { origin: "https://evil.example" });
  assert.equal(foreign.statusCode, 403);
  assert.equal((await browser.post("/login/new-password", filled(NEW))).statusCode, 403);
  for (const name of ["ada", "bob"])
    assert.equal((await tryLogin(new Browser(app), name, PASSWORD)).statusCode, 303);
});

test("a password that is not allowed is answered with its rule, and the link still counts", async (t) => {
  const { app, link } = await scene(t);
  const { path } = await link();
  const browser = new Browser(app);
  const page = await follow(browser, path);
  for (const [fields, problem] of [
    [filled("short"), /too short: it needs 15 characters/],
    [filled(""), /too short/],
    [{ new_password: NEW, new_password_again: PASSWORD }, /The two passwords differ\./],
  ] as const) {
    const again = await browser.submit(page, fields);
    assert.equal(again.statusCode, 422);
    assert.match(again.body, problem);
    assert.ok(!again.body.includes(NEW));
  }
  assert.equal((await browser.submit(page, filled(NEW))).statusCode, 303);
});

test("without such a provider there are no such pages", async (t) => {
  const app = await testApp({ authenticators: new Map([["toy", toy()]]) });
  t.after(() => app.close());
  assert.equal((await app.call("/login/new-password")).statusCode, 404);
});
