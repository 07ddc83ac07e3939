/** Where a browser's login at a provider ends that fails: at the application that waits for it, or where it began here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { Browser } from "../../support/browser.ts";
import { events, scene } from "../../support/device-login.ts";

const AUTHORIZE = "/api/v1/auth/provider/orcid/authorize";
const UI = { redirectOnSuccess: "https://ui.example/cb?x=1", redirectOnFailure: "https://ui.example/no" };

function location(response: LightMyRequestResponse): string {
  return String(response.headers.location);
}

test("a failure leads to redirect_on_failure, else to a page, or for a program to Tiled's answer", async () => {
  await using ui = await scene(UI);
  const denied = ui.orcid.deny(location(await new Browser(ui.t).open(AUTHORIZE)));
  const sent = await new Browser(ui.t).open(denied);
  assert.deepEqual([sent.statusCode, location(sent)], [302, "https://ui.example/no"]);

  await using s = await scene();
  const { t, orcid } = s;
  for (const query of ["", "?error=access_denied", "?code=c3"]) {
    const plain = await t.call(`/api/v1/auth/provider/orcid/code${query}`);
    assert.deepEqual([plain.statusCode, plain.json()], [401, { detail: "Authentication failure" }], query);
    assert.equal(plain.headers["www-authenticate"], "Bearer");
  }
  for (const [trouble, status] of [
    ["bad_gateway", 502],
    ["gateway_timeout", 504],
    ["provider_invalid", 401],
    ["login_refused", 401],
  ] as const) {
    orcid.trouble = null;
    const browser = new Browser(t);
    const back = orcid.signIn(location(await browser.open(AUTHORIZE)), "ann");
    orcid.trouble = trouble;
    const page = await browser.open(back);
    assert.equal(page.statusCode, status, trouble);
    assert.match(page.body, /href="\/login">Log in again</);
    assert.ok(page.body.includes(String(page.headers["x-tiled-request-id"])));
    assert.equal((await events(t)).at(-1), `login_failed ${trouble}`);
  }
});

const NEXT = new URLSearchParams({ next: "/ui/a?b=c" }).toString();

test("a login of our own pages that fails ends there, and leads back to where it was to lead", async () => {
  await using s = await scene(UI);
  const { t, orcid } = s;
  const { principals } = t.store ?? assert.fail();
  const origin = { address: null, requestId: null, actor: null };
  const now = new Date(t.clock.now());
  const { uuid } = await principals.ensureUser({
    identity: { provider: "orcid", id: "gone" },
    now,
    context: origin,
  });
  await principals.setDisabled({ principal: uuid, disabled: true, now, context: origin });
  for (const [what, back, trouble] of [
    ["denied there", (away: string) => orcid.deny(away), null],
    ["the provider fails", (away: string) => orcid.signIn(away, "ann"), "bad_gateway"],
    ["a disabled account", (away: string) => orcid.signIn(away, "gone"), null],
  ] as const) {
    const browser = new Browser(t);
    orcid.trouble = null;
    const returned = back(location(await browser.open(`${AUTHORIZE}?${NEXT}`)));
    orcid.trouble = trouble;
    const failed = await browser.open(returned);
    assert.ok(failed.statusCode >= 400, what);
    assert.match(failed.body, new RegExp(`href="/login\\?${NEXT}">Log in again<`), what);
    const again = await browser.open(returned);
    assert.match(again.body, /This login has ended.*href="\/login/s, `${what}, and the page is loaded anew`);
  }
  const login = await t.call(`/login?${NEXT}`);
  assert.ok(login.body.includes(`${AUTHORIZE}?${NEXT}"`), "where it leads is still known");
});

test("so does one that took too long, or comes back in another browser; programs get no page", async () => {
  await using s = await scene(UI);
  const { t, orcid } = s;
  const browser = new Browser(t);
  const begin = async (query: string) => location(await browser.open(`${AUTHORIZE}?${query}`));
  const foreign = await new Browser(t).open(orcid.signIn(await begin(NEXT), "ann"));
  assert.match(foreign.body, /This login began in another browser/);
  const program = await browser.open(orcid.deny(await begin(NEXT)), { accept: "*/*" });
  assert.deepEqual([program.statusCode, program.json()], [401, { detail: "The login was refused." }]);
  const late = orcid.signIn(await begin(NEXT), "ann");
  const theirs = orcid.signIn(await begin("state=xyz"), "ann");
  t.clock.advance(601);
  assert.match((await browser.open(late)).body, /This login has ended/);
  assert.equal(location(await browser.open(theirs)), "https://ui.example/no", "an application's");
});

test("an address elsewhere does not get any further by a login that fails", async () => {
  await using s = await scene(UI);
  const browser = new Browser(s.t);
  for (const next of ["//evil.example", "https://evil.example/x", "/\\evil.example", '"><script>']) {
    const away = location(await browser.open(`${AUTHORIZE}?${new URLSearchParams({ next })}`));
    const failed = await browser.open(s.orcid.deny(away));
    const link = /href="(\/login[^"]*)">Log in again</.exec(failed.body)?.[1] ?? assert.fail(failed.body);
    assert.ok(!failed.body.includes("<script>"));
    const login = await browser.open(link.replaceAll("&amp;", "&"));
    assert.deepEqual([login.statusCode, /evil|<script>/.test(login.body)], [200, false], next);
  }
  const twice = await browser.open("/api/v1/auth/provider/orcid/code?state=a-page&state=b-page");
  assert.equal(location(twice), "https://ui.example/no", "says nothing of where it began");
});

test("a provider that is down when the login begins", async () => {
  await using s = await scene();
  s.orcid.trouble = "gateway_timeout";
  const page = await new Browser(s.t).open(AUTHORIZE);
  assert.deepEqual([page.statusCode, /orcid is not responding/.test(page.body)], [504, true]);
  s.orcid.trouble = "provider_invalid";
  assert.equal((await s.t.call(AUTHORIZE)).statusCode, 502, "its own fault, before any login");
});
