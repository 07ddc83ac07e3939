/** A browser's login at a provider, for applications and for people; what fails is in `test/http/provider-login/browser-failures.test.ts`. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { bearer } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { type Answered, events, scene } from "../../support/device-login.ts";

const AUTHORIZE = "/api/v1/auth/provider/orcid/authorize";
const TOKEN = "/api/v1/auth/provider/orcid/token";
const UI = { redirectOnSuccess: "https://ui.example/cb?x=1", redirectOnFailure: "https://ui.example/no" };

function location(response: LightMyRequestResponse): string {
  return String(response.headers.location);
}

test("to the provider with a state of our own, and back to the tokens for a program", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const browser = new Browser(t);
  const away = await browser.open(`${AUTHORIZE}?state=xyz`);
  assert.equal(away.statusCode, 307);
  assert.equal(away.headers["cache-control"], "no-store");
  const asked = new URL(location(away)).searchParams;
  assert.equal(asked.get("redirect_uri"), "http://localhost:80/api/v1/auth/provider/orcid/code");
  const state = asked.get("state") ?? "";
  assert.match(state, /^[\w.-]{64,600}$/);
  const shown = Buffer.from(state.replaceAll(".", ""), "base64url").toString("latin1");
  assert.ok(!state.includes("xyz") && !shown.includes("xyz"), "the application's state stays here");
  assert.match(asked.get("code_challenge") ?? "", /^[\w-]{43}$/);
  const cookie = away.cookies.find(({ name }) => name === "tiled_browser");
  assert.partialDeepStrictEqual(cookie, { httpOnly: true, sameSite: "Lax", path: "/" });

  const answer = await browser.open(orcid.signIn(location(away), "ann", { given: "Ann" }), { accept: "*/*" });
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers["cache-control"], "no-store");
  const tokens = answer.json<Answered>();
  assert.deepEqual(tokens.identity, { id: "ann", provider: "orcid" });
  const whoami = await t.call({ url: "/api/v1/auth/whoami", headers: bearer(tokens.access_token) });
  assert.deepEqual(whoami.json<{ sessions: { state: unknown }[] }>().sessions[0]?.state, { given: "Ann" });
  assert.deepEqual(await events(t), ["principal_created", "login"]);
});

test("a person without an application sees a page, not tokens", async () => {
  await using s = await scene();
  const browser = new Browser(s.t);
  const back = await browser.open(s.orcid.signIn(location(await browser.open(AUTHORIZE)), "ann"));
  assert.deepEqual([back.statusCode, back.headers["cache-control"]], [303, "no-store"]);
  const page = await browser.open(location(back));
  assert.match(page.body, /logged in as <strong>ann<\/strong>/);
  assert.ok(!page.body.includes("eyJ"));
});

test("several tabs share the cookie: each login finishes, in any order", async () => {
  await using s = await scene();
  const browser = new Browser(s.t);
  const first = location(await browser.open(AUTHORIZE));
  const second = location(await browser.open(AUTHORIZE));
  for (const [url, id] of [
    [second, "two"],
    [first, "one"],
  ] as const) {
    const back = await browser.open(s.orcid.signIn(url, id));
    assert.match((await browser.open(location(back))).body, new RegExp(`<strong>${id}<`));
  }
});

test("twelve tabs that a new browser opens at once: each login finishes, here and for an application", async () => {
  const twelve = Array.from({ length: 12 }, (_, index) => index);
  await using own = await scene();
  const browser = new Browser(own.t);
  const away = await Promise.all(twelve.map(() => browser.open(AUTHORIZE)));
  for (const answer of away) {
    const back = await browser.open(own.orcid.signIn(location(answer), "ann"));
    assert.equal(back.statusCode, 303);
  }
  await using theirs = await scene(UI);
  const other = new Browser(theirs.t);
  for (const answer of await Promise.all(twelve.map(() => other.open(AUTHORIZE)))) {
    const back = await other.open(theirs.orcid.signIn(location(answer), "ann"));
    const code = new URL(location(back)).searchParams.get("code") ?? "";
    assert.equal((await exchange(other, theirs.t, { code })).statusCode, 200);
  }
});

