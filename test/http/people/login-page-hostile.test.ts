/** What attackers try with `/login` and `/logout`: forged forms, redirects, frames, and reading the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORDS, testApp } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { auditOf, logIn, mixedApp, pathOf, SESSION, tryLogin, whoIs } from "../../support/person.ts";

test("login CSRF: a login without this browser's token is refused", async () => {
  await using t = await testApp();
  const mallory = new Browser(t);
  const { hidden } = formOf(await mallory.open("/login"));
  const victim = new Browser(t);
  await victim.open("/login");
  const credentials = { provider: "toy", username: "bob", password: PASSWORDS.bob };
  for (const [fields, browser] of [
    [credentials, victim],
    [{ ...credentials, token: "" }, victim],
    [{ ...credentials, token: "wrong" }, victim],
    [{ ...credentials, token: hidden["token"] ?? "" }, victim],
    [{ ...credentials, token: hidden["token"] ?? "" }, new Browser(t)],
  ] as const) {
    const page = await browser.post("/login", fields);
    assert.equal(page.statusCode, 403);
    assert.match(page.body, /was open for too long/);
    assert.ok(!browser.cookies.has(SESSION));
  }
  assert.deepEqual(
    await auditOf(t),
    ["principal_created", "role_granted"],
    "no login, not even a failed one",
  );
  // The form that came with it works.
  const again = await victim.post("/login", credentials);
  assert.equal((await victim.submit(again, { username: "bob", password: PASSWORDS.bob })).statusCode, 303);
});

test("login CSRF: a page of another site cannot log a browser in, even with the right token", async () => {
  await using t = await testApp();
  const browser = new Browser(t);
  const page = await browser.open("/login");
  const credentials = { username: "bob", password: PASSWORDS.bob };
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "http://localhost:81" },
    { origin: "https://localhost" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", origin: "http://localhost" },
    { "sec-fetch-site": "same-origin", origin: "https://evil.example" },
  ];
  for (const headers of foreign) {
    const refused = await browser.submit(page, credentials, headers);
    assert.equal(refused.statusCode, 403, JSON.stringify(headers));
    assert.match(refused.body, /This form is no longer valid/);
    assert.ok(refused.body.includes(String(refused.headers["x-tiled-request-id"])));
    assert.ok(!browser.cookies.has(SESSION));
  }
  // Our own pages send no referrer, and so browsers say `null`.
  const own = { origin: "null", "sec-fetch-site": "same-origin" };
  assert.equal((await browser.submit(page, credentials, own)).statusCode, 303);
});

test("bodies that no form sends are refused", async () => {
  await using t = await testApp();
  const browser = new Browser(t);
  const { hidden } = formOf(await browser.open("/login"));
  const cookie = `tiled_browser=${browser.cookies.get("tiled_browser")?.value}`;
  const post = (payload: string, type: string) =>
    t.call({
      method: "POST",
      url: "/login",
      payload,
      headers: { "content-type": type, cookie, accept: "text/html" },
    });
  const fields = { ...hidden, username: "bob", password: PASSWORDS.bob };
  assert.equal((await post(JSON.stringify(fields), "application/json")).statusCode, 415);
  assert.equal((await post(new URLSearchParams(fields).toString(), "text/plain")).statusCode, 415);
  const form = "application/x-www-form-urlencoded";
  assert.equal((await post(`${new URLSearchParams(fields)}&username=alice`, form)).statusCode, 400);
  assert.equal((await post(`${new URLSearchParams({ ...fields, provider: "nope" })}`, form)).statusCode, 400);
  assert.equal(
    (await post(`${new URLSearchParams({ ...fields, provider: "__proto__" })}`, form)).statusCode,
    400,
  );
  const large = await post(`${new URLSearchParams({ ...fields, password: "x".repeat(70_000) })}`, form);
  assert.equal(large.statusCode, 413);
  assert.match(String(large.headers["content-type"]), /^text\/html/);
  assert.equal((await post(`${new URLSearchParams(fields)}`, form)).statusCode, 303);
});

test("open redirects: a login never leads to another site, in the link and in the form", async () => {
  await using t = await testApp();
  for (const next of [
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https://evil.example/",
    "%2f%2fevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "https://localhost@evil.example",
    "/.//evil.example",
  ]) {
    const browser = new Browser(t);
    const page = await browser.open(`/login?${new URLSearchParams({ next })}`);
    assert.ok(!page.body.includes("evil"), next);
    assert.ok(!String(page.headers["content-security-policy"]).includes("evil"), next);
    const inForm = await browser.submit(page, { username: "bob", password: PASSWORDS.bob, next });
    assert.equal(pathOf(inForm), "/account", next);
    assert.equal(new URL(String(inForm.headers.location)).hostname, "localhost", next);
    const known = await browser.open(`/login?${new URLSearchParams({ next })}`);
    assert.equal(pathOf(known), "/account", next);
  }
  const twice = await new Browser(t).open("/login?next=/account&next=https://evil.example");
  assert.equal(twice.statusCode, 422);
});

test("no page of another site can log a person out", async () => {
  await using t = await testApp();
  const browser = await logIn(t, "bob");
  const page = await browser.open("/logout");
  const other = formOf(await (await logIn(t, "bob")).open("/logout")).hidden;
  assert.equal((await browser.post("/logout", {})).statusCode, 403);
  assert.equal((await browser.post("/logout", other)).statusCode, 403);
  assert.equal((await browser.submit(page, {}, { origin: "https://evil.example" })).statusCode, 403);
  assert.equal((await browser.submit(page, {}, { "sec-fetch-site": "cross-site" })).statusCode, 403);
  assert.equal((await browser.open("/logout")).statusCode, 200);
  assert.equal(await whoIs(browser), "bob");
});

test("no page can be framed, kept, or made to load or send anything elsewhere", async () => {
  await using s = await mixedApp();
  const browser = await logIn(s.t, "alice");
  for (const url of ["/login?again=1", "/logout", "/account", "/account/identities/add/orcid", "/"]) {
    const { headers, statusCode } = await browser.open(url);
    assert.equal(statusCode, 200, url);
    assert.equal(
      headers["content-security-policy"],
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["cache-control"], "no-store", url);
  }
});

test("no password and no cookie's secret reaches the log or the audit", async () => {
  await using t = await testApp();
  const browser = await logIn(t, "alice");
  await tryLogin(new Browser(t), "alice", "hunter2");
  await browser.open("/account");
  const secrets = [PASSWORDS.alice, "hunter2", browser.cookies.get(SESSION)?.value ?? "x"];
  const rows = JSON.stringify((await t.store?.audit.read({ limit: 100 })) ?? []);
  for (const secret of secrets) {
    assert.ok(!t.logLines.join("").includes(secret));
    assert.ok(!rows.includes(secret));
  }
});
