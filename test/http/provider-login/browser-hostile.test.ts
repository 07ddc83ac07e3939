/**
 * Attacks on a browser's login: a state that is missing, unknown, used, another browser's or another provider's, codes of
 * others, open redirects. Each ends without a token and without a new identity.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { LoginSeals } from "../../../src/domain/login/sealed-login.ts";
import { Secret } from "../../../src/lib/secrets.ts";
import { PASSWORDS, testApp } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { events, type Scene, scene } from "../../support/device-login.ts";

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
  assert.equal((await mallory.open(back)).statusCode, 303, "no one else used it up");
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

test("a device login's state is not valid for a browser login, and vice versa", async () => {
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
  const server = { publicUrl: "https://tiled.example.org", hosts: ["inner.example"] };
  await using s = await scene({ app: { server } });
  assert.equal((await new Browser(s.t).open(AUTHORIZE, { host: "evil.example" })).statusCode, 421);
  const away = await new Browser(s.t).open(AUTHORIZE, { host: "inner.example" });
  const asked = new URL(location(away)).searchParams;
  assert.equal(asked.get("redirect_uri"), "https://tiled.example.org/api/v1/auth/provider/orcid/code");
});

test("scripts in foreign content are shown as text", async () => {
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

const IMAGE = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };

test("images and frames of other pages neither begin nor finish a login, nor break one in progress", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const browser = new Browser(t, "192.0.2.1");
  const back = orcid.signIn(location(await browser.open(AUTHORIZE)), "ann");
  const parts = [
    IMAGE,
    { ...IMAGE, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
    { ...IMAGE, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
  ];
  const { pathname, search } = new URL(back);
  for (let asked = 0; asked < 200; asked++) {
    for (const headers of parts) {
      for (const url of [AUTHORIZE, pathname + search, `${pathname}?code=x&state=y`, DEVICE]) {
        const refused = await t.call({ url, headers, remoteAddress: "192.0.2.1" });
        assert.equal(refused.statusCode, 403);
        assert.doesNotMatch(String(refused.headers["set-cookie"]), /tiled_browser/);
      }
    }
  }
  assert.deepEqual([orcid.exchanges, await events(t)], [0, []]);
  const navigation = { ...IMAGE, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  assert.equal((await browser.open(AUTHORIZE, navigation)).statusCode, 307);
  assert.equal((await browser.open(back, navigation)).statusCode, 303);
});

const DEVICE = "/api/v1/auth/provider/orcid/device_code?code=x&state=y";

test("any number of logins of one address are on their way, and each finishes", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const first = new Browser(t, "192.0.2.1");
  const back = orcid.signIn(location(await first.open(AUTHORIZE)), "ann");
  for (let begun = 0; begun < 1000; begun++) {
    assert.equal((await t.call({ url: AUTHORIZE, remoteAddress: "192.0.2.1" })).statusCode, 307);
  }
  const last = new Browser(t, "192.0.2.1");
  const other = orcid.signIn(location(await last.open(AUTHORIZE)), "bea");
  assert.equal((await last.open(other)).statusCode, 303);
  assert.equal((await first.open(back)).statusCode, 303);
});

test("a foreign page starts no program's login and guesses no password from its visitors' address", async () => {
  await using t = await testApp({ allowOrigins: ["https://ui.example"] });
  const attempt = (headers: Record<string, string>) => t.loginAttempt("alice", "wrong", { headers });
  for (let tries = 0; tries < 30; tries++) {
    assert.equal((await attempt({ origin: "https://evil.example" })).statusCode, 403);
    assert.equal((await attempt({ "sec-fetch-site": "cross-site" })).statusCode, 403);
  }
  assert.equal((await t.loginAttempt("alice", PASSWORDS.alice)).statusCode, 200, "nothing was counted");
  for (const origin of ["https://ui.example", "http://localhost"]) {
    const headers = { origin, "sec-fetch-site": "same-site" };
    assert.equal((await t.loginAttempt("alice", PASSWORDS.alice, { headers })).statusCode, 200, origin);
  }
  await using s = await scene();
  const start = { method: "POST", url: AUTHORIZE } as const;
  const foreign = await s.t.call({ ...start, headers: { origin: "https://evil.example" } });
  assert.equal(foreign.statusCode, 403);
  assert.deepEqual(await events(s.t), []);
});

test("a seal is opened by the keys that made it only, also by one that signs no more", async () => {
  const secretKeys = ["one of two keys for tests only", "the other of two keys for tests only"];
  await using s = await scene({ app: { secretKeys: secretKeys.slice(0, 1) } });
  const browser = new Browser(s.t);
  const away = location(await browser.open(AUTHORIZE));
  const state = new URL(away).searchParams.get("state") ?? "";
  const seals = (keys: readonly string[]) =>
    new LoginSeals(
      keys.map((key) => new Secret(key)),
      s.t.clock,
    );
  assert.equal((await seals(secretKeys.toReversed()).open(state))?.provider, "orcid");
  assert.equal(await seals(secretKeys.slice(1)).open(state), null);
  for (const changedState of [
    `${state}x`,
    state.replace(".page", ""),
    state.slice(1),
    "",
    "a".repeat(9000),
  ]) {
    if (changedState !== state) assert.equal(await seals(secretKeys).open(changedState), null);
  }
  const back = s.orcid.signIn(away, "ann");
  const [head = "", key, iv, text = "", tag] = state.split(".");
  const flipped = (text.startsWith("A") ? "B" : "A") + text.slice(1);
  const forged = [head, key, iv, flipped, tag].join(".");
  await assertRefused(s, await browser.open(changed(back, { state: forged })));
  assert.equal((await browser.open(back)).statusCode, 303);
});

test("a return that is opened again leads on a logged-in browser, and is refused to all others", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const browser = new Browser(t);
  const next = "/account?done=key-revoked";
  const away = location(await browser.open(`${AUTHORIZE}?${new URLSearchParams({ next })}`));
  const back = orcid.signIn(away, "ann");
  assert.equal(new URL(location(await browser.open(back))).search, "?done=key-revoked");
  const failures = async () => (await events(t)).filter((event) => event.startsWith("login_failed")).length;
  for (const later of [0, 601]) {
    t.clock.advance(later);
    const again = await browser.open(back);
    assert.deepEqual([again.statusCode, new URL(location(again)).search], [303, "?done=key-revoked"]);
  }
  assert.deepEqual([orcid.exchanges, await failures()], [1, 0]);
  const stranger = new Browser(t);
  await stranger.open(AUTHORIZE);
  assert.equal((await stranger.open(back)).statusCode, 401);
  browser.cookies.delete("tiled_session");
  assert.equal((await browser.open(back)).statusCode, 401);
  assert.equal(await failures(), 2);
  assert.equal(orcid.exchanges, 1);
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
