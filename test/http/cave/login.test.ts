/** CAVE's login page: what it offers, whom it refuses, and forms that other pages send. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Authenticator } from "../../../src/domain/ports/authenticator.ts";
import { PASSWORDS, toy } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { auditOf, logIn, SESSION, whoIs } from "../../support/person.ts";
import {
  AUTHORIZE,
  authorizePath,
  COOKIE,
  caveApp,
  logInToCave,
  SERVER,
  SERVICE,
  tokenIn,
  VIEWER,
} from "./pages.ts";

const BOB = { username: "bob", password: PASSWORDS.bob };

test("a form for each provider with passwords, a link for each other one", async () => {
  const authenticators = new Map<string, Authenticator>([
    ["toy", toy()],
    ["lab", toy({ bob: "another" })],
  ]);
  await using app = await caveApp({ authenticators });
  const browser = new Browser(app.t);
  const page = await browser.open(authorizePath(`${VIEWER}/`));
  const ids = [...page.body.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, "ids are unique");
  const { action, hidden } = formOf(page, 'value="lab"');
  assert.equal(action, authorizePath(`${VIEWER}/`));
  assert.equal(hidden["provider"], "lab");
  const refused = await browser.submit(page, BOB, {}, 'value="lab"');
  assert.equal(refused.statusCode, 401);
  // The problem stands in the form that was sent.
  assert.equal(refused.body.match(/Incorrect username or password/g)?.length, 1);
  assert.match(/<form(?:(?!<\/form>).)*Incorrect/s.exec(refused.body)?.[0] ?? "", /value="lab"/);
  const fields = { username: "bob", password: "another" };
  assert.equal((await browser.submit(refused, fields, {}, 'value="lab"')).statusCode, 303);
});

test("a wrong password is 401 with the same form, for unknown names as well", async () => {
  await using app = await caveApp();
  const pages = [];
  for (const username of ["bob", "no such person", "__proto__"]) {
    const browser = new Browser(app.t);
    const page = await browser.open(authorizePath(`${SERVICE}/`));
    const refused = await browser.submit(page, { username, password: "wrong" });
    assert.equal(refused.statusCode, 401);
    assert.ok(!browser.cookies.has(COOKIE));
    assert.match(refused.body, /role="alert">Incorrect username or password</);
    assert.equal(formOf(refused).action, authorizePath(`${SERVICE}/`));
    pages.push(
      refused.body
        .replaceAll(username, "NAME")
        .replace(/value="[0-9a-f]{64}"/, "")
        .replace(/arrive%3Fto%3D[^"]*/, "")
        .replace(/<code>[0-9a-f]{16}<\/code>/, ""),
    );
    assert.equal((await browser.submit(refused, BOB)).statusCode, 303);
  }
  assert.equal(new Set(pages).size, 1);
});

test("wrong passwords are throttled as at all other logins, and counted together", async () => {
  await using app = await caveApp();
  const browser = new Browser(app.t);
  const page = await browser.open(AUTHORIZE);
  for (let failures = 0; failures < 5; failures++) {
    await app.t.loginAttempt("bob", "wrong", { remoteAddress: "192.0.2.10" });
    await browser.submit(page, { username: "bob", password: "wrong" });
  }
  const refused = await browser.submit(page, { username: "bob", password: "wrong" });
  assert.equal(refused.statusCode, 429);
  assert.ok(Number(refused.headers["retry-after"]) > 0);
  assert.match(refused.body, /Too many failed attempts/);
});

test("an empty form is shown again, and no provider of another name is asked", async () => {
  await using app = await caveApp();
  const browser = new Browser(app.t);
  const page = await browser.open(AUTHORIZE);
  assert.equal((await browser.submit(page, { username: "", password: "" })).statusCode, 422);
  for (const provider of ["nope", "orcid", "", "__proto__"]) {
    assert.equal((await browser.submit(page, { ...BOB, provider })).statusCode, 400, provider);
  }
  assert.ok(!(await auditOf(app.t)).includes("login_succeeded"));
});

