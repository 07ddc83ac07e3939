/** The page of CAVE's terms of service: who may accept which terms, and where the browser goes afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { PASSWORDS, type TestApp, type TestAppOptions, type UserName } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { auditOf } from "../../support/person.ts";
import { caveApp, handOverIn, SERVER, SERVICE, TOKENS, VIEWER } from "./pages.ts";

const PAGE = `${SERVER}/sticky_auth/api/v1/tos/2/accept`;
const TERMS = { id: 2, name: "microns", text: "Be kind.\n\nCite us." };
const TICKED = { tos_agree: "true" };

async function termsApp(cave: TestAppOptions["cave"] = {}) {
  return await caveApp({ cave: { tos: [TERMS], ...cave } });
}

/** Opens the page as a person who is not logged in yet. */
async function openAs(t: TestApp, user: UserName, url = PAGE) {
  const browser = new Browser(t);
  const away = await browser.open(url);
  assert.equal(away.statusCode, 303, away.body);
  const login = String(away.headers.location);
  const welcome = await browser.submit(await browser.open(login), {
    username: user,
    password: PASSWORDS[user],
  });
  const back = await browser.open(String(welcome.headers.location));
  assert.equal(back.headers.location, url, back.body);
  return { browser, page: await browser.open(url) };
}

async function acceptances(t: TestApp): Promise<number> {
  return (await auditOf(t)).filter((event) => event === "cave_terms_accepted").length;
}

function locationOf(response: LightMyRequestResponse): URL {
  assert.equal(response.statusCode, 303, response.body);
  return new URL(String(response.headers.location));
}

test("a person logs in, reads the terms, accepts them, and is thanked", async () => {
  await using app = await termsApp();
  const { t } = app;
  const { browser, page } = await openAs(t, "alice");
  assert.equal(page.statusCode, 200);
  assert.equal(page.headers["cache-control"], "no-store");
  assert.match(page.body, /<p>Be kind\.<\/p>\n<p>Cite us\.<\/p>/);
  assert.equal(await acceptances(t), 0);
  const thanks = await browser.submit(page, TICKED);
  assert.equal(thanks.statusCode, 200);
  assert.match(thanks.body, /<h1>Thank you<\/h1>/);
  assert.equal(await acceptances(t), 1);
  assert.match((await browser.open(PAGE)).body, /You have accepted these terms already/);
});

test("accepting again changes nothing", async () => {
  await using app = await termsApp();
  const { t } = app;
  const { browser, page } = await openAs(t, "alice");
  await browser.submit(page, TICKED);
  assert.equal((await browser.submit(await browser.open(PAGE), {})).statusCode, 200);
  assert.equal((await browser.submit(page, TICKED)).statusCode, 200);
  assert.equal(await acceptances(t), 1);
});

test("without a tick the form comes back and says so", async () => {
  await using app = await termsApp();
  const { t } = app;
  const { browser, page } = await openAs(t, "alice");
  for (const fields of [{}, { tos_agree: "false" }, { tos_agree: "on" }, { tos_agree: "" }]) {
    const again = await browser.submit(page, fields as Record<string, string>);
    assert.equal(again.statusCode, 400);
    assert.match(again.body, /role="alert">Tick the box/);
    assert.equal(formOf(again).action, PAGE);
  }
  assert.equal(await acceptances(t), 0);
});

test("opening an address accepts nothing, whatever its query says", async () => {
  await using app = await termsApp();
  const { t } = app;
  const { browser } = await openAs(t, "alice");
  const page = await browser.open(`${PAGE}?tos_agree=true`);
  assert.equal(page.statusCode, 200);
  assert.equal(await acceptances(t), 0);
});

test("terms that the configuration does not have are not found, before any login", async () => {
  await using app = await termsApp();
  const { t } = app;
  const { browser, page } = await openAs(t, "alice");
  const { hidden } = formOf(page);
  for (const id of ["1", "0", "02", "-2", "2.0", "x", "__proto__", "99999999999", "%00"]) {
    for (const prefix of ["/auth", "/sticky_auth"]) {
      const path = `${prefix}/api/v1/tos/${id}/accept`;
      assert.equal((await new Browser(t).open(path)).statusCode, 404, path);
    }
    const path = `/sticky_auth/api/v1/tos/${id}/accept`;
    assert.equal((await browser.post(path, { ...hidden, ...TICKED })).statusCode, 404, path);
  }
  assert.equal(await acceptances(t), 0);
});

test("both prefixes lead to the page", async () => {
  await using app = await termsApp();
  const { t } = app;
  const query = `?${new URLSearchParams({ redirect: `${SERVICE}/a?b=c&d=%20` })}`;
  const other = await new Browser(t).open(`/auth/api/v1/tos/2/accept${query}`);
  const { searchParams, pathname } = locationOf(other);
  assert.equal(pathname, "/sticky_auth/api/v1/tos/2/accept");
  assert.equal(searchParams.get("redirect"), `${SERVICE}/a?b=c&d=%20`);
});

