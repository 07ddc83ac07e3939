/** Device logins as the program and the person at a browser meet them; what attackers do is in `test/http/provider-login/device-hostile.test.ts`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import {
  type Answered,
  events,
  GRANT,
  poll,
  pollForm,
  type Started,
  scene,
  start,
} from "../../support/device-login.ts";

const PENDING = { detail: { error: "authorization_pending" } };
const GONE = { detail: "No such device_code. The pending request may have expired." };
const FORM = "application/x-www-form-urlencoded";

test("from the program's start to its tokens, which are handed out once", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  assert.match(login.device_code, /^[0-9a-f]{64}$/);
  assert.match(login.user_code, /^[2-9ACEF]{4}-[2-9ACEF]{4}$/);
  assert.deepEqual([login.interval, login.expires_in], [5, 900]);
  assert.equal(login.verification_uri, "http://localhost:80/api/v1/auth/provider/orcid/token");
  const waiting = await poll(t, login);
  assert.deepEqual([waiting.statusCode, waiting.json()], [400, PENDING]);
  assert.equal(waiting.headers["content-type"], "application/json");

  const browser = new Browser(t);
  const form = await browser.open(orcid.signIn(login.authorization_uri, "0000-0001"));
  assert.equal(form.statusCode, 200);
  assert.deepEqual((await poll(t, login)).json(), PENDING);
  const done = await browser.submit(form, { user_code: login.user_code });
  assert.equal(done.statusCode, 200);
  assert.match(done.body, /Return to your program.*0000-0001/s);

  const answer = await poll(t, login);
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers["cache-control"], "no-store");
  const tokens = answer.json<Answered>();
  assert.deepEqual(tokens.identity, { id: "0000-0001", provider: "orcid" });
  assert.equal((await t.whoami(`Bearer ${tokens.access_token}`)).statusCode, 200);
  assert.equal((await t.refresh(tokens.refresh_token)).statusCode, 200);
  const again = await poll(t, login);
  assert.deepEqual([again.statusCode, again.json()], [404, GONE]);
  assert.deepEqual(await events(t), [
    "device_login_started",
    "device_login_confirmed",
    "principal_created",
    "login",
  ]);
});

test("the code is exchanged when the browser comes back, not when the person has typed", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const browser = new Browser(t);
  const back = orcid.signIn(login.authorization_uri, "slow");
  const form = await browser.open(back);
  assert.equal(orcid.exchanges, 1);
  t.clock.advance(800);
  const reloaded = await browser.open(back);
  assert.deepEqual([reloaded.statusCode, orcid.exchanges], [200, 1]);
  assert.equal((await browser.submit(form, { user_code: login.user_code })).statusCode, 200);
  assert.equal((await poll(t, login)).statusCode, 200);
  assert.equal(orcid.exchanges, 1);
});

test("an approved login that is never collected opens no session", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const browser = new Browser(t);
  const form = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
  await browser.submit(form, { user_code: login.user_code });
  t.clock.advance(901);
  assert.deepEqual((await poll(t, login)).json(), GONE);
  assert.deepEqual((await pollForm(t, login)).json<{ error: string }>().error, "expired_token");
  assert.equal(await t.store?.principals.summaryOfIdentity({ provider: "orcid", id: "ann" }), undefined);
  const purged = await t.store?.maintenance.purge({
    now: new Date(t.clock.now()),
    batch: 100,
    auditBefore: null,
  });
  assert.equal(purged?.pendingSessions, 1);
  t.clock.advance(1);
  assert.equal((await pollForm(t, login)).json<{ error: string }>().error, "invalid_grant");
});

test("polls at the same moment: one gets the tokens", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const browser = new Browser(t);
  await browser.submit(await browser.open(orcid.signIn(login.authorization_uri, "ann")), {
    user_code: login.user_code,
  });
  const polls = await Promise.all(Array.from({ length: 8 }, () => poll(t, login)));
  const statuses = polls.map(({ statusCode }) => statusCode).sort();
  assert.deepEqual(statuses, [200, ...Array(7).fill(404)]);
  assert.equal((await events(t)).filter((event) => event === "login").length, 1);
});

test("RFC 8628: a form gets addresses for the person, and errors at top level", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const started = await t.form("/api/v1/auth/provider/orcid/authorize", { client_id: "x", scope: "openid" });
  const login = started.json<Started & { verification_uri_complete: string }>();
  assert.deepEqual(Object.keys(login).sort(), [
    "device_code",
    "expires_in",
    "interval",
    "user_code",
    "verification_uri",
    "verification_uri_complete",
  ]);
  const waiting = await pollForm(t, login);
  assert.deepEqual([waiting.statusCode, waiting.json()], [400, { error: "authorization_pending" }]);

  const browser = new Browser(t);
  const sentOn = await browser.open(login.verification_uri_complete);
  assert.equal(sentOn.statusCode, 302);
  const form = await browser.open(orcid.signIn(String(sentOn.headers.location), "ann"));
  assert.match(form.body, new RegExp(`name="user_code" value="${login.user_code}"`));
  // Opening an address logs no one in: a person compares the codes and presses the button.
  assert.match(form.body, /Does your program show this code\?/);
  assert.doesNotMatch(form.body, /http-equiv="refresh"|<script/);
  await browser.open(login.verification_uri_complete);
  assert.deepEqual((await pollForm(t, login)).json(), { error: "authorization_pending" });
  await browser.submit(form, { user_code: login.user_code });
  assert.equal((await pollForm(t, login)).json<Answered>().identity.id, "ann");
  const used = await pollForm(t, login);
  assert.deepEqual([used.statusCode, used.json<{ error: string }>().error], [400, "invalid_grant"]);
});

test("verification_uri leads to the provider and fills in nothing", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const started = await t.form("/api/v1/auth/provider/orcid/authorize", { client_id: "x" });
  const { verification_uri } = started.json<Started>();
  const browser = new Browser(t);
  for (const address of [verification_uri, `${verification_uri}&user_code=2222-2222`]) {
    const sentOn = await browser.open(address);
    assert.match(String(sentOn.headers.location), /^https:\/\/provider\.example\/auth\?/);
  }
  const sentOn = await browser.open(verification_uri);
  const form = await browser.open(orcid.signIn(String(sentOn.headers.location), "ann"));
  assert.match(form.body, /name="user_code" value=""/);
  assert.equal((await new Browser(t).open(verification_uri)).statusCode, 401);
});

test("errors of the form's grant have OAuth's shape, those of JSON Tiled's", async () => {
  await using s = await scene();
  const { t } = s;
  const url = "/api/v1/auth/provider/orcid/token";
  const error = async (payload: string) => {
    const response = await t.call({ method: "POST", url, headers: { "content-type": FORM }, payload });
    return [response.statusCode, response.json<{ error: string }>().error];
  };
  assert.deepEqual(await error("device_code=00"), [400, "invalid_request"]);
  assert.deepEqual(await error("grant_type=password"), [400, "unsupported_grant_type"]);
  assert.deepEqual(await error(`grant_type=${GRANT}`), [400, "invalid_request"]);
  assert.deepEqual(await error(`grant_type=${GRANT}&device_code=00&device_code=00`), [
    400,
    "invalid_request",
  ]);
  assert.deepEqual(await error(`grant_type=${GRANT}&device_code=xyz`), [400, "invalid_grant"]);

  const json = async (payload: object) => {
    const response = await t.call({ method: "POST", url, payload });
    return [response.statusCode, response.json<{ detail: unknown }>().detail];
  };
  assert.deepEqual(await json({ grant_type: GRANT, device_code: "xyz" }), [401, "Invalid device code"]);
  assert.deepEqual(await json({ grant_type: GRANT, device_code: "abc" }), [401, "Invalid device code"]);
  assert.deepEqual(await json({ grant_type: GRANT, device_code: "00" }), [404, GONE.detail]);
  const missing = (name: string) => [{ type: "missing", loc: ["body", name], msg: "Field required" }];
  assert.deepEqual(await json({ device_code: "00" }), [422, missing("grant_type")]);
  assert.deepEqual(await json({ grant_type: GRANT }), [422, missing("device_code")]);
  assert.equal((await json({ grant_type: "password", device_code: "00" }))[0], 422);
  const text = await t.call({ method: "POST", url, headers: { "content-type": "text/plain" }, payload: "x" });
  assert.equal(text.statusCode, 415);
});

test("clients that read the two addresses the other way round get them so", async () => {
  await using s = await scene();
  const { t } = s;
  const poll = "http://localhost:80/api/v1/auth/provider/orcid/token";
  const asked = async (version: string) =>
    await start(t, "orcid", { "user-agent": `python-tiled/${version}` });
  for (const version of ["0.2.10", "0.2.14"]) {
    const { authorization_uri, verification_uri } = await asked(version);
    assert.equal(authorization_uri, poll, version);
    assert.match(verification_uri, /^https:\/\/provider\.example\/auth\?/, version);
  }
  for (const version of ["0.1.6", "0.2.9", "0.2.15", "0.2.20", "unreadable"]) {
    const { authorization_uri, verification_uri } = await asked(version);
    assert.equal(verification_uri, poll, version);
    assert.match(authorization_uri, /^https:\/\/provider\.example\/auth\?/, version);
  }
});

test("the start takes no body, and that of old clients", async () => {
  await using s = await scene();
  const { t } = s;
  const url = "/api/v1/auth/provider/orcid/authorize";
  const old = await t.call({ method: "POST", url, payload: {} });
  assert.equal(old.json<Started>().verification_uri, "http://localhost:80/api/v1/auth/provider/orcid/token");
});

test("the code in any writing; a wrong one shows the form again", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const writings: readonly ((code: string) => string)[] = [
    (code) => code.toLowerCase(),
    (code) => code.replace("-", ""),
    (code) => `  ${code.replace("-", " – ")} `,
    (code) => code.replaceAll("8", "B").replaceAll("5", "s").replaceAll("2", "z").replaceAll("6", "g"),
  ];
  for (const write of writings) {
    const login = await start(t);
    const browser = new Browser(t);
    const form = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
    const wrong = await browser.submit(form, { user_code: "2222-2222" });
    assert.equal(wrong.statusCode, 401);
    assert.match(wrong.body, /role="alert">This is not the code/);
    const empty = await browser.submit(wrong, { user_code: " " });
    assert.deepEqual([empty.statusCode, /Type the code first/.test(empty.body)], [422, true]);
    const right = await browser.submit(empty, { user_code: write(login.user_code) });
    assert.equal(right.statusCode, 200, write(login.user_code));
    assert.equal((await poll(t, login)).statusCode, 200);
  }
});

test("the form names the person, the program, its address and the time", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  t.clock.advance(200);
  const browser = new Browser(t);
  const form = await browser.open(orcid.signIn(login.authorization_uri, 'ann "<b>'));
  assert.match(form.body, /signed in as <strong>ann &quot;&lt;b&gt;<\/strong> with orcid/);
  assert.match(form.body, /<dd>Tiled for Python 0\.2\.20<\/dd>/);
  assert.match(form.body, /<dd>198\.51\.100\.7<\/dd>/);
  assert.match(form.body, /<dd>3 minutes ago<\/dd>/);
  assert.ok(!form.body.includes(login.user_code), "the code is the program's to show");
  assert.ok(!form.body.includes(login.device_code));
});

test("a program without a name, and one at the browser's own address", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t, "orcid", { "user-agent": "" });
  const form = await new Browser(t, "198.51.100.7").open(orcid.signIn(login.authorization_uri, "ann"));
  assert.match(form.body, /it gave no name/);
  assert.match(form.body, /198\.51\.100\.7, the same address as this browser/);
  const long = await start(t, "orcid", { "user-agent": `<script>${"x".repeat(5000)}` });
  const page = await new Browser(t).open(orcid.signIn(long.authorization_uri, "ann"));
  assert.match(page.body, /<dd>&lt;script&gt;x{72}…<\/dd>/);
});

test("pages are not framed, kept or run; the cookie is out of a script's reach", async () => {
  await using s = await scene({ app: { server: { publicUrl: "https://tiled.example.org/data" } } });
  const { t, orcid } = s;
  const login = await start(t);
  const back = orcid.signIn(login.authorization_uri, "ann").replace("https://tiled.example.org/data", "");
  const form = await new Browser(t).open(back);
  const policy = String(form.headers["content-security-policy"]);
  assert.match(policy, /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'.*base-uri 'none'/);
  assert.equal(form.headers["cache-control"], "no-store");
  assert.equal(form.headers["referrer-policy"], "no-referrer");
  const cookie = form.cookies.find(({ name }) => name === "__Host-tiled_browser");
  assert.partialDeepStrictEqual(cookie, { httpOnly: true, secure: true, sameSite: "Lax", path: "/" });
  assert.match(
    form.body,
    /action="\/data\/api\/v1\/auth\/provider\/orcid\/device_code\?code=[^"]+&amp;state=/,
  );
});

test("cancelled by the person: the program gets the refusal", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const browser = new Browser(t);
  const form = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
  const cancelled = await browser.submit(form, { user_code: "", cancel: "1" });
  assert.deepEqual([cancelled.statusCode, /Cancelled/.test(cancelled.body)], [200, true]);
  const told = await poll(t, login);
  assert.equal(told.statusCode, 403);
  assert.deepEqual(told.json(), {
    detail: { error: "access_denied", error_description: "The login was cancelled in the browser." },
  });
  const form8628 = await pollForm(t, login);
  assert.deepEqual([form8628.statusCode, form8628.json<{ error: string }>().error], [400, "access_denied"]);
  assert.equal((await browser.submit(form, { user_code: login.user_code })).statusCode, 401);
  assert.equal((await poll(t, login)).statusCode, 403);
});

test("denied at the provider: a page says so, and the program gets the refusal", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const page = await new Browser(t).open(orcid.deny(login.authorization_uri));
  assert.equal(page.statusCode, 401);
  assert.match(page.body, /orcid did not log you in.*start the login again in your program/s);
  assert.ok(page.body.includes(String(page.headers["x-tiled-request-id"])));
  assert.equal((await poll(t, login)).statusCode, 403);
  assert.deepEqual((await events(t)).slice(1), [
    "login_failed login_refused",
    "device_login_refused denied_by_provider",
  ]);
});

test("other failures at the provider can be retried", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const browser = new Browser(t);
  for (const [trouble, status, words] of [
    ["bad_gateway", 502, "orcid is not responding"],
    ["gateway_timeout", 504, "orcid is not responding"],
    ["provider_invalid", 401, "The answer from orcid was rejected"],
  ] as const) {
    orcid.trouble = trouble;
    const page = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
    assert.deepEqual([page.statusCode, page.body.includes(words)], [status, true], trouble);
    assert.ok(page.body.includes(String(page.headers["x-tiled-request-id"])));
    assert.deepEqual((await poll(t, login)).json(), PENDING);
    assert.ok((await events(t)).includes(`login_failed ${trouble}`));
  }
  orcid.trouble = null;
  const form = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
  await browser.submit(form, { user_code: login.user_code });
  assert.equal((await poll(t, login)).statusCode, 200);
});

test("a provider that is down at the start is a 502, and nothing waits", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  orcid.trouble = "bad_gateway";
  const url = "/api/v1/auth/provider/orcid/authorize";
  const json = await t.call({ method: "POST", url });
  assert.equal(json.statusCode, 502);
  assert.equal(typeof json.json<{ detail: string }>().detail, "string");
  const form = await t.form(url, { client_id: "x" });
  assert.deepEqual([form.statusCode, form.json<{ error: string }>().error], [502, "server_error"]);
  assert.deepEqual(await events(t), []);
});

test("a disabled principal is turned away at the form, and one disabled later at the poll", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const browser = new Browser(t);
  const confirm = async () => {
    const login = await start(t);
    const form = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
    return { login, page: await browser.submit(form, { user_code: login.user_code }) };
  };
  const first = await confirm();
  const { principal } = (await poll(t, first.login)).json<Answered>();
  const second = await confirm();
  const origin = { address: null, requestId: null, actor: null };
  const uuid = (await t.store?.principals.summaryOfIdentity({ provider: "orcid", id: "ann" }))?.uuid;
  assert.equal(uuid?.replaceAll("-", ""), principal);
  if (uuid !== undefined)
    await t.store?.principals.setDisabled({
      principal: uuid,
      disabled: true,
      now: new Date(t.clock.now()),
      context: origin,
    });
  const refused = await poll(t, second.login);
  assert.deepEqual(
    [refused.statusCode, refused.json<{ detail: { error: string } }>().detail.error],
    [403, "access_denied"],
  );
  assert.equal((await poll(t, second.login)).statusCode, 403);
  const third = await confirm();
  assert.deepEqual([third.page.statusCode, /account is disabled/.test(third.page.body)], [403, true]);
  assert.equal((await poll(t, third.login)).statusCode, 403);
});

test("the limit of sessions holds, at the form and at the poll", async () => {
  await using s = await scene({ app: { authentication: { sessionLimit: 1 } } });
  const { t, orcid } = s;
  const browser = new Browser(t);
  const confirm = async () => {
    const login = await start(t);
    const form = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
    return { login, page: await browser.submit(form, { user_code: login.user_code }) };
  };
  const [first, second] = [await confirm(), await confirm()];
  const tokens = (await poll(t, first.login)).json<Answered>();
  const late = await poll(t, second.login);
  assert.equal(late.statusCode, 403);
  assert.match(late.body, /too many sessions/);
  const third = await confirm();
  assert.deepEqual([third.page.statusCode, /Too many sessions/.test(third.page.body)], [403, true]);
  const headers = bearer(tokens.access_token);
  const { sessions } = (await t.call({ url: "/api/v1/auth/whoami", headers })).json<{
    sessions: unknown[];
  }>();
  assert.equal(sessions.length, 1);
});

test("a browser that holds an API key can use the form", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const browser = new Browser(t);
  browser.cookies.set("tiled_api_key", { value: "ab".repeat(36), path: "/" });
  const form = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
  assert.equal((await browser.submit(form, { user_code: login.user_code })).statusCode, 200);
});

test("the about document offers the provider", async () => {
  await using s = await scene();
  const about = (await s.t.call("/api/v1/")).json<{ authentication: { providers: unknown[] } }>();
  assert.deepEqual(about.authentication.providers[0], {
    provider: "orcid",
    mode: "external",
    links: { auth_endpoint: "http://localhost:80/api/v1/auth/provider/orcid/authorize" },
    confirmation_message: "You have logged in as {id}.",
    extra_scopes: null,
  });
});
