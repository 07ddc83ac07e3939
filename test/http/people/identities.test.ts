/** Adding and removing identities with a browser, and what attackers try with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { PASSWORDS } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { auditOf, logIn, logInAt, mixedApp, pathOf, tryLogin, whoIs } from "../../support/person.ts";

const ADD_ORCID = "/account/identities/add/orcid";
const ADD_TOY = "/account/identities/add/toy";

/** Presses the button that leads to the provider; the address there. */
async function leave(browser: Browser): Promise<string> {
  const page = await browser.submit(await browser.open(ADD_ORCID), {}, {}, ADD_ORCID);
  assert.equal(page.statusCode, 200);
  const refresh = /<meta http-equiv="refresh" content="0; url=([^"]*)">/.exec(page.body)?.[1] ?? "";
  return refresh.replaceAll("&amp;", "&");
}

function identitiesOf(page: LightMyRequestResponse): string[] {
  const section = /<section aria-labelledby="identities">.*?<\/section>/s.exec(page.body)?.[0] ?? "";
  return [...section.matchAll(/<strong>([^<]*)<\/strong>.*?<p class="quiet">(\w+) ·/gs)].map(
    ([, id, provider]) => `${provider} ${id}`,
  );
}

async function principalOf(browser: Browser): Promise<string[]> {
  return identitiesOf(await browser.open("/account"));
}

test("an identity of another provider is added, and opens the same account from then on", async () => {
  await using s = await mixedApp();
  const browser = await logIn(s.t, "alice");
  const page = await browser.open(ADD_ORCID);
  assert.match(page.body, /You are logged in as <strong>alice<\/strong> with toy/);
  const back = await browser.open(s.orcid.signIn(await leave(browser), "0000-0001"));
  assert.deepEqual([back.statusCode, pathOf(back)], [303, "/account?done=identity-added"]);
  assert.deepEqual(await principalOf(browser), ["orcid 0000-0001", "toy alice"]);
  assert.equal(await whoIs(browser), "alice", "the login is the same");

  const other = new Browser(s.t);
  await logInAt(other, s.orcid, "0000-0001");
  assert.equal(await whoIs(other), "0000-0001");
  assert.deepEqual(await principalOf(other), ["orcid 0000-0001", "toy alice"]);
  const events = await auditOf(s.t);
  assert.equal(events.filter((event) => event === "principal_created").length, 1);
  assert.equal(events.filter((event) => event === "identity_linked").length, 1);
});

test("an identity with a password is added by it; errors are shown beside the form", async () => {
  await using s = await mixedApp();
  const browser = new Browser(s.t);
  await logInAt(browser, s.orcid, "0000-0001");
  const page = await browser.open(ADD_TOY);
  const add = (fields: Record<string, string>) => browser.submit(page, fields, {}, ADD_TOY);
  const empty = await add({ username: "bob", password: "" });
  assert.deepEqual([empty.statusCode, /Enter your user name/.test(empty.body)], [422, true]);
  const wrong = await add({ username: "bob", password: "nope" });
  assert.deepEqual([wrong.statusCode, /Incorrect user name or password/.test(wrong.body)], [401, true]);
  const done = await add({ username: "bob", password: PASSWORDS.bob });
  assert.equal(pathOf(done), "/account?done=identity-added");
  assert.deepEqual(await principalOf(browser), ["orcid 0000-0001", "toy bob"]);
  const again = await add({ username: "bob", password: PASSWORDS.bob });
  assert.equal(pathOf(again), "/account?done=identity-known");
  const { principal } = await s.t.login("bob");
  assert.equal((await auditOf(s.t)).filter((event) => event === "principal_created").length, 2, principal);
});

test("guessing there is throttled like any other guessing", async () => {
  await using s = await mixedApp();
  const browser = new Browser(s.t);
  await logInAt(browser, s.orcid, "0000-0001");
  const page = await browser.open(ADD_TOY);
  for (let guess = 0; guess < 10; guess++) {
    await browser.submit(page, { username: "bob", password: `guess ${guess}` }, {}, ADD_TOY);
  }
  const refused = await browser.submit(page, { username: "bob", password: PASSWORDS.bob }, {}, ADD_TOY);
  assert.equal(refused.statusCode, 429);
  assert.ok(Number(refused.headers["retry-after"]) > 0);
});

