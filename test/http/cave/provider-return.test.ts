/** Logins at a provider for CAVE's pages: they come back to the same browser, through whatever host the provider knows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { PASSWORDS, type TestApp, type TestAppOptions } from "../../support/app.ts";
import { formOf } from "../../support/browser.ts";
import type { ScriptedProvider } from "../../support/scripted-provider.ts";
import { authorizePath, COOKIE, caveApp, SERVER, SERVICE, tokenIn, VIEWER } from "./pages.ts";

const OPENED = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "cross-site" };
const PUBLIC = "https://tiled.example.org";
const ACCOUNT = "https://account.example.org";

/** Where the pages for people are beside `cave.server_address`. */
const SCENES: Readonly<Record<string, TestAppOptions>> = {
  "the same host": { server: { publicUrl: SERVER } },
  "only this host": {},
  "another host": { server: { publicUrl: PUBLIC } },
  "a host of their own": { server: { publicUrl: PUBLIC, accountUrl: ACCOUNT } },
  "a host of their own, and the data here": { server: { publicUrl: SERVER, accountUrl: ACCOUNT } },
  "a host of their own, which is this one": { server: { publicUrl: PUBLIC, accountUrl: SERVER } },
};

/** Keeps cookies by host and path. */
class Visitor {
  readonly cookies = new Map<string, { readonly value: string; readonly path: string }>();
  readonly #t: TestApp;

  constructor(t: TestApp) {
    this.#t = t;
  }

  async open(address: string): Promise<LightMyRequestResponse & { readonly at: string }> {
    const { host, pathname, search } = new URL(address);
    const own = [...this.cookies].filter(
      ([key, { path }]) => key.startsWith(`${host} `) && pathname.startsWith(path),
    );
    const cookie = own.map(([key, { value }]) => `${key.slice(host.length + 1)}=${value}`).join("; ");
    const headers = { host, accept: "text/html", ...OPENED, ...(cookie !== "" && { cookie }) };
    const response = await this.#t.call({ url: pathname + search, headers });
    for (const { name, value, path = "/", maxAge } of response.cookies) {
      if (maxAge === 0) this.cookies.delete(`${host} ${name}`);
      else this.cookies.set(`${host} ${name}`, { value, path });
    }
    return Object.assign(response, { at: address });
  }

  /** As far as redirects stay with us. */
  async follow(address: string): Promise<LightMyRequestResponse & { readonly at: string }> {
    let response = await this.open(address);
    for (let hops = 0; hops < 10 && response.headers.location !== undefined; hops++) {
      const next = new URL(String(response.headers.location), response.at);
      if (![SERVER, PUBLIC, ACCOUNT].includes(next.origin)) return response;
      response = await this.open(next.href);
    }
    return response;
  }

  get names(): string[] {
    return [...this.cookies.keys()];
  }
}

function linkIn({ body }: LightMyRequestResponse, provider = "orcid"): string {
  const link = new RegExp(`href="([^"]*/provider/${provider}/authorize[^"]*)"`).exec(body)?.[1];
  return (link ?? assert.fail(body)).replaceAll("&amp;", "&");
}

/** From the login page to the provider; the address that the provider sends the browser back to. */
async function leave(visitor: Visitor, orcid: ScriptedProvider, redirect?: string): Promise<string> {
  const page = await visitor.open(SERVER + authorizePath(redirect));
  const away = await visitor.follow(linkIn(page));
  assert.equal(away.statusCode, 307, away.body);
  return orcid.signIn(String(away.headers.location), "0000-0001");
}

for (const [where, options] of Object.entries(SCENES)) {
  test(`the pages for people at ${where}: a login leads back to the service, and to no account`, async () => {
    await using app = await caveApp(options);
    const visitor = new Visitor(app.t);
    const back = await leave(visitor, app.orcid, `${SERVICE}/a?b=c`);
    const handed = await visitor.follow(back);
    assert.equal(handed.statusCode, 302, handed.body);
    assert.match(
      String(handed.headers.location),
      /^https:\/\/pcg\.example\.org:8443\/a\?b=c&middle_auth_token=/,
    );
    assert.ok(visitor.names.includes(`cave.example.org ${COOKIE}`));
    assert.ok(!visitor.names.some((name) => name.includes("tiled_session")));
    // Here, too, the popup gets its token.
    assert.match(tokenIn(await visitor.open(SERVER + authorizePath())) ?? "", /^[0-9a-f]{32}$/);
  });
}