test("an application gets a one-time code and its own state, and exchanges the code once", async () => {
  await using s = await scene(UI);
  const { t, orcid } = s;
  const browser = new Browser(t);
  const away = await browser.open(`${AUTHORIZE}?state=a%26b%20c`);
  const back = await browser.open(orcid.signIn(location(away), "ann"));
  assert.deepEqual([back.statusCode, back.headers["cache-control"]], [302, "no-store"]);
  const target = new URL(location(back));
  assert.equal(target.origin + target.pathname, "https://ui.example/cb");
  assert.deepEqual([...target.searchParams.keys()], ["x", "code", "state"]);
  assert.equal(target.searchParams.get("state"), "a&b c");
  assert.deepEqual(await events(t), [], "nothing is opened before the code is exchanged");

  const code = target.searchParams.get("code") ?? "";
  const answer = await exchange(browser, s.t, { code });
  assert.equal(answer.json<Answered>().identity.id, "ann");
  const again = await exchange(browser, s.t, { code });
  assert.deepEqual([again.statusCode, again.json<{ error: string }>().error], [400, "invalid_grant"]);
  assert.equal((await events(t)).filter((event) => event === "login").length, 1);
});

test("a state that takes much room comes back whole; one that takes too much is refused at once", async () => {
  await using s = await scene({ redirectOnSuccess: "https://ui.example/cb" });
  const browser = new Browser(s.t);
  const begin = (state: string) => browser.open(`${AUTHORIZE}?${new URLSearchParams({ state })}`);
  for (const character of ['"', "é"]) {
    const state = character.repeat(2048);
    const back = s.orcid.signIn(String((await begin(state)).headers.location), "ann");
    const returned = await browser.open(back);
    assert.equal(new URL(String(returned.headers.location)).searchParams.get("state"), state);
  }
  const refused = await s.t.call(`${AUTHORIZE}?${new URLSearchParams({ state: "日".repeat(2048) })}`);
  assert.equal(refused.statusCode, 422);
  assert.match(refused.body, /too long to be sent through the provider/);
});

test("no state was given, none is handed back", async () => {
  await using s = await scene(UI);
  const browser = new Browser(s.t);
  const back = await browser.open(s.orcid.signIn(location(await browser.open(AUTHORIZE)), "ann"));
  assert.deepEqual([...new URL(location(back)).searchParams.keys()], ["x", "code"]);
});

/** As the application's page in that browser does. */
async function exchange(
  browser: Browser,
  t: Parameters<typeof events>[0],
  fields: Record<string, string>,
  url = TOKEN,
): Promise<LightMyRequestResponse> {
  const cookie = [...browser.cookies].map(([name, { value }]) => `${name}=${value}`).join("; ");
  return await t.form(url, { grant_type: "authorization_code", ...fields }, { headers: { cookie } });
}

async function codeFor(s: Awaited<ReturnType<typeof scene>>, browser: Browser, query = ""): Promise<string> {
  const away = await browser.open(`${AUTHORIZE}${query}`);
  const back = await browser.open(s.orcid.signIn(location(away), "ann"));
  return new URL(location(back)).searchParams.get("code") ?? "";
}

test("a code ends after a minute, and belongs to its browser and its provider", async () => {
  await using s = await scene(UI);
  const { t } = s;
  const browser = new Browser(t);
  const late = await codeFor(s, browser);
  t.clock.advance(60);
  assert.equal((await exchange(browser, t, { code: late })).statusCode, 400);
  const code = await codeFor(s, browser);
  assert.equal((await exchange(new Browser(t), t, { code })).statusCode, 400, "no cookie");
  const mallory = new Browser(t);
  await mallory.open(AUTHORIZE);
  assert.equal((await exchange(mallory, t, { code })).statusCode, 400, "another cookie");
  const other = "/api/v1/auth/provider/other/token";
  assert.equal((await exchange(browser, t, { code }, other)).statusCode, 400, "another provider");
  assert.equal((await exchange(browser, t, { code, code_verifier: "v".repeat(43) })).statusCode, 400);
  assert.equal((await exchange(browser, t, { code })).statusCode, 200, "none of these used it up");
  const failures = (await events(t)).filter((event) => event.startsWith("login_failed"));
  assert.deepEqual(failures, [
    "login_failed unknown_code",
    "login_failed code_of_another_browser",
    "login_failed code_of_another_browser",
    "login_failed code_of_another_provider",
    "login_failed wrong_code_verifier",
  ]);
});