test("login CSRF: a form without this browser's token is refused", async () => {
  await using app = await caveApp();
  const { t } = app;
  const { hidden } = formOf(await new Browser(t).open(AUTHORIZE));
  const victim = new Browser(t);
  const page = await victim.open(AUTHORIZE);
  for (const fields of [
    BOB,
    { ...BOB, token: "" },
    { ...BOB, token: "x" },
    { ...BOB, token: hidden["token"] ?? "" },
  ]) {
    for (const browser of [victim, new Browser(t)]) {
      const refused = await browser.post(AUTHORIZE, { provider: "toy", ...fields });
      assert.equal(refused.statusCode, 403);
      assert.ok(!browser.cookies.has(COOKIE));
    }
  }
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: VIEWER },
    { origin: "http://cave.example.org" },
    { origin: `${SERVER}:444` },
    { origin: "http://localhost" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "null" },
  ] as Record<string, string>[]) {
    const refused = await victim.submit(page, BOB, headers);
    assert.equal(refused.statusCode, 403, JSON.stringify(headers));
    assert.match(refused.body, /This form is no longer valid/);
    assert.ok(!victim.cookies.has(COOKIE));
  }
  assert.deepEqual(await auditOf(t), ["principal_created", "role_granted"]);
  const own = { origin: SERVER, "sec-fetch-site": "same-origin" };
  assert.equal((await victim.submit(page, BOB, own)).statusCode, 303);
  const silent = { origin: "null", "sec-fetch-site": "same-origin" };
  assert.equal((await victim.submit(page, BOB, silent)).statusCode, 303);
});

test("bodies that no form sends are refused", async () => {
  await using app = await caveApp();
  const browser = new Browser(app.t);
  const { hidden } = formOf(await browser.open(AUTHORIZE));
  const cookie = [...browser.cookies].map(([name, { value }]) => `${name}=${value}`).join("; ");
  const fields = new URLSearchParams({ ...hidden, ...BOB });
  const post = async (payload: string, type = "application/x-www-form-urlencoded") =>
    (await app.t.call({ method: "POST", url: AUTHORIZE, payload, headers: { "content-type": type, cookie } }))
      .statusCode;
  assert.equal(await post(JSON.stringify({ ...hidden, ...BOB }), "application/json"), 415);
  assert.equal(await post(fields.toString(), "text/plain"), 415);
  assert.equal(await post(`${fields}&username=alice`), 400);
  assert.equal(await post(`${fields}&x=${"x".repeat(70_000)}`), 413);
  assert.equal(await post(fields.toString()), 303);
});

test("the pages' login and the account's are two: neither counts for the other", async () => {
  await using app = await caveApp();
  const { t } = app;
  const atAccount = await logIn(t, "bob");
  assert.equal(tokenIn(await atAccount.open(authorizePath(`${VIEWER}/`))), null);
  const atCave = await logInToCave(t, "bob");
  assert.ok(!atCave.cookies.has(SESSION));
  assert.equal(await whoIs(atCave), null);
});

test("two cookies of the name are none, and the cookie opens no API route", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  const value = browser.cookies.get(COOKIE)?.value;
  const ask = (cookie: string, url = authorizePath(`${VIEWER}/`)) => app.t.call({ url, headers: { cookie } });
  assert.equal((await ask(`${COOKIE}=${value}`)).statusCode, 302);
  const mallory = (await logInToCave(app.t, "alice")).cookies.get(COOKIE)?.value;
  assert.equal((await ask(`${COOKIE}=${mallory}; ${COOKIE}=${value}`)).statusCode, 200);
  assert.equal((await ask(`${COOKIE}=${value}; ${COOKIE}=${value}`)).statusCode, 200);
  assert.equal((await ask(`cave_session=${value}`)).statusCode, 200);
  for (const url of ["/api/v1/auth/principal", "/account", "/sticky_auth/api/v1/user/cache"]) {
    assert.notEqual((await ask(`${COOKIE}=${value}`, url)).statusCode, 200, url);
  }
});

test("the session is an ordinary one: listed, limited and ended like any other", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logInToCave(t, "bob");
  const { access_token } = await t.login("bob");
  const headers = { authorization: `Bearer ${access_token}` };
  const { sessions } = (await t.call({ url: "/api/v1/auth/whoami", headers })).json<{
    sessions: { uuid: string }[];
  }>();
  assert.equal(sessions.length, 2);
  for (const { uuid } of sessions) {
    const url = `/api/v1/auth/session/revoke/${uuid}`;
    await t.call({ method: "DELETE", url, headers });
  }
  assert.equal(tokenIn(await browser.open(authorizePath(`${VIEWER}/`))), null);
});

test("no password, cookie or token reaches the log or the audit", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob", new Browser(app.t), `${VIEWER}/`);
  const token = tokenIn(await browser.open(authorizePath(`${VIEWER}/?secret=hunter2`))) ?? "none";
  const rows = JSON.stringify((await app.t.store?.audit.read({ limit: 100 })) ?? []);
  for (const secret of [PASSWORDS.bob, token, "hunter2", browser.cookies.get(COOKIE)?.value ?? "none"]) {
    assert.ok(!app.t.logLines.join("").includes(secret));
    assert.ok(!rows.includes(secret));
  }
});
