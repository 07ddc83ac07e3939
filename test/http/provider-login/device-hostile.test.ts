/**
 * Attacks on device logins: states that are missing, unknown, used or another's, another browser's form, guessed codes,
 * too many logins. Each ends in a 4xx with a page, an audit row, no token and no new identity.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { Browser, formOf } from "../../support/browser.ts";
import {
  ADDRESS,
  events,
  poll,
  pollForm,
  type Scene,
  type Started,
  scene,
  start,
} from "../../support/device-login.ts";

const PENDING = { detail: { error: "authorization_pending" } };
const PATH = "/api/v1/auth/provider/orcid/device_code";

function withState(url: string, state: string | null): string {
  const changed = new URL(url);
  if (state === null) changed.searchParams.delete("state");
  else changed.searchParams.set("state", state);
  return changed.href;
}

/** A refusal that a person understands, of which an attacker has nothing. */
async function assertRefused({ t }: Scene, page: LightMyRequestResponse, status = 401): Promise<void> {
  assert.equal(page.statusCode, status, page.body);
  assert.match(String(page.headers["content-type"]), /^text\/html/);
  assert.ok(
    page.body.includes(String(page.headers["x-tiled-request-id"])),
    "the request's id is on the page",
  );
  assert.match(String(page.headers["content-security-policy"]), /frame-ancestors 'none'/);
  if (status === 401) assert.equal(page.headers["www-authenticate"], "Bearer");
  assert.ok(!page.body.includes("<form"));
  assert.match((await events(t)).at(-1) ?? "", /^login_failed /);
  assert.ok(!(await events(t)).includes("principal_created"));
}

test("a return whose state is missing, empty or unknown", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const back = orcid.signIn(login.authorization_uri, "mallory");
  for (const state of [null, "", "0".repeat(64), "x".repeat(3000)]) {
    await assertRefused(s, await new Browser(t).open(withState(back, state)));
    await assertRefused(s, await new Browser(t).open(withState(back, state), { accept: "*/*" }));
  }
  assert.equal(orcid.exchanges, 0);
  assert.deepEqual((await poll(t, login)).json(), PENDING);
  assert.equal((await new Browser(t).open(back)).statusCode, 200, "and the genuine one still works");
});

test("neither code nor state, repeated fields, and fields that are too long", async () => {
  await using s = await scene();
  const { t } = s;
  const bare = await t.call(PATH);
  assert.equal(bare.statusCode, 422);
  assert.deepEqual(bare.json(), {
    detail: [{ type: "missing", loc: ["query", "code"], msg: "Field required" }],
  });
  const page = await new Browser(t).open(PATH);
  assert.deepEqual([page.statusCode, /address is incomplete/.test(page.body)], [422, true]);
  for (const query of ["code=1&state=a&state=b", `code=${"c".repeat(5000)}&state=a`]) {
    assert.equal((await t.call(`${PATH}?${query}`)).statusCode, 422, query.slice(0, 30));
  }
  const twice = await t.call({
    method: "POST",
    url: `${PATH}?state=a`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: "user_code=2222&user_code=3333",
  });
  assert.equal(twice.statusCode, 400);
  assert.equal((await t.form(`${PATH}?code=c1`, { code: "c1" })).statusCode, 422);
});

test("a return that is replayed by another browser", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const back = orcid.signIn(login.authorization_uri, "ann");
  const own = new Browser(t);
  await own.open(back);
  for (const other of [new Browser(t), new Browser(t)]) {
    // The second has a cookie of its own, from a login of its own.
    const theirs = await start(t);
    if (other.cookies.size === 0) await other.open(orcid.signIn(theirs.authorization_uri, "mallory"));
    const page = await other.open(back);
    await assertRefused(s, page);
    assert.ok(!page.body.includes("ann"), "the name of the person is not shown");
  }
  assert.equal(orcid.exchanges, 3);
  assert.deepEqual((await poll(t, login)).json(), PENDING);
});