test("PKCE of the application: the challenge binds the code to its verifier", async () => {
  await using s = await scene(UI);
  const { t } = s;
  const browser = new Browser(t);
  const verifier = "an-application-s-own-verifier-of-sane-length";
  const challenge = hash("sha256", verifier, "base64url");
  const code = await codeFor(s, browser, `?code_challenge=${challenge}&code_challenge_method=S256`);
  assert.equal((await exchange(browser, t, { code })).statusCode, 400);
  assert.equal((await exchange(browser, t, { code, code_verifier: challenge })).statusCode, 400);
  assert.equal((await exchange(browser, t, { code, code_verifier: verifier })).statusCode, 200);
  for (const query of [
    `?code_challenge=${challenge}`,
    `?code_challenge=${challenge}&code_challenge_method=plain`,
    "?code_challenge_method=S256",
    "?code_challenge=short&code_challenge_method=S256",
    `?state=${"s".repeat(2049)}`,
    "?state=a&state=b",
  ]) {
    assert.equal((await t.call(AUTHORIZE + query)).statusCode, 422, query.slice(0, 60));
  }
});

test("the code is exchanged with JSON, too, and its errors have Tiled's shape then", async () => {
  await using s = await scene(UI);
  const { t } = s;
  const browser = new Browser(t);
  const code = await codeFor(s, browser);
  const cookie = [...browser.cookies].map(([name, { value }]) => `${name}=${value}`).join("; ");
  const json = (payload: object) =>
    t.call({
      method: "POST",
      url: TOKEN,
      headers: { cookie },
      payload: { grant_type: "authorization_code", ...payload },
    });
  assert.equal((await json({ code })).statusCode, 200);
  const used = await json({ code });
  assert.deepEqual(
    [used.statusCode, used.json<{ detail: { error: string } }>().detail.error],
    [400, "invalid_grant"],
  );
  assert.deepEqual((await json({})).json(), {
    detail: [{ type: "missing", loc: ["body", "code"], msg: "Field required" }],
  });
});

test("a disabled principal gets nothing for its code", async () => {
  await using s = await scene(UI);
  const { t } = s;
  const browser = new Browser(t);
  const { principal } = (await exchange(browser, t, { code: await codeFor(s, browser) })).json<Answered>();
  const found = await t.store?.principals.summaryOfIdentity({ provider: "orcid", id: "ann" });
  assert.equal(found?.uuid.replaceAll("-", ""), principal);
  if (found !== undefined) {
    const origin = { address: null, requestId: null, actor: null };
    await t.store?.principals.setDisabled({
      principal: found.uuid,
      disabled: true,
      now: new Date(t.clock.now()),
      context: origin,
    });
  }
  const refused = await exchange(browser, t, { code: await codeFor(s, browser) });
  assert.deepEqual([refused.statusCode, refused.json<{ error: string }>().error], [400, "access_denied"]);
});

test("tokens_in_redirect: the reference's query, if configured", async () => {
  await using s = await scene({ ...UI, tokensInRedirect: true });
  const { t, orcid } = s;
  const browser = new Browser(t);
  const back = await browser.open(orcid.signIn(location(await browser.open(`${AUTHORIZE}?state=st`)), "ann"));
  assert.deepEqual([back.statusCode, back.headers["cache-control"]], [302, "no-store"]);
  const query = new URL(location(back)).searchParams;
  assert.deepEqual(
    [...query.keys()],
    ["x", "access_token", "refresh_token", "identity.id", "identity.provider", "principal", "state"],
  );
  assert.equal((await t.whoami(`Bearer ${query.get("access_token")}`)).statusCode, 200);
});

test("used states of browser logins, and codes, are purged", async () => {
  await using s = await scene(UI);
  const { t } = s;
  const browser = new Browser(t);
  const back = s.orcid.signIn(location(await browser.open(AUTHORIZE)), "ann");
  await codeFor(s, browser);
  t.clock.advance(601);
  assert.equal(location(await browser.open(back)), UI.redirectOnFailure);
  assert.equal(s.orcid.exchanges, 1, "ten minutes are over");
  const purged = await t.store?.maintenance.purge({
    now: new Date(t.clock.now()),
    batch: 1,
    auditBefore: null,
  });
  assert.equal(purged?.more, true, "one of each was found");
  assert.equal(
    (await t.store?.maintenance.purge({ now: new Date(t.clock.now()), batch: 1, auditBefore: null }))?.more,
    false,
  );
});