test("a link or a stolen address plants no login in another browser", async () => {
  await using app = await caveApp(SCENES["another host"]);
  const { t, orcid } = app;
  const mallory = new Visitor(t);
  const back = await leave(mallory, orcid, `${VIEWER}/`);
  const victim = new Visitor(t);
  await victim.open(SERVER + authorizePath());
  assert.equal(
    (await victim.follow(back)).statusCode,
    401,
    "the provider's answer belongs to the other browser",
  );
  const arrival = String((await mallory.open(back)).headers.location);
  assert.match(arrival, /^https:\/\/cave\.example\.org\/sticky_auth\/login\/arrive\?code=/);
  const refused = await victim.open(arrival);
  assert.equal(refused.statusCode, 401);
  assert.ok(!victim.names.some((name) => name.includes(COOKIE)));
  // It is used up, also for the browser that it was for.
  assert.equal((await mallory.open(arrival)).statusCode, 401);
  for (const forged of ["", "x", "a.b", `${"a".repeat(64)}.${"b".repeat(64)}`]) {
    const address = `${SERVER}/sticky_auth/login/arrive?code=${forged}`;
    assert.equal((await victim.open(address)).statusCode, 401, forged);
  }
});

test("a code counts for a minute", async () => {
  await using app = await caveApp(SCENES["another host"]);
  const visitor = new Visitor(app.t);
  const back = await leave(visitor, app.orcid);
  const arrival = String((await visitor.open(back)).headers.location);
  app.t.clock.advance(61_000);
  assert.equal((await visitor.open(arrival)).statusCode, 401, "a minute later");
});

test("the address of the arrival once more leads on while the browser is logged in", async () => {
  await using app = await caveApp(SCENES["another host"]);
  const visitor = new Visitor(app.t);
  const back = await leave(visitor, app.orcid, `${VIEWER}/`);
  const arrival = String((await visitor.open(back)).headers.location);
  await visitor.follow(arrival);
  const again = await visitor.follow(arrival);
  assert.match(String(again.headers.location), /^https:\/\/ng\.example\.org\/\?middle_auth_token=/);
  // The provider's answer once more, as after a reload, as well.
  const reloaded = await visitor.follow(back);
  assert.match(String(reloaded.headers.location), /^https:\/\/ng\.example\.org\/\?middle_auth_token=/);
});

test("two tabs of a new browser both log in", async () => {
  await using app = await caveApp(SCENES["another host"]);
  const visitor = new Visitor(app.t);
  const one = await leave(visitor, app.orcid, `${VIEWER}/1`);
  const other = await leave(visitor, app.orcid, `${VIEWER}/2`);
  assert.match(String((await visitor.follow(one)).headers.location), /\/1\?/);
  assert.match(String((await visitor.follow(other)).headers.location), /\/2\?/);
});

test("a person who is refused at the provider gets back to CAVE's login page", async () => {
  await using app = await caveApp(SCENES["another host"]);
  const visitor = new Visitor(app.t);
  const page = await visitor.open(SERVER + authorizePath(`${VIEWER}/`));
  const away = await visitor.follow(linkIn(page));
  const failed = await visitor.open(app.orcid.deny(String(away.headers.location)));
  assert.equal(failed.statusCode, 401);
  const onward =
    /href="(https:\/\/cave\.example\.org[^"]*)"/.exec(failed.body)?.[1] ?? assert.fail(failed.body);
  assert.equal(onward, SERVER + authorizePath(`${VIEWER}/`));
  assert.match((await visitor.open(onward)).body, /name="password"/);
});

test("an address that is too long for a provider is left out, and the login still counts", async () => {
  await using app = await caveApp();
  const visitor = new Visitor(app.t);
  const long = `${VIEWER}/?${"x".repeat(3000)}`;
  const arrived = await visitor.follow(await leave(visitor, app.orcid, long));
  assert.equal(arrived.statusCode, 200);
  assert.match(arrived.body, /You are logged in/);
  assert.equal((await visitor.open(SERVER + authorizePath(long))).statusCode, 302);
});

