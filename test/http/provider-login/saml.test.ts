/** Logins at a SAML provider as the browser and the program meet them: the provider's site posts its answer from outside. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SAMLAuthenticator } from "../../../src/authenticators/saml/authenticator.ts";
import { type TestApp, testApp } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { ManualClock } from "../../support/clock.ts";
import { type Answered, events, poll, start } from "../../support/device-login.ts";
import {
  ATTRIBUTE,
  answerXml,
  attribute,
  encoded,
  requestIn,
  responseOf,
  type Said,
  settings,
} from "../../support/saml-idp.ts";

const PATH = "/api/v1/auth/provider/lab";
const ACS = `http://localhost:80${PATH}/code`;
/** As Chromium sends it for a form of another site, which the person sees submitted. */
const CROSS_SITE = {
  origin: "https://idp.example",
  "sec-fetch-site": "cross-site",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};

async function scene() {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const args = {
    saml_settings: settings(ACS),
    attribute_name: ATTRIBUTE,
    confirmation_message: "Hello {id}",
  };
  const lab = new SAMLAuthenticator(args, { provider: "lab", directory: "/", warn }, { clock });
  const t = await testApp({ clock, authentication: { admins: [] }, authenticators: new Map([["lab", lab]]) });
  return { t, clock, warnings, [Symbol.asyncDispose]: () => t.close() };
}

/** The form that the provider's page has after the person logged in there. */
function formOf(t: TestApp, url: string, more: Partial<Said> = {}) {
  const { id, state } = requestIn(new URL(url));
  const said = { acsUrl: ACS, requestId: id, now: t.clock.now(), ...more };
  return { said, fields: { SAMLResponse: encoded(answerXml(said)), RelayState: state } };
}

/** A browser sends no Lax cookie with a form of another site. */
async function post(
  t: TestApp,
  fields: Record<string, string>,
  headers: Record<string, string> = CROSS_SITE,
) {
  return await new Browser(t).post(`${PATH}/code`, fields, headers);
}

const begin = async (browser: Browser, next = "/account") => {
  const sent = await browser.open(`${PATH}/authorize?next=${next}`);
  assert.equal(sent.statusCode, 307, sent.body);
  return String(sent.headers.location);
};

test("a browser logs in: the answer is posted without a cookie, and the next request has it", async () => {
  await using s = await scene();
  const { t, warnings } = s;
  const browser = new Browser(t);
  const attributes = attribute(ATTRIBUTE, "ada") + attribute("displayName", "Ada L.");
  const { fields } = formOf(t, await begin(browser), { attributes });
  const posted = await post(t, fields);
  assert.equal(posted.statusCode, 303, posted.body);
  const location = String(posted.headers.location);
  assert.ok(location.startsWith(`${PATH}/code?state=${encodeURIComponent(fields.RelayState)}&code=`));
  assert.equal(posted.headers["cache-control"], "no-store");
  const back = await browser.open(location);
  assert.equal(back.statusCode, 303, back.body);
  const account = await browser.open(String(back.headers.location));
  assert.match(account.body, /logged in as <strong>Ada L\.<\/strong> \(ada\) with lab/);
  assert.deepEqual(await events(t), ["principal_created", "login"]);
  assert.deepEqual(warnings, []);
});

test("a program logs in with a device login", async () => {
  await using s = await scene();
  const { t } = s;
  const login = await start(t, "lab");
  const browser = new Browser(t);
  const posted = await post(t, formOf(t, login.authorization_uri).fields);
  assert.match(
    String(posted.headers.location),
    /^http:\/\/localhost:80\/.*\/device_code\?state=[0-9a-f]{64}&code=/,
  );
  const form = await browser.open(String(posted.headers.location));
  assert.equal(form.statusCode, 200, form.body);
  const done = await browser.submit(form, { user_code: login.user_code });
  assert.match(done.body, /Return to your program/);
  const answer = (await poll(t, login, "lab")).json<Answered>();
  assert.deepEqual(answer.identity, { id: "ada", provider: "lab" });
});

test("an answer is accepted once, even for another login that asks the same", async () => {
  await using s = await scene();
  const { t } = s;
  const { fields } = formOf(t, await begin(new Browser(t)));
  assert.equal((await post(t, fields)).statusCode, 303);
  const again = await post(t, fields);
  assert.equal(again.statusCode, 401);
  assert.match(t.logLines.join(""), /its answer was used before/);
});