test("a finished login is over for everyone, and has no further effect in its own browser", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const back = orcid.signIn(login.authorization_uri, "ann");
  const browser = new Browser(t);
  const form = await browser.open(back);
  await browser.submit(form, { user_code: login.user_code });
  assert.match((await browser.open(back)).body, /Return to your program/);
  assert.match((await browser.submit(form, { user_code: "wrong" })).body, /Return to your program/);
  assert.equal((await poll(t, login)).statusCode, 200);
  assert.equal((await browser.open(back)).statusCode, 401);
  assert.equal((await new Browser(t).open(back)).statusCode, 401);
  assert.equal((await browser.submit(form, { user_code: login.user_code })).statusCode, 401);
  assert.equal(orcid.exchanges, 1);
});

test("a login that has expired: nothing is asked of the provider, no code is taken", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const [first, second] = [await start(t), await start(t)];
  const browser = new Browser(t);
  const form = await browser.open(orcid.signIn(first.authorization_uri, "ann"));
  t.clock.advance(901);
  await assertRefused(s, await browser.submit(form, { user_code: first.user_code }));
  await assertRefused(s, await browser.open(orcid.signIn(second.authorization_uri, "ann")));
  assert.equal(orcid.exchanges, 1);
});

test("login CSRF: a victim who is sent to the attacker's return cannot let the attacker's identity in", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const [attackers, victims] = [await start(t), await start(t)];
  const victim = new Browser(t);
  // The attacker signs in as himself and gives his return to the victim's browser.
  const form = await victim.open(orcid.signIn(attackers.authorization_uri, "mallory"));
  assert.match(form.body, /<strong>mallory<\/strong>/, "the page says that it is not the victim");
  const wrong = await victim.submit(form, { user_code: victims.user_code });
  assert.equal(wrong.statusCode, 401);
  assert.deepEqual((await poll(t, victims)).json(), PENDING);
  assert.deepEqual((await poll(t, attackers)).json(), PENDING);
});

test("login CSRF: the attacker's code with the victim's state", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const [attackers, victims] = [await start(t), await start(t)];
  const back = orcid.signIn(attackers.authorization_uri, "mallory");
  const state = new URL(victims.authorization_uri).searchParams.get("state");
  await assertRefused(s, await new Browser(t).open(withState(back, state)));
  assert.ok(
    (await events(t)).includes("login_failed provider_invalid"),
    "PKCE and nonce are another login's",
  );
  assert.deepEqual((await poll(t, victims)).json(), PENDING);
});

test("mix-up: a return from one provider to another's address", async () => {
  await using s = await scene();
  const { t, orcid, other } = s;
  const login = await start(t);
  const back = orcid.signIn(login.authorization_uri, "ann");
  await assertRefused(s, await new Browser(t).open(back.replace("/orcid/", "/other/")));
  assert.equal(other.exchanges, 0);
  const theirs = await start(t, "other");
  const code = new URL(other.signIn(theirs.authorization_uri, "mallory")).searchParams.get("code") ?? "";
  const mixed = new URL(back);
  mixed.searchParams.set("code", code);
  await assertRefused(s, await new Browser(t).open(mixed.href));
  assert.deepEqual((await poll(t, login)).json(), PENDING);
});

test("a device code at another provider: unknown there, and not used up", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const browser = new Browser(t);
  const form = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
  assert.equal((await poll(t, login, "other")).statusCode, 404);
  await browser.submit(form, { user_code: login.user_code });
  assert.equal((await poll(t, login, "other")).statusCode, 404);
  assert.equal((await poll(t, login)).statusCode, 200);
});

test("the form works only for the browser and the page that it was made for", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const browser = new Browser(t);
  const form = await browser.open(orcid.signIn(login.authorization_uri, "ann"));
  const code = { user_code: login.user_code };
  await assertRefused(s, await new Browser(t).submit(form, code));
  const mallory = new Browser(t);
  const theirs = await start(t);
  const malloryForm = await mallory.open(orcid.signIn(theirs.authorization_uri, "mallory"));
  await assertRefused(s, await mallory.submit(form, code));
  // A cross-site form: the attacker knows state and code of his own login, and not the token.
  for (const token of ["", "0".repeat(64), formOf(malloryForm).hidden["token"] ?? ""]) {
    await assertRefused(s, await browser.submit(form, { ...code, token }));
    await assertRefused(s, await browser.submit(form, { cancel: "1", user_code: "", token }));
  }
  assert.deepEqual((await poll(t, login)).json(), PENDING);
  assert.equal((await browser.submit(form, code)).statusCode, 200);
});