test("the browser goes on to an allowed address with a login token", async () => {
  await using app = await termsApp();
  const { t } = app;
  const target = `${SERVICE}/segmentation?table=minnie&token=old`;
  const { browser, page } = await openAs(t, "alice", `${PAGE}?${new URLSearchParams({ redirect: target })}`);
  assert.match(page.body, /continue to <strong>pcg\.example\.org:8443<\/strong>/);
  assert.match(
    String(page.headers["content-security-policy"]),
    /form-action 'self' https:\/\/pcg\.example\.org:8443;/,
  );
  const { origin, pathname, searchParams } = locationOf(await browser.submit(page, TICKED));
  assert.equal(origin + pathname, `${SERVICE}/segmentation`);
  assert.equal(searchParams.get("table"), "minnie");
  assert.match(searchParams.get("middle_auth_token") ?? "", /^[0-9a-f]{32}$/);
  assert.deepEqual(searchParams.getAll("token"), [searchParams.get("middle_auth_token")]);
  assert.equal(searchParams.get("middle_auth_url"), "cave.example.org/sticky_auth");
});

test("the browser goes on to a page of ours without a token", async () => {
  await using app = await termsApp();
  const { t } = app;
  const target = TOKENS;
  const { browser, page } = await openAs(t, "alice", `${PAGE}?${new URLSearchParams({ redirect: target })}`);
  assert.equal(locationOf(await browser.submit(page, TICKED)).href, target);
});

test("a long address to go on to is dropped by the login, and the terms are shown", async () => {
  await using app = await termsApp();
  const target = `${SERVICE}/${"%20".repeat(1300)}`;
  const away = await new Browser(app.t).open(`${PAGE}?${new URLSearchParams({ redirect: target })}`);
  assert.equal(locationOf(away).searchParams.get("redirect"), PAGE);
});

test("an address that may not be handed a token is refused before the login, and in the form", async () => {
  await using app = await termsApp();
  const { t } = app;
  const { browser, page } = await openAs(t, "alice");
  const { hidden } = formOf(page);
  const evil = [
    "https://evil.example/",
    "//pcg.example.org:8443/",
    "/account",
    "javascript:alert(1)",
    "https://pcg.example.org:8443@evil.example/",
    "https://user@pcg.example.org:8443/",
    "https://pcg.example.org:8443\\@evil.example/",
    "https://pcg.example.org:8443/\ta",
    "https://pcg.example.org:8443/ a",
    "",
    `${SERVICE}/${"x".repeat(4096)}`,
  ].map((redirect) => `?${new URLSearchParams({ redirect })}`);
  const twice = `?redirect=${encodeURIComponent(SERVICE)}&redirect=${encodeURIComponent(SERVICE)}`;
  for (const query of [...evil, twice]) {
    for (const path of ["/auth/api/v1/tos/2/accept", "/sticky_auth/api/v1/tos/2/accept"]) {
      const refused = await new Browser(t).open(path + query);
      assert.equal(refused.statusCode, 400, query);
      assert.equal(refused.headers.location, undefined);
    }
    const refused = await browser.post(PAGE + query, { ...hidden, ...TICKED });
    assert.equal(refused.statusCode, 400, query);
    assert.equal(refused.headers.location, undefined);
  }
  assert.equal(await acceptances(t), 0);
});

test("a form without its hidden token, with another person's, or from another site accepts nothing", async () => {
  await using app = await termsApp();
  const { t } = app;
  const { browser, page } = await openAs(t, "alice");
  const bob = await openAs(t, "bob");
  const refused = [
    await browser.post(PAGE, TICKED),
    await browser.post(PAGE, { ...TICKED, token: "" }),
    await browser.post(PAGE, { ...TICKED, ...formOf(bob.page).hidden }),
    await browser.submit(page, TICKED, { origin: "https://evil.example" }),
    await browser.submit(page, TICKED, { "sec-fetch-site": "cross-site" }),
  ];
  assert.deepEqual(
    refused.map(({ statusCode }) => statusCode),
    [403, 403, 403, 403, 403],
  );
  assert.equal((await new Browser(t).post(PAGE, TICKED)).statusCode, 403);
  assert.equal(await acceptances(t), 0);
});

test("the name and the text are never markup", async () => {
  const evil = `"><script>alert(1)</script>`;
  await using app = await termsApp({ tos: [{ ...TERMS, name: evil, text: evil }] });
  const { t } = app;
  const { browser, page } = await openAs(t, "alice");
  for (const answer of [page, await browser.submit(page, {}), await browser.submit(page, TICKED)]) {
    assert.ok(!answer.body.includes("<script>"), answer.body);
    assert.ok(answer.body.includes("&lt;script&gt;"));
  }
});

test("a viewer's popup is told of the acceptance, at the allowed origins only", async () => {
  await using app = await termsApp();
  const { t } = app;
  const { browser, page } = await openAs(t, "alice", `${PAGE}?client=ng`);
  const told = await browser.submit(page, TICKED);
  assert.equal(told.statusCode, 200);
  assert.deepEqual(handOverIn(told), { message: "success", origins: [SERVER, VIEWER, SERVICE] });
  assert.equal(await acceptances(t), 1);
});