test("only the browser that was sent to the provider can go on, and once", async () => {
  await using s = await scene();
  const { t } = s;
  const browser = new Browser(t);
  const posted = await post(t, formOf(t, await begin(browser)).fields);
  const location = String(posted.headers.location);
  const stranger = await new Browser(t).open(location);
  assert.equal(stranger.statusCode, 401);
  assert.equal((await browser.open(location)).statusCode, 303);
  const second = await new Browser(t).open(location);
  assert.equal(second.statusCode, 401);
});

test("a stranger who began a device login cannot collect the answer by its state", async () => {
  await using s = await scene();
  const { t } = s;
  const login = await start(t, "lab");
  const { fields } = formOf(t, login.authorization_uri);
  const posted = await post(t, fields);
  const attacker = new Browser(t);
  const path = `${PATH}/device_code?state=${fields.RelayState}`;
  assert.equal((await attacker.open(`${path}&code=${"0".repeat(64)}`)).statusCode, 401);
  assert.equal((await attacker.open(path)).statusCode, 302, "only to the provider");
  assert.equal((await new Browser(t).open(String(posted.headers.location))).statusCode, 200);
});

test("the key to one login's answer opens no other login", async () => {
  await using s = await scene();
  const { t } = s;
  const { fields } = formOf(t, await begin(new Browser(t)));
  const posted = new URL(String((await post(t, fields)).headers.location), "http://localhost");
  const login = await start(t, "lab");
  const browser = new Browser(t);
  await browser.open(new URL(login.authorization_uri).pathname);
  const { state } = requestIn(new URL(login.authorization_uri));
  const query = new URLSearchParams({ state, code: posted.searchParams.get("code") ?? "" });
  const page = await browser.open(`${PATH}/device_code?${query}`);
  assert.equal(page.statusCode, 401);
  assert.match(t.logLines.join(""), /unknown or belongs to another login/);
});

test("an answer is kept for a minute", async () => {
  await using s = await scene();
  const { t } = s;
  const browser = new Browser(t);
  const posted = await post(t, formOf(t, await begin(browser)).fields);
  t.clock.advance(61);
  assert.equal((await browser.open(String(posted.headers.location))).statusCode, 401);
  assert.match(t.logLines.join(""), /more than a minute ago/);
});

test("answers that nobody asked for, for another login, or too late are refused", async () => {
  await using s = await scene();
  const { t } = s;
  const { fields } = formOf(t, await begin(new Browser(t)));
  const other = formOf(t, await begin(new Browser(t)));
  for (const [changed, log] of [
    [{ ...fields, RelayState: "" }, /logins cannot begin at the provider/],
    [{ ...fields, RelayState: "guessed" }, /RelayState\) is unknown/],
    [{ ...fields, RelayState: other.fields.RelayState }, /another request/],
    [{ ...fields, SAMLResponse: "AAAA" }, /not XML/],
  ] as const) {
    const answer = await post(t, changed);
    assert.equal(answer.statusCode, 401);
    assert.match(String(answer.headers["content-type"]), /html/);
    assert.match(t.logLines.join(""), log);
  }
  t.clock.advance(601);
  assert.equal((await post(t, fields)).statusCode, 401);
  assert.match(t.logLines.join(""), /took too long/);
});

test("the provider's refusal ends the program's waiting, too", async () => {
  await using s = await scene();
  const { t } = s;
  const login = await start(t, "lab");
  const { said, fields } = formOf(t, login.authorization_uri);
  const status = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/>';
  const refusal = { ...fields, SAMLResponse: encoded(responseOf({ ...said, status }, "")) };
  const posted = await post(t, refusal);
  assert.match(String(posted.headers.location), /error=access_denied/);
  const page = await new Browser(t).open(String(posted.headers.location));
  assert.equal(page.statusCode, 401);
  assert.equal((await poll(t, login, "lab")).statusCode, 403);
  assert.match(t.logLines.join(""), /Responder/);
});

test("no other form of another site is let through, nor this one into a frame or by a script", async () => {
  await using s = await scene();
  const { t } = s;
  const { fields } = formOf(t, await begin(new Browser(t)));
  for (const [mode, dest] of [
    ["navigate", "iframe"],
    ["cors", "empty"],
    ["no-cors", "image"],
  ] as const) {
    const answer = await post(t, fields, { ...CROSS_SITE, "sec-fetch-mode": mode, "sec-fetch-dest": dest });
    assert.equal(answer.statusCode, 403);
  }
  for (const path of [`${PATH}/token`, `${PATH}/authorize`]) {
    const answer = await t.call({
      method: "POST",
      url: path,
      headers: { ...CROSS_SITE, accept: "*/*" },
      payload: {},
    });
    assert.equal(answer.statusCode, 403, path);
  }
  assert.equal((await post(t, fields)).statusCode, 303);
});