test("a planted cookie does not make the form's token known", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const planted = "ab".repeat(32);
  const login = await start(t);
  const victim = new Browser(t);
  victim.cookies.set("tiled_browser", { value: planted, path: "/" });
  const form = await victim.open(orcid.signIn(login.authorization_uri, "ann"));
  const mallory = new Browser(t);
  mallory.cookies.set("tiled_browser", { value: planted, path: "/" });
  const own = await start(t);
  const ownForm = await mallory.open(orcid.signIn(own.authorization_uri, "mallory"));
  for (const token of [planted, formOf(ownForm).hidden["token"] ?? ""]) {
    await assertRefused(s, await mallory.submit(form, { user_code: login.user_code, token }));
  }
  const junk = new Browser(t);
  junk.cookies.set("tiled_browser", { value: "short", path: "/" });
  const second = await start(t);
  await junk.open(orcid.signIn(second.authorization_uri, "bob"));
  assert.match(
    junk.cookies.get("tiled_browser")?.value ?? "",
    /^[0-9a-f]{64}$/,
    "a value of ours replaces it",
  );
});

test("guessing the user code: the eighth wrong one ends the login", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const mallory = new Browser(t);
  let page = await mallory.open(orcid.signIn(login.authorization_uri, "mallory"));
  for (let guess = 1; guess < 8; guess++) {
    page = await mallory.submit(page, { user_code: "ACEF-ACEF" });
    assert.equal(page.statusCode, 401);
  }
  const last = await mallory.submit(page, { user_code: "ACEF-ACEF" });
  assert.deepEqual([last.statusCode, /Too many wrong codes/.test(last.body)], [403, true]);
  assert.equal((await mallory.submit(page, { user_code: login.user_code })).statusCode, 401);
  const told = await poll(t, login);
  assert.deepEqual([told.statusCode, /wrong codes/.test(told.body)], [403, true]);
  assert.equal((await events(t)).filter((event) => event === "login_failed wrong_user_code").length, 8);
  assert.ok((await events(t)).includes("device_login_refused wrong_codes"));
});

test("eight wrong codes at the same moment are eight", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const mallory = new Browser(t);
  const form = await mallory.open(orcid.signIn(login.authorization_uri, "mallory"));
  const guesses = Array.from({ length: 30 }, () => mallory.submit(form, { user_code: "ACEF-ACEF" }));
  const statuses = (await Promise.all(guesses)).map(({ statusCode }) => statusCode);
  assert.equal((await events(t)).filter((event) => event === "login_failed wrong_user_code").length, 8);
  assert.equal(statuses.filter((status) => status === 403).length > 0, true);
  assert.equal((await mallory.submit(form, { user_code: login.user_code })).statusCode, 401);
});

test("wrong codes throttle their address; right ones, polls and other addresses go on", async () => {
  const limit = { account: { failures: 10, per: 300 }, address: { failures: 5, per: 300 } };
  await using s = await scene({ app: { authentication: { loginThrottle: limit } } });
  const { t, orcid } = s;
  const mallory = new Browser(t, ADDRESS);
  const login = await start(t);
  let page = await mallory.open(orcid.signIn(login.authorization_uri, "mallory"));
  for (let guess = 0; guess < 5; guess++) page = await mallory.submit(page, { user_code: "ACEF-ACEF" });
  const throttled = await mallory.submit(page, { user_code: "ACEF-ACEF" });
  assert.equal(throttled.statusCode, 429);
  assert.match(String(throttled.headers["retry-after"]), /^\d+$/);
  assert.match(throttled.body, /many wrong ones from your network/);
  const forged = await mallory.open(`${PATH}?code=1&state=unknown`);
  assert.deepEqual([forged.statusCode, /Too many attempts/.test(forged.body)], [429, true]);
  const failures = (await events(t)).filter((event) => event.startsWith("login_failed")).length;
  await mallory.open(`${PATH}?code=1&state=unknown`);
  assert.equal(
    (await events(t)).filter((event) => event.startsWith("login_failed")).length,
    failures,
    "a flood of forged returns does not fill the audit table",
  );
  assert.ok((await events(t)).includes("login_throttled"));
  assert.deepEqual((await poll(t, login)).json(), PENDING);

  const neighbour = new Browser(t, ADDRESS);
  const second = await start(t);
  const form = await neighbour.open(orcid.signIn(second.authorization_uri, "ann"));
  assert.equal((await neighbour.submit(form, { user_code: second.user_code })).statusCode, 200);
  assert.equal((await poll(t, second)).statusCode, 200);
  const elsewhere = new Browser(t, "203.0.113.9");
  assert.equal((await elsewhere.open(`${PATH}?code=1&state=unknown`)).statusCode, 401);
});

