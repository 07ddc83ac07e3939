/**
 * Attacks on a browser's login: a state that is missing, unknown, used, another browser's or another provider's, codes of
 * others, open redirects. Each ends without a token and without a new identity.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { Browser } from "../support/browser.ts";
import { events, type Scene, scene } from "../support/device-login.ts";

const AUTHORIZE = "/api/v1/auth/provider/orcid/authorize";
const UI = { redirectOnSuccess: "https://ui.example/cb", redirectOnFailure: "https://ui.example/no" };

function location(response: LightMyRequestResponse): string {
  return String(response.headers.location);
}

function changed(url: string, parameters: Record<string, string | null>): string {
  const copy = new URL(url);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) copy.searchParams.delete(name);
    else copy.searchParams.set(name, value);
  }
  return copy.href;
}

async function assertRefused({ t }: Scene, page: LightMyRequestResponse): Promise<void> {
  assert.equal(page.statusCode, 401, page.body);
  assert.match(String(page.headers["content-type"]), /^text\/html/);
  assert.ok(page.body.includes(String(page.headers["x-tiled-request-id"])));
  assert.match(String(page.headers["content-security-policy"]), /frame-ancestors 'none'/);
  assert.match((await events(t)).at(-1) ?? "", /^login_failed /);
  assert.ok(!(await events(t)).includes("principal_created"));
}

test("a state that is missing, empty or unknown", async () => {
  await using s = await scene();
  const browser = new Browser(s.t);
  const back = s.orcid.signIn(location(await browser.open(AUTHORIZE)), "ann");
  for (const state of [null, "", "0".repeat(64)]) {
    await assertRefused(s, await browser.open(changed(back, { state })));
  }
  assert.equal(s.orcid.exchanges, 0);
  assert.equal((await browser.open(back)).statusCode, 303, "the genuine one still works");
});

test("a state is used once, also when the provider failed and when two come at once", async () => {
  await using s = await scene();
  const { orcid } = s;
  const browser = new Browser(s.t);
  const failing = orcid.signIn(location(await browser.open(AUTHORIZE)), "ann");
  orcid.trouble = "bad_gateway";
  assert.equal((await browser.open(failing)).statusCode, 502);
  orcid.trouble = null;
  await assertRefused(s, await browser.open(failing));
  const back = orcid.signIn(location(await browser.open(AUTHORIZE)), "ann");
  const answers = await Promise.all([1, 2, 3, 4].map(() => browser.open(back)));
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [303, 401, 401, 401]);
  assert.equal(orcid.exchanges, 2);
});

test("login CSRF: another browser's state and code, with and without a cookie of its own", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const mallory = new Browser(t);
  const back = orcid.signIn(location(await mallory.open(AUTHORIZE)), "mallory");
  await assertRefused(s, await new Browser(t).open(back));
  const victim = new Browser(t);
  await victim.open(AUTHORIZE);
  await assertRefused(s, await victim.open(back));
  assert.equal(orcid.exchanges, 0);
  assert.equal((await mallory.open(back)).statusCode, 303, "nobody else used it up");
});

test("the attacker's code with the victim's state", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const [mallory, victim] = [new Browser(t), new Browser(t)];
  const theirs = new URL(orcid.signIn(location(await mallory.open(AUTHORIZE)), "mallory"));
  const victims = orcid.signIn(location(await victim.open(AUTHORIZE)), "ann");
  await assertRefused(s, await victim.open(changed(victims, { code: theirs.searchParams.get("code") })));
});

test("mix-up: a return to another provider's address, and another provider's code", async () => {
  await using s = await scene();
  const { t, orcid, other } = s;
  const browser = new Browser(t);
  const back = orcid.signIn(location(await browser.open(AUTHORIZE)), "ann");
  await assertRefused(s, await browser.open(back.replace("/orcid/", "/other/")));
  assert.equal(other.exchanges, 0);
  const away = await browser.open(AUTHORIZE.replace("orcid", "other"));
  const theirs = new URL(other.signIn(location(away), "mallory"));
  await assertRefused(s, await browser.open(changed(back, { code: theirs.searchParams.get("code") })));
});

test("a state of a device login is none of a browser's, and the other way round", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const browser = new Browser(t);
  const started = await t.call({ method: "POST", url: AUTHORIZE });
  const device = orcid.signIn(started.json<{ authorization_uri: string }>().authorization_uri, "ann");
  await assertRefused(s, await browser.open(device.replace("/device_code", "/code")));
  const back = orcid.signIn(location(await browser.open(AUTHORIZE)), "ann");
  await assertRefused(s, await browser.open(back.replace("/code?", "/device_code?")));
});

test("open redirects: only the operator says where a login leads", async () => {
  await using s = await scene(UI);
  const browser = new Browser(s.t);
  const evil = "https://evil.example/";
  const query = new URLSearchParams({
    state: evil,
    redirect_uri: evil,
    redirect_on_success: evil,
    return_to: evil,
  });
  const away = await browser.open(`${AUTHORIZE}?${query}`);
  assert.ok(!location(away).includes("evil"));
  const back = await browser.open(
    changed(s.orcid.signIn(location(away), "ann"), { redirect_uri: evil, next: evil, iss: evil }),
  );
  assert.equal(new URL(location(back)).origin, "https://ui.example");
  assert.equal(new URL(location(back)).searchParams.get("state"), evil, "handed back as it was, and no more");
  const failed = await browser.open(`/api/v1/auth/provider/orcid/code?state=x&code=y&next=${evil}`);
  assert.equal(location(failed), "https://ui.example/no");
  // A login for our own pages leads to no other.
  for (const next of [
    evil,
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "%2f%2fevil.example",
  ]) {
    const asked = await browser.open(`${AUTHORIZE}?${new URLSearchParams({ next })}`);
    const home = await browser.open(s.orcid.signIn(location(asked), "ann"));
    assert.equal(new URL(location(home)).href, "http://localhost/account", next);
  }
});

test("an unwanted host name is no redirect URI", async () => {
  await using s = await scene({ app: { server: { publicUrl: "https://tiled.example.org" } } });
  const away = await new Browser(s.t).open(AUTHORIZE, { host: "evil.example" });
  const asked = new URL(location(away)).searchParams;
  assert.equal(asked.get("redirect_uri"), "https://tiled.example.org/api/v1/auth/provider/orcid/code");
});

test("script in what comes from outside is shown as text", async () => {
  await using s = await scene();
  const browser = new Browser(s.t);
  const evil = `"><script>alert(1)</script>`;
  const page = await browser.open(
    `/api/v1/auth/provider/orcid/code?error=${encodeURIComponent(evil)}&state=${encodeURIComponent(evil)}`,
  );
  assert.ok(!page.body.includes("<script"));
  const back = s.orcid.signIn(location(await browser.open(AUTHORIZE)), evil);
  assert.ok(!(await browser.open(back)).body.includes("<script"));
});

test("logins of one address on their way are limited", async () => {
  await using s = await scene();
  const { t } = s;
  const begin = (remoteAddress: string) => t.call({ url: AUTHORIZE, remoteAddress });
  for (let begun = 0; begun < 500; begun++) assert.equal((await begin("192.0.2.1")).statusCode, 307);
  const refused = await begin("192.0.2.1");
  assert.deepEqual([refused.statusCode, refused.headers["retry-after"]], [429, "60"]);
  assert.equal((await begin("192.0.2.2")).statusCode, 307);
  t.clock.advance(601);
  assert.equal((await begin("192.0.2.1")).statusCode, 307);
});

test("looking at an address without opening it begins and finishes nothing", async () => {
  await using s = await scene();
  const browser = new Browser(s.t);
  const back = s.orcid.signIn(location(await browser.open(AUTHORIZE)), "ann");
  for (const url of [AUTHORIZE, new URL(back).pathname + new URL(back).search]) {
    assert.equal((await s.t.call({ method: "HEAD", url })).statusCode, 405);
  }
  assert.equal((await browser.open(back)).statusCode, 303);
});

test("an identity that cannot be stored is the provider's fault", async () => {
  await using s = await scene();
  for (const id of ["", "x".repeat(256), "a\0b", "\ud800"]) {
    const browser = new Browser(s.t);
    await assertRefused(s, await browser.open(s.orcid.signIn(location(await browser.open(AUTHORIZE)), id)));
  }
});