test("a destination that is not signed leads to no other host", async () => {
  await using app = await caveApp();
  const visitor = new Visitor(app.t);
  for (const next of [
    "https://evil.example/",
    `${SERVER}/sticky_auth/login/arrive?to=x`,
    `${SERVER}.evil.example/sticky_auth/login/arrive?to=x`,
  ]) {
    const query = new URLSearchParams({ next });
    const away = await visitor.open(`${SERVER}/api/v1/auth/provider/orcid/authorize?${query}`);
    const back = app.orcid.signIn(String(away.headers.location), "0000-0001");
    const arrived = await visitor.open(back);
    assert.equal(new URL(String(arrived.headers.location), SERVER).host, "cave.example.org");
  }
});

test("a login from an older page ends the one that came from a provider, and its tokens", async () => {
  await using app = await caveApp();
  const { t } = app;
  const visitor = new Visitor(t);
  const older = await visitor.open(SERVER + authorizePath());
  await visitor.follow(await leave(visitor, app.orcid));
  const token = tokenIn(await visitor.open(SERVER + authorizePath()));
  const ask = () => t.call({ url: "/auth/api/v1/user/cache", headers: { authorization: `Bearer ${token}` } });
  assert.equal((await ask()).statusCode, 200);
  const fields = { ...formOf(older).hidden, username: "bob", password: PASSWORDS.bob };
  const response = await t.call({
    method: "POST",
    url: formOf(older).action,
    headers: {
      host: new URL(SERVER).host,
      "content-type": "application/x-www-form-urlencoded",
      cookie: [...visitor.cookies]
        .map(([key, { value }]) => `${key.slice(key.indexOf(" ") + 1)}=${value}`)
        .join("; "),
    },
    payload: new URLSearchParams(fields).toString(),
  });
  assert.equal(response.statusCode, 303, response.body);
  assert.equal((await ask()).statusCode, 401);
});

test("so does a second login from a provider", async () => {
  await using app = await caveApp();
  const visitor = new Visitor(app.t);
  const [first, second] = [await leave(visitor, app.orcid), await leave(visitor, app.orcid)];
  await visitor.follow(first);
  const ask = (token: string | null) =>
    app.t.call({ url: "/auth/api/v1/user/cache", headers: { authorization: `Bearer ${token}` } });
  const token = tokenIn(await visitor.open(SERVER + authorizePath()));
  assert.equal((await ask(token)).statusCode, 200);
  await visitor.follow(second);
  assert.equal((await ask(token)).statusCode, 401);
  const next = tokenIn(await visitor.open(SERVER + authorizePath()));
  assert.equal((await ask(next)).statusCode, 200);
});

test("a data host's login, which services behind it may see, opens none of CAVE's pages", async () => {
  await using app = await caveApp(SCENES["a host of their own, and the data here"]);
  const visitor = new Visitor(app.t);
  const page = await visitor.follow(`${SERVER}/login`);
  const away = await visitor.follow(new URL(linkIn(page), page.at).href);
  const back = app.orcid.signIn(String(away.headers.location), "0000-0001");
  await visitor.follow(back);
  const [key, session] = [...visitor.cookies].find(([name]) => /^cave\S+ \S*tiled_session$/.test(name)) ?? [];
  assert.ok(session !== undefined, visitor.names.join());
  visitor.cookies.delete(key ?? "");
  visitor.cookies.set(`cave.example.org ${COOKIE}`, session);
  const refused = await visitor.open(`${SERVER}/sticky_auth/settings/tokens`);
  assert.equal(refused.statusCode, 303, refused.body);
});

test("the account's login is not handed to CAVE's pages as to a data host", async () => {
  await using app = await caveApp(SCENES["a host of their own"]);
  const visitor = new Visitor(app.t);
  const login = await visitor.open(`${ACCOUNT}/login`);
  const away = await visitor.open(new URL(linkIn(login), ACCOUNT).href);
  await visitor.follow(app.orcid.signIn(String(away.headers.location), "0000-0001"));
  assert.ok(
    visitor.names.some((name) => /^account\S+ \S*tiled_session$/.test(name)),
    visitor.names.join(),
  );
  const page = await visitor.open(SERVER + authorizePath());
  const arrival = new URL(linkIn(page)).searchParams.get("next") ?? "";
  const ticket = new URL(arrival).searchParams.get("to") ?? "";
  const response = await visitor.follow(`${ACCOUNT}/login/leave?${new URLSearchParams({ to: ticket })}`);
  assert.equal(response.at, `${ACCOUNT}/account`);
  assert.ok(!visitor.names.some((name) => name.includes(COOKIE)));
});