test("guesses from a throttled address still end the login", async () => {
  const limit = { account: { failures: 10, per: 300 }, address: { failures: 2, per: 300 } };
  await using s = await scene({ app: { authentication: { loginThrottle: limit } } });
  const { t, orcid } = s;
  const login = await start(t);
  const mallory = new Browser(t);
  const form = await mallory.open(orcid.signIn(login.authorization_uri, "mallory"));
  const statuses: number[] = [];
  for (let guess = 0; guess < 8; guess++) {
    statuses.push((await mallory.submit(form, { user_code: "ACEF-ACEF" })).statusCode);
  }
  assert.deepEqual(statuses, [401, 401, 429, 429, 429, 429, 429, 403]);
  assert.equal((await poll(t, login)).statusCode, 403);
});

test("an honest poll is never throttled", async () => {
  const limit = { account: { failures: 1, per: 300 }, address: { failures: 1, per: 300 } };
  await using s = await scene({ app: { authentication: { loginThrottle: limit } } });
  const { t } = s;
  const login = await start(t);
  for (let polls = 0; polls < 300; polls++) assert.deepEqual((await poll(t, login)).json(), PENDING);
  assert.deepEqual((await pollForm(t, login)).json(), { error: "authorization_pending" });
});

test("pending logins of one address are limited: the oldest is dropped, a new one is never refused", async () => {
  await using s = await scene();
  const { t } = s;
  const url = "/api/v1/auth/provider/orcid/authorize";
  const begin = async (remoteAddress: string) => {
    const response = await t.call({ method: "POST", url, remoteAddress });
    assert.equal(response.statusCode, 200);
    return response.json<Started>();
  };
  const elsewhere = await begin("2001:db8:0:1::1");
  const logins: Started[] = [];
  for (let started = 0; started < 502; started++) {
    logins.push(await begin(`2001:db8::${started.toString(16)}`));
    t.clock.advance(0.001);
  }
  const answers = await Promise.all([...logins, elsewhere].map((login) => poll(t, login)));
  const gone = answers.map(({ statusCode }, index) => (statusCode === 404 ? index : -1));
  assert.deepEqual(
    gone.filter((index) => index >= 0),
    [0, 1],
  );
  const codes = new Set<string>();
  for (let place = 2; place < 40; place++) codes.add((await begin(`2001:db8:0:${place}::1`)).user_code);
  assert.equal(codes.size, 38);
});

test("looking at a return without opening it uses nothing up", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const url = new URL(orcid.signIn(login.authorization_uri, "ann"));
  const head = await t.call({ method: "HEAD", url: url.pathname + url.search });
  assert.deepEqual([head.statusCode, orcid.exchanges], [405, 0]);
});

test("no secret of a login is logged", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  const browser = new Browser(t);
  const back = orcid.signIn(login.authorization_uri, "ann");
  const form = await browser.open(back);
  await browser.submit(form, { user_code: login.user_code });
  await poll(t, login);
  await new Browser(t).open(back);
  const another = orcid.signIn((await start(t)).authorization_uri, "ann");
  orcid.trouble = "provider_invalid";
  await browser.open(another);
  const log = t.logLines.join("");
  const asked = new URL(login.authorization_uri).searchParams;
  const secrets = [
    login.device_code,
    login.user_code,
    asked.get("state"),
    asked.get("nonce"),
    new URL(back).searchParams.get("code"),
    formOf(form).hidden["token"],
    browser.cookies.get("tiled_browser")?.value,
  ];
  for (const secret of secrets) assert.ok(secret && !log.includes(secret), `logged: ${secret}`);
  assert.match(log, /"reason":"a check failed"|scripted: provider_invalid/);
});