test("an identity of another account is refused, with a page that says why", async () => {
  await using s = await mixedApp();
  await logInAt(new Browser(s.t), s.orcid, "0000-0001");
  await s.t.login("bob");
  const browser = await logIn(s.t, "alice");
  const taken = await browser.open(s.orcid.signIn(await leave(browser), "0000-0001"));
  assert.equal(taken.statusCode, 409);
  assert.match(taken.body, /This identity belongs to another account/);
  assert.ok(taken.body.includes(String(taken.headers["x-tiled-request-id"])));
  const page = await browser.open(ADD_TOY);
  const password = await browser.submit(page, { username: "bob", password: PASSWORDS.bob }, {}, ADD_TOY);
  assert.equal(password.statusCode, 409);
  assert.deepEqual(await principalOf(browser), ["toy alice"]);
  assert.equal((await auditOf(s.t)).filter((event) => event === "identity_link_refused").length, 2);
});

test("a login of more than five minutes ago is not enough: it is asked for again, and leads back", async () => {
  await using s = await mixedApp();
  const browser = await logIn(s.t, "alice");
  const fresh = await browser.open(ADD_ORCID);
  s.t.clock.advance(301);
  const late = await browser.open(ADD_ORCID);
  assert.equal(pathOf(late), `/login?next=${encodeURIComponent(ADD_ORCID)}&again=1`);
  const post = await browser.submit(fresh, {}, {}, ADD_ORCID);
  assert.equal(pathOf(post), `/login?next=${encodeURIComponent(ADD_ORCID)}&again=1`);
  const again = await tryLogin(browser, "alice", PASSWORDS.alice, pathOf(late).slice("/login".length));
  assert.equal(pathOf(again), ADD_ORCID);
  const back = await browser.open(s.orcid.signIn(await leave(browser), "0000-0001"));
  assert.equal(pathOf(back), "/account?done=identity-added");
});

test("a login that took long at the provider is still fresh, but not forever", async () => {
  await using s = await mixedApp();
  const browser = await logIn(s.t, "alice");
  s.t.clock.advance(299);
  const slow = await leave(browser);
  s.t.clock.advance(590);
  assert.equal(pathOf(await browser.open(s.orcid.signIn(slow, "0000-0001"))), "/account?done=identity-added");
});

test("login CSRF: a stranger's identity is never linked to a victim's account", async () => {
  await using s = await mixedApp();
  const mallory = await logIn(s.t, "bob");
  const victim = await logIn(s.t, "alice");
  // Mallory begins, and sends the victim the way back with his own identity.
  const back = s.orcid.signIn(await leave(mallory), "mallory");
  assert.equal((await victim.open(back)).statusCode, 401);
  assert.deepEqual(await principalOf(victim), ["toy alice"]);
  // The victim's browser is made to begin a login, not a link: it is a login, and adds nothing.
  const login = await victim.open(`/api/v1/auth/provider/orcid/authorize?next=${ADD_ORCID}`);
  await victim.open(s.orcid.signIn(String(login.headers.location), "mallory"));
  const alice = await logIn(s.t, "alice");
  assert.deepEqual(await principalOf(alice), ["toy alice"]);
  // Nothing begins without the form's token.
  assert.equal((await alice.post(ADD_ORCID, {})).statusCode, 403);
  const token = formOf(await mallory.open("/account"), "/logout").hidden;
  assert.equal((await alice.post(ADD_ORCID, token)).statusCode, 403);
});

test("linking begun in one login cannot be finished in another, nor after its end", async () => {
  await using s = await mixedApp();
  const browser = await logIn(s.t, "alice");
  const begun = await leave(browser);
  await logIn(s.t, "bob", browser);
  const other = await browser.open(s.orcid.signIn(begun, "0000-0001"));
  assert.deepEqual([other.statusCode, /started under another login/.test(other.body)], [401, true]);
  assert.deepEqual(await principalOf(browser), ["toy bob"]);

  const again = await leave(browser);
  await browser.submit(await browser.open("/logout"), {});
  assert.equal((await browser.open(s.orcid.signIn(again, "0000-0001"))).statusCode, 401);
  assert.ok(!(await auditOf(s.t)).includes("identity_linked"));
  assert.equal((await auditOf(s.t)).filter((event) => event === "principal_created").length, 2);
});