test("a body that is too large, twice the same field, and JSON are refused", async () => {
  await using s = await scene();
  const { t } = s;
  assert.equal((await post(t, { SAMLResponse: "A".repeat(700_000), RelayState: "x" })).statusCode, 413);
  const call = (payload: string, type: string) =>
    t.call({ method: "POST", url: `${PATH}/code`, headers: { "content-type": type }, payload });
  assert.equal(
    (await call("SAMLResponse=a&SAMLResponse=b", "application/x-www-form-urlencoded")).statusCode,
    400,
  );
  assert.equal((await call("{}", "application/json")).statusCode, 415);
});

test("wrong answers count against their address", async () => {
  await using s = await scene();
  const { t } = s;
  const statuses = new Set<number>();
  for (let tries = 0; tries < 110; tries++)
    statuses.add((await post(t, { SAMLResponse: "AAAA" })).statusCode);
  assert.deepEqual([...statuses], [401, 429]);
});

test("metadata for the provider, and the about document as for any external provider", async () => {
  await using s = await scene();
  const { t } = s;
  const metadata = await t.call(`${PATH}/metadata`);
  assert.equal(metadata.headers["content-type"], "application/samlmetadata+xml; charset=utf-8");
  assert.ok(metadata.body.includes(`Location="${ACS}"`));
  const about = (await t.call("/api/v1/")).json<{
    authentication: { providers: { mode: string; provider: string }[] };
  }>();
  assert.deepEqual(
    about.authentication.providers.map(({ mode, provider }) => [mode, provider]),
    [["external", "lab"]],
  );
});

test("another identity of the provider is linked to an account", async () => {
  await using s = await scene();
  const { t } = s;
  const browser = new Browser(t);
  await browser.open(String((await post(t, formOf(t, await begin(browser)).fields)).headers.location));
  const add = "/account/identities/add/lab";
  const left = await browser.submit(await browser.open(add), {}, {}, add);
  const to = /<meta http-equiv="refresh" content="0; url=([^"]*)">/.exec(left.body)?.[1] ?? "";
  const second = { attributes: attribute(ATTRIBUTE, "ada.two") };
  const posted = await post(t, formOf(t, to.replaceAll("&amp;", "&"), second).fields);
  const back = await browser.open(String(posted.headers.location));
  assert.match(String(back.headers.location), /\/account\?done=identity-added$/);
  assert.match((await browser.open("/account")).body, /ada\.two/);
});

test("a person who is lured into another one's link adds no identity to their account", async () => {
  await using s = await scene();
  const { t } = s;
  const attacker = new Browser(t);
  const mine = { attributes: attribute(ATTRIBUTE, "mallory") };
  await attacker.open(
    String((await post(t, formOf(t, await begin(attacker), mine).fields)).headers.location),
  );
  const add = "/account/identities/add/lab";
  const left = await attacker.submit(await attacker.open(add), {}, {}, add);
  const to = /<meta http-equiv="refresh" content="0; url=([^"]*)">/.exec(left.body)?.[1] ?? "";
  const { fields } = formOf(t, to.replaceAll("&amp;", "&"));
  const victim = new Browser(t);
  await victim.open(String((await post(t, formOf(t, await begin(victim)).fields)).headers.location));
  const location = String((await post(t, fields)).headers.location);
  assert.equal((await victim.open(location)).statusCode, 401);
  const guessed = location.replace(/code=[0-9a-f]{64}$/, `code=${"0".repeat(64)}`);
  assert.notEqual(guessed, location);
  assert.equal((await attacker.open(guessed)).statusCode, 401);
  assert.doesNotMatch((await attacker.open("/account")).body, /\bada\b/);
  assert.doesNotMatch((await victim.open("/account")).body, /mallory/);
});

test("RelayState leads to no other site", async () => {
  await using s = await scene();
  const { t } = s;
  const { fields } = formOf(t, await begin(new Browser(t)));
  for (const RelayState of [
    "https://evil.example/",
    "//evil.example",
    `${fields.RelayState}&next=https://evil.example/`,
  ]) {
    const answer = await post(t, { ...fields, RelayState });
    assert.deepEqual([answer.statusCode, answer.headers.location], [401, undefined]);
    assert.doesNotMatch(answer.body, /evil\.example/);
  }
});