test("denied at the provider: nothing is added, and it leads back to the account, not to an application", async () => {
  await using s = await mixedApp({}, { redirectOnFailure: "https://ui.example/no" });
  const browser = await logIn(s.t, "alice");
  const denied = await browser.open(s.orcid.deny(await leave(browser)));
  assert.equal(denied.statusCode, 401);
  assert.match(denied.body, /orcid did not log you in.*href="\/account">Back to your account</s);
  assert.deepEqual(await principalOf(browser), ["toy alice"]);
});

async function withTwo(s: Awaited<ReturnType<typeof mixedApp>>): Promise<Browser> {
  const browser = await logIn(s.t, "alice");
  await browser.open(s.orcid.signIn(await leave(browser), "0000-0001"));
  return browser;
}

test("an identity is removed, together with its sessions; the last one stays", async () => {
  await using s = await mixedApp();
  const browser = await withTwo(s);
  const byOrcid = new Browser(s.t);
  await logInAt(byOrcid, s.orcid, "0000-0001");
  const page = await browser.open("/account");
  const done = await browser.submit(page, {}, {}, 'value="0000-0001"');
  assert.equal(pathOf(done), "/account?done=identity-removed");
  assert.equal(await whoIs(byOrcid), null);
  assert.deepEqual(await principalOf(browser), ["toy alice"]);
  assert.doesNotMatch((await browser.open("/account")).body, /identities\/remove/);
  const last = { ...formOf(page, "/logout").hidden, provider: "toy", id: "alice" };
  const kept = await browser.post("/account/identities/remove", last);
  assert.equal(pathOf(kept), "/account?done=identity-last");
  const gone = await browser.post("/account/identities/remove", { ...last, provider: "orcid", id: "x" });
  assert.equal(pathOf(gone), "/account?done=identity-gone");
  assert.equal(await whoIs(browser), "alice");
  // From now on it belongs to another person.
  const newcomer = new Browser(s.t);
  await logInAt(newcomer, s.orcid, "0000-0001");
  assert.deepEqual(await principalOf(newcomer), ["orcid 0000-0001"]);
});

test("removing the identity in use logs out", async () => {
  await using s = await mixedApp();
  const browser = await withTwo(s);
  const page = await browser.open("/account");
  await browser.submit(page, {}, {}, 'name="id" value="alice"');
  assert.equal(await whoIs(browser), null);
  await logInAt(browser, s.orcid, "0000-0001");
  assert.deepEqual(await principalOf(browser), ["orcid 0000-0001"]);
});

test("removing needs a fresh login, too", async () => {
  await using s = await mixedApp();
  const browser = await withTwo(s);
  s.t.clock.advance(301);
  const page = await browser.open("/account");
  const late = await browser.submit(page, {}, {}, 'value="0000-0001"');
  assert.match(pathOf(late), /^\/login\?next=%2Faccount%2Fgo-on.*&again=1$/);
  assert.equal((await principalOf(browser)).length, 2);
  const again = await tryLogin(browser, "alice", PASSWORDS.alice, pathOf(late).slice("/login".length));
  const goOn = await browser.open(pathOf(again));
  assert.match(goOn.body, /<strong>0000-0001<\/strong> of orcid will no longer open this account/);
  assert.equal(pathOf(await browser.submit(goOn, {})), "/account?done=identity-removed");
  assert.deepEqual(await principalOf(browser), ["toy alice"]);
});

test("a token from before an identity was removed does not name it any more", async () => {
  await using s = await mixedApp();
  const browser = await withTwo(s);
  const { access_token } = await s.t.login("alice");
  await browser.submit(await browser.open("/account"), {}, {}, 'value="0000-0001"');
  const whoami = (await s.t.whoami(`Bearer ${access_token}`)).json<{ identities: { id: string }[] }>();
  assert.deepEqual(
    whoami.identities.map(({ id }) => id),
    ["alice"],
  );
});

test("an unknown provider is a page that does not exist", async () => {
  await using s = await mixedApp();
  const browser = await logIn(s.t, "alice");
  for (const name of ["nope", "__proto__", "%2e%2e"]) {
    assert.equal((await browser.open(`/account/identities/add/${name}`)).statusCode, 404, name);
  }
  const token = formOf(await browser.open("/account"), "/logout").hidden;
  assert.equal((await browser.post("/account/identities/add/nope", token)).statusCode, 404);
});
