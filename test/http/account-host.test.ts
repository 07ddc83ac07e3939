/** Pages for people on a host of their own, `server.account_url`: what is where, and how a login gets to the data. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { type HandOver, HandOvers } from "../../src/domain/login/hand-over.ts";
import { sha256 } from "../../src/lib/secrets.ts";
import { apikey, bearer, PASSWORDS, type TestApp, type TestAppOptions, testApp } from "../support/app.ts";
import { formOf } from "../support/browser.ts";
import { mixedApp } from "../support/person.ts";

const ACCOUNT = "https://account.example.org";
const DATA = "https://data.example.org";
const DATA2 = "https://data2.example.org";
const OPENED = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "cross-site" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };

const SERVER = {
  publicUrl: DATA,
  accountUrl: ACCOUNT,
  verifyHosts: ["app.example.org", "data.example.org:8443", "elsewhere.example.org"],
};
const OPTIONS: TestAppOptions = {
  server: SERVER,
  upstreams: [{ host: "data2.example.org", prefix: "", url: "http://127.0.0.1:1" }],
};

/** Keeps cookies by host, as browsers do with those whose names begin with `__Host-`. */
class Visitor {
  readonly cookies = new Map<string, Map<string, string>>();
  readonly visited: string[] = [];
  readonly #t: TestApp;

  constructor(t: TestApp) {
    this.#t = t;
  }

  async open(url: string, headers: Record<string, string> = OPENED, body?: Record<string, string>) {
    const { host, hostname, pathname, search, origin } = new URL(url);
    const jar = this.cookies.get(hostname) ?? new Map<string, string>();
    this.cookies.set(hostname, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await this.#t.call({
      method: body === undefined ? "GET" : "POST",
      url: pathname + search,
      headers: {
        host,
        accept: "text/html",
        ...(cookie !== "" && { cookie }),
        ...(body && { ...FORM, origin }),
        ...headers,
      },
      ...(body && { payload: new URLSearchParams(body).toString() }),
    });
    this.visited.push(url);
    for (const { name, value, maxAge, ...others } of response.cookies) {
      if (name.startsWith("__Host-")) assert.equal((others as { domain?: string }).domain, undefined);
      if (maxAge === 0) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  /** On to where redirects lead; the last answer. */
  async follow(url: string): Promise<LightMyRequestResponse & { readonly at: string }> {
    let at = url;
    for (let step = 0; step < 12; step += 1) {
      const response = await this.open(at);
      const { location } = response.headers;
      if (response.statusCode < 300 || response.statusCode >= 400) return Object.assign(response, { at });
      assert.ok(location !== undefined);
      at = new URL(location, at).href;
      // Nothing answers there.
      if (!/^https:\/\/(account|data2?|app)\.example\.org(:8443)?\//.test(at))
        return Object.assign(response, { at });
    }
    throw new Error(`round and round: ${this.visited.join(" ")}`);
  }

  async submit(page: LightMyRequestResponse & { readonly at: string }, fields: Record<string, string>) {
    const { action, hidden } = formOf(page);
    return await this.open(
      new URL(action, page.at).href,
      { "sec-fetch-site": "same-origin" },
      { ...hidden, ...fields },
    );
  }

  /** With the form at the account host; where it leads is followed to its end. */
  async logIn(url = `${DATA}/login?next=/api/v1/auth/verify`, user: keyof typeof PASSWORDS = "alice") {
    const page = await this.follow(url);
    assert.equal(new URL(page.at).origin, ACCOUNT, page.at);
    const answer = await this.submit(page, { username: user, password: PASSWORDS[user] });
    assert.equal(answer.statusCode, 303, answer.body);
    return await this.follow(String(answer.headers.location));
  }

  async verify(origin: string): Promise<number> {
    return (await this.open(`${origin}/api/v1/auth/verify`, { "sec-fetch-site": "same-origin" })).statusCode;
  }

  cookie(host: string): string | undefined {
    return this.cookies.get(host)?.get("__Host-tiled_session");
  }
}

/** The address of the code, which is left unopened. */
async function codeFor(visitor: Visitor, from = `${DATA}/login?next=/x`): Promise<string> {
  let at = from;
  for (let step = 0; step < 6; step += 1) {
    at = String((await visitor.open(at)).headers.location);
    if (at.includes("/login/arrive?")) return at;
  }
  throw new Error(`no code: ${at}`);
}

test("a login is made at the account host, and reads at the data host where it began", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  const end = await visitor.logIn();
  assert.equal(end.at, `${DATA}/api/v1/auth/verify`);
  assert.equal(end.statusCode, 204);
  assert.match(String(end.headers["x-tiled-identity"]), /toy:alice/);
  assert.equal(await visitor.verify(DATA), 204);
  const asked = await new Visitor(t).follow(`${DATA}/api/v1/auth/verify?login=1`);
  assert.ok(asked.at.startsWith(`${ACCOUNT}/login?next=`), asked.at);
  // Another host is told when it asks, without the password.
  assert.equal(await visitor.verify(DATA2), 401);
  assert.equal((await visitor.follow(`${DATA2}/login?next=/api/v1/auth/verify`)).statusCode, 204);
  assert.equal(await visitor.verify(DATA2), 204);
  const account = await visitor.open(`${ACCOUNT}/account`);
  assert.match(account.body, /logged in as <strong>alice</);
  assert.equal(account.body.match(/action="\/account\/sessions\/end"/g)?.length ?? 0, 0);
});

test("without `next` a login leads to the data host's start page, which is logged in", async () => {
  await using t = await testApp({ server: SERVER });
  const visitor = new Visitor(t);
  const end = await visitor.logIn(`${DATA}/login`);
  assert.equal(end.at, `${DATA}/`);
  assert.match(end.body, /account/);
});

test("a page of the account host that is opened at a data host is opened where it is", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  for (const origin of [DATA, DATA2, `${DATA}:8443`]) {
    const to = await visitor.open(`${origin}/account?done=key-made`);
    assert.equal(to.statusCode, 303);
    assert.equal(to.headers.location, `${ACCOUNT}/account?done=key-made`);
    assert.equal(to.headers["cache-control"], "no-store");
  }
  await visitor.logIn();
  const to = await visitor.open(`${DATA}/account/identities/add/toy`);
  assert.equal(to.headers.location, `${ACCOUNT}/account/identities/add/toy`);
  // A login that leads to an account page goes through the data host, and back.
  const end = await new Visitor(t).logIn(`${DATA}/login?next=/account`);
  assert.equal(end.at, `${ACCOUNT}/account`);
});

test("the forms of pages for people are refused at data hosts, whatever cookie comes", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn();
  const page = await visitor.open(`${ACCOUNT}/account`);
  const secret = visitor.cookie("account.example.org") ?? "";
  const { hidden } = formOf(page);
  const forms = [
    "/login",
    "/account/keys",
    "/account/keys/revoke",
    "/account/sessions/end",
    "/account/sessions/end-others",
  ];
  for (const origin of [DATA, DATA2]) {
    for (const cookie of [visitor.cookie("data.example.org") ?? "", secret]) {
      for (const path of forms) {
        const headers = { "sec-fetch-site": "same-origin", cookie: `__Host-tiled_session=${cookie}` };
        const answer = await visitor.open(origin + path, headers, { ...hidden, lifetime: "week" });
        assert.equal(answer.statusCode, 403, path);
      }
    }
  }
  const account = await visitor.open(`${ACCOUNT}/account`);
  assert.doesNotMatch(account.body, /action="\/account\/keys\/revoke"/);
});

test("the two cookies of a login are not taken for each other", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn();
  const [at, there] = [visitor.cookie("account.example.org") ?? "", visitor.cookie("data.example.org") ?? ""];
  assert.notEqual(at, there);
  const ask = async (origin: string, path: string, cookie: string) =>
    await t.call({
      url: path,
      headers: { host: new URL(origin).host, cookie: `__Host-tiled_session=${cookie}`, ...OPENED },
    });
  assert.equal((await ask(ACCOUNT, "/account", at)).statusCode, 200);
  assert.equal((await ask(ACCOUNT, "/account", there)).statusCode, 401);
  assert.equal((await ask(DATA, "/api/v1/auth/verify", there)).statusCode, 204);
  assert.equal((await ask(DATA, "/api/v1/auth/verify", at)).statusCode, 401);
  // Neither is half of one, nor one whose signature is of something else.
  for (const forged of [
    there.slice(0, 64),
    there.slice(64),
    there.slice(0, 64) + sha256("x"),
    sha256("x") + there.slice(64),
  ]) {
    assert.equal((await ask(DATA, "/api/v1/auth/verify", forged)).statusCode, 401);
    assert.notEqual((await ask(ACCOUNT, "/account", forged)).statusCode, 200);
  }
});

test("neither cookie is a credential of the API", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn();
  for (const origin of [DATA, ACCOUNT]) {
    assert.equal((await visitor.open(`${origin}/api/v1/auth/apikey`)).statusCode, 401);
    assert.doesNotMatch((await visitor.open(`${origin}/api/v1/auth/whoami`)).body, /alice/);
  }
});

test("a forged X-Forwarded-Host does not make a data host the account host", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn();
  for (const header of ["x-forwarded-host", "x-host", "x-original-host", "forwarded"]) {
    const value = header === "forwarded" ? "host=account.example.org" : "account.example.org";
    const answer = await visitor.open(`${DATA}/account`, { ...OPENED, [header]: value });
    assert.equal(answer.statusCode, 303, header);
  }
  // Even from a proxy that lets it through: the cookie of a data host opens no page for people.
  await using trusting = await testApp({ ...OPTIONS, server: { ...SERVER, trustedProxies: ["127.0.0.1"] } });
  const other = new Visitor(trusting);
  await other.logIn();
  const through = { ...OPENED, "x-forwarded-host": "account.example.org" };
  assert.equal((await other.open(`${DATA}/account`, through)).statusCode, 303);
  assert.match(String((await other.open(`${DATA}/account`, through)).headers.location), /\/login\?next=/);
});

test("the account host is told by what a trusted proxy says", async () => {
  await using t = await testApp({ ...OPTIONS, server: { ...SERVER, trustedProxies: ["127.0.0.1"] } });
  const headers = { host: "127.0.0.1:8000", accept: "text/html", "x-forwarded-host": "account.example.org" };
  const page = await t.call({ url: "/login", headers });
  assert.equal(page.statusCode, 200);
  // A proxy that says nothing is told from a round trip without end.
  const silent = await t.call({ url: "/login?next=/login/leave?to=x", headers: { host: "127.0.0.1:8000" } });
  assert.equal(silent.statusCode, 400);
  assert.match(silent.body, /server\.account_url/);
});

test("at the account host there are no data, whatever is behind", async () => {
  const upstreams = [
    { host: null, prefix: "", url: "http://127.0.0.1:1" },
    { host: null, prefix: "/beamline", url: "http://127.0.0.1:1" },
  ];
  for (const options of [{ server: SERVER }, { server: SERVER, upstreams }]) {
    await using t = await testApp({ ...options, authentication: { allowAnonymousAccess: true } });
    const { access_token } = await t.login("alice").catch(() => ({ access_token: "" }));
    const ask = async (path: string, host = "account.example.org", method: "GET" | "POST" | "PUT" = "GET") =>
      (await t.call({ method, url: path, headers: { host, ...bearer(access_token) } })).statusCode;
    const data = [
      "/api/v1/metadata/",
      "/api/v1/search/",
      "/api/v1/array/full/x",
      "/ui",
      "/static/x.js",
      "/docs",
      "/openapi.json",
      "/api/v1/metrics",
      "/beamline",
      "/beamline/x",
      "/beamline/api/v1/",
      "/zarr/v2/x",
      "/login/arrive?code=x",
      "//ui",
      "/Login/../ui",
      "/x",
    ];
    for (const path of data) {
      for (const host of [
        "account.example.org",
        "ACCOUNT.example.org:443",
        "account.example.org.",
        "account.example.org:8443",
      ])
        assert.equal(await ask(path, host), 404, `${path} ${host}`);
      assert.equal(await ask(path, "account.example.org", "PUT"), 404, path);
    }
    for (const path of ["/healthz", "/api/v1/", "/login", "/logout", "/api/v1/auth/whoami"])
      assert.equal(await ask(path), 200, path);
    const start = await t.call({ url: "/", headers: { host: "account.example.org" } });
    assert.equal(start.headers.location, `${DATA}/`);
  }
});

test("a code is good once, for a minute, for the browser and the host that it was made for", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn(`${ACCOUNT}/login`);
  const arrives = async (who: Visitor, url: string) => {
    const answer = await who.open(url);
    return {
      status: answer.statusCode,
      cookie: who.cookie(new URL(url).hostname),
      to: answer.headers.location,
    };
  };

  const foreign = await codeFor(visitor);
  const stranger = new Visitor(t);
  await stranger.open(`${DATA}/login`);
  assert.deepEqual(await arrives(stranger, foreign), { status: 401, cookie: undefined, to: undefined });
  assert.deepEqual(await arrives(new Visitor(t), foreign), { status: 401, cookie: undefined, to: undefined });
  // Another browser has shown it: now it is worth nothing to its own, either.
  assert.equal((await arrives(visitor, foreign)).status, 401);

  const late = await codeFor(visitor);
  t.clock.advance(61);
  assert.equal((await arrives(visitor, late)).status, 401);

  const elsewhere = (await codeFor(visitor)).replace(DATA, DATA2);
  visitor.cookies.set("data2.example.org", new Map(visitor.cookies.get("data.example.org")));
  assert.equal((await arrives(visitor, elsewhere)).status, 401);

  const good = await codeFor(visitor);
  const first = await arrives(visitor, good);
  assert.deepEqual([first.status, first.to], [303, `${DATA}/x`]);
  // The back button leads on; without the login it is worth nothing.
  assert.equal((await arrives(visitor, good)).to, `${DATA}/x`);
  visitor.cookies.get("data.example.org")?.delete("__Host-tiled_session");
  assert.equal((await arrives(visitor, good)).status, 401);
});

test("a link with an attacker's own code logs no other browser in, nor does one to the account host", async () => {
  await using t = await testApp(OPTIONS);
  const [attacker, victim] = [new Visitor(t), new Visitor(t)];
  await attacker.logIn(`${ACCOUNT}/login`, "bob");
  await victim.open(`${DATA}/login`);
  assert.equal((await victim.open(await codeFor(attacker))).statusCode, 401);
  assert.equal(victim.cookie("data.example.org"), undefined);

  // The attacker's ticket, opened by a victim who is logged in: the code is the attacker's browser's, and it is used up.
  await victim.logIn(`${ACCOUNT}/login`, "alice");
  const ticket = String((await attacker.open(`${DATA}/login?next=/x`)).headers.location);
  const leave = String((await victim.open(ticket)).headers.location);
  const code = String((await victim.open(leave)).headers.location);
  assert.match(code, /\/login\/arrive\?/);
  assert.equal((await victim.open(code)).statusCode, 401);
  const stolen = await attacker.open(code);
  assert.equal(stolen.statusCode, 401);
  assert.equal(attacker.cookie("data.example.org"), undefined);
});

test("two tabs that a browser opens at once both come back logged in", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn(`${ACCOUNT}/login`);
  const first = String((await visitor.open(`${DATA}/login?next=/first`)).headers.location);
  const kept = new Map(visitor.cookies.get("data.example.org"));
  // The second tab was asked for before the first one's answer came.
  visitor.cookies.delete("data.example.org");
  const second = String((await visitor.open(`${DATA}/login?next=/second`)).headers.location);
  const jar = visitor.cookies.get("data.example.org");
  for (const [name, value] of kept) if (jar?.has(name) === false) jar.set(name, value);
  for (const [tab, end] of [
    [first, "/first"],
    [second, "/second"],
  ] as const) {
    jar?.delete("__Host-tiled_session");
    assert.equal((await visitor.follow(tab)).at, DATA + end);
    assert.equal(await visitor.verify(DATA), 204);
  }
});

test("codes are made and taken on navigations only", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn(`${ACCOUNT}/login`);
  const start = String((await visitor.open(`${DATA}/login?next=/x`)).headers.location);
  const leave = String((await visitor.open(start)).headers.location);
  const code = await codeFor(visitor);
  for (const dest of ["iframe", "image", "empty", "script"]) {
    const headers = {
      "sec-fetch-mode": dest === "iframe" ? "navigate" : "no-cors",
      "sec-fetch-dest": dest,
      "sec-fetch-site": "same-site",
    };
    const left = await visitor.open(leave, headers);
    assert.doesNotMatch(String(left.headers.location), /code=/, dest);
    assert.equal((await visitor.open(code, headers)).statusCode, 403, dest);
  }
  assert.equal((await visitor.open(code)).statusCode, 303);
});

test("a code of ours is no code of an application, and the other way round", async () => {
  await using mixed = await mixedApp({ server: SERVER }, { redirectOnSuccess: "https://app.example.org/in" });
  const { t, orcid } = mixed;
  const visitor = new Visitor(t);
  const away = await visitor.follow(`${DATA}/api/v1/auth/provider/orcid/authorize`);
  const back = await visitor.follow(new URL(orcid.signIn(away.at, "0000"), ACCOUNT).href);
  const code = new URL(back.at).searchParams.get("code") ?? "";
  assert.match(code, /^[0-9a-f]{64}$/);
  assert.equal((await visitor.open(`${DATA}/login/arrive?code=${code}`)).statusCode, 401);

  const person = new Visitor(t);
  await person.logIn(`${ACCOUNT}/login?provider=toy`);
  const ours = new URL(await codeFor(person)).searchParams.get("code") ?? "";
  for (const host of ["data.example.org", "account.example.org"]) {
    const headers = {
      host,
      cookie: [...(person.cookies.get("data.example.org") ?? [])].map((pair) => pair.join("=")).join("; "),
    };
    const exchanged = await t.form("/api/v1/auth/provider/orcid/code", { code: ours }, { headers });
    assert.ok(exchanged.statusCode >= 400 && exchanged.statusCode < 500, String(exchanged.statusCode));
    assert.doesNotMatch(exchanged.body, /access_token/);
  }
});

test("what is signed for one purpose is not taken for another", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn(`${ACCOUNT}/login`);
  const start = new URL(String((await visitor.open(`${DATA}/login?next=/x`)).headers.location));
  const ticket = new URL(start.searchParams.get("next") ?? "", ACCOUNT).searchParams.get("to") ?? "";
  assert.equal((await visitor.open(`${DATA}/login/arrive?code=${ticket}`)).statusCode, 401);
  const code = new URL(await codeFor(visitor)).searchParams.get("code") ?? "";
  const account = `${ACCOUNT}/account`;
  assert.equal((await visitor.open(`${ACCOUNT}/login/leave?to=${code}`)).headers.location, account);
  // None can be made without the key, and a changed one is invalid.
  const [body = "", mac = ""] = ticket.split(".");
  const content = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
  const evil = Buffer.from(JSON.stringify({ ...content, o: "https://evil.example" })).toString("base64url");
  for (const forged of [`${evil}.${mac}`, `${evil}.`, evil, `${body}.${mac}.x`, "", "."]) {
    assert.equal(
      (await visitor.open(`${ACCOUNT}/login/leave?to=${forged}`)).headers.location,
      account,
      forged,
    );
  }
});

test("a login leads to hosts of ours only", async () => {
  await using t = await testApp(OPTIONS);
  const evil = [
    "https://evil.example/",
    "//evil.example/",
    "https://data.example.org@evil.example/",
    "https://data.example.org.evil.example/",
    "javascript:alert(1)",
    "\\\\evil.example",
    "http://data.example.org/",
    "https://account.example.org.evil/",
    "/login/leave/../../\\evil.example",
  ];
  const visitor = new Visitor(t);
  await visitor.logIn(`${ACCOUNT}/login`);
  for (const next of evil) {
    for (const origin of [DATA, DATA2]) {
      const end = await visitor.follow(`${origin}/login?${new URLSearchParams({ next })}`);
      assert.equal(new URL(end.at).origin, origin, next);
    }
  }
  for (const host of visitor.cookies.keys()) assert.match(host, /^(account|data2?)\.example\.org$/);
});

test("a browser that a host of `verify_hosts` sends to the login", async () => {
  await using t = await testApp({ ...OPTIONS, server: { ...SERVER, trustedProxies: ["127.0.0.1"] } });
  // Its proxy passes /login on to us: it gets the login as our own hosts do.
  const visitor = new Visitor(t);
  const end = await visitor.logIn("https://app.example.org/login?next=/api/v1/auth/verify");
  assert.equal(end.at, "https://app.example.org/api/v1/auth/verify");
  assert.equal(await visitor.verify("https://app.example.org"), 204);
  // Another port of a data host's name has its cookies.
  const port = await visitor.follow(`${DATA}/login?next=${DATA}:8443/api/v1/auth/verify`);
  assert.equal(port.at, `${DATA}:8443/api/v1/auth/verify`);
  // To one that does not, a page leads on, and it is not led to again and again.
  const elsewhere = await visitor.follow(`${DATA}/login?next=https://elsewhere.example.org/x`);
  assert.equal(elsewhere.statusCode, 200);
  assert.match(elsewhere.body, /href="https:\/\/elsewhere\.example\.org\/x"/);
});

test("a session that ends at one host has ended at all", async () => {
  await using t = await testApp(OPTIONS);
  for (const host of [ACCOUNT, DATA]) {
    const visitor = new Visitor(t);
    await visitor.logIn();
    await visitor.follow(`${DATA2}/login?next=/x`).catch(() => undefined);
    assert.deepEqual([await visitor.verify(DATA), await visitor.verify(DATA2)], [204, 204]);
    const page = Object.assign(await visitor.open(`${host}/logout`), { at: `${host}/logout` });
    assert.equal((await visitor.submit(page, {})).statusCode, 303);
    assert.deepEqual([await visitor.verify(DATA), await visitor.verify(DATA2)], [401, 401]);
    assert.notEqual((await visitor.open(`${ACCOUNT}/account`)).statusCode, 200);
  }
});

test("a code of a session that has ended meanwhile is refused", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn(`${ACCOUNT}/login`);
  const code = await codeFor(visitor);
  const page = Object.assign(await visitor.open(`${ACCOUNT}/logout`), { at: `${ACCOUNT}/logout` });
  await visitor.submit(page, {});
  await visitor.open(code);
  assert.equal(visitor.cookie("data.example.org"), undefined);
});

test("neither the log nor a referrer has a code or a ticket", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  await visitor.logIn();
  const secrets = visitor.visited
    .flatMap((url) => [...new URL(url).searchParams.values()])
    .filter((value) => value.length > 60);
  assert.ok(secrets.length >= 3);
  for (const secret of secrets) assert.ok(!t.logLines.some((line) => line.includes(secret)));
  for (const url of visitor.visited.filter((visited) => /arrive|leave/.test(visited))) {
    const answer = await visitor.open(url);
    assert.equal(answer.headers["referrer-policy"], "no-referrer");
    assert.equal(answer.headers["cache-control"], "no-store");
  }
});

test("logins at a provider come back to the account host, wherever they began", async () => {
  await using mixed = await mixedApp({ server: SERVER });
  const { t, orcid } = mixed;
  const path = "/api/v1/auth/provider/orcid";
  const visitor = new Visitor(t);
  const away = await visitor.follow(`${DATA}${path}/authorize?next=/api/v1/auth/verify`);
  assert.equal(new URL(away.at).searchParams.get("redirect_uri"), `${ACCOUNT}${path}/code`);
  const end = await visitor.follow(new URL(orcid.signIn(away.at, "0000"), ACCOUNT).href);
  assert.equal(end.at, `${DATA}/api/v1/auth/verify`);
  assert.equal(end.statusCode, 204);

  const started = await t.call({
    method: "POST",
    url: `${path}/authorize`,
    headers: { host: "data.example.org" },
  });
  const { authorization_uri: browser, verification_uri: poll } = started.json<Record<string, string>>();
  assert.equal(new URL(browser ?? "").searchParams.get("redirect_uri"), `${ACCOUNT}${path}/device_code`);
  assert.equal(poll, `${DATA}${path}/token`);
  const oauth = await t.form(
    `${path}/authorize`,
    { client_id: "x" },
    { headers: { host: "data.example.org" } },
  );
  assert.ok(
    oauth.json<{ verification_uri: string }>().verification_uri.startsWith(`${ACCOUNT}${path}/device_code?`),
  );
  const opened = await visitor.open(`${DATA}${path}/device_code?state=x`);
  assert.equal(opened.headers.location, `${ACCOUNT}${path}/device_code?state=x`);
  assert.equal(
    (await visitor.open(`${DATA}${path}/device_code?state=x`, {}, { token: "x" })).statusCode,
    403,
  );
});

test("programs log in and use their keys at both", async () => {
  await using t = await testApp({ server: SERVER });
  for (const host of ["data.example.org", "account.example.org"]) {
    const answer = await t.loginAttempt("alice", PASSWORDS.alice, { headers: { host } });
    const key = await t.makeKey(answer.json<{ access_token: string }>().access_token);
    const who = await t.call({ url: "/api/v1/auth/whoami", headers: { host, ...apikey(key) } });
    assert.equal(who.statusCode, 200);
  }
});

test("a root path is the same at both hosts", async () => {
  const server = {
    ...SERVER,
    publicUrl: `${DATA}/tiled`,
    accountUrl: `${ACCOUNT}/tiled`,
    rootPath: "/tiled",
  };
  await using t = await testApp({ server });
  const visitor = new Visitor(t);
  const end = await visitor.logIn(`${DATA}/tiled/login?next=/tiled/api/v1/auth/verify`);
  assert.equal(end.at, `${DATA}/tiled/api/v1/auth/verify`);
  assert.equal(end.statusCode, 204);
});

test("a form may lead to the data host, or the browser would stop it on its way", async () => {
  await using t = await testApp(OPTIONS);
  const visitor = new Visitor(t);
  const page = await visitor.follow(`${DATA2}/login?next=/x`);
  assert.match(
    String(page.headers["content-security-policy"]),
    /form-action 'self' https:\/\/data2\.example\.org;/,
  );
});

test("an address that is too long for a ticket is left out", async () => {
  await using t = await testApp(OPTIONS);
  const end = await new Visitor(t).logIn(`${DATA}/login?next=/${"x".repeat(1500)}`);
  assert.equal(end.at, `${DATA}/`);
});

test("tickets and codes of another server's key are worth nothing, those of an older key of ours are good", async () => {
  await using t = await testApp({
    ...OPTIONS,
    secretKeys: ["the new key of this server, for tests", "the old key of this server, for tests"],
  });
  const made = (key: string) => {
    const { store } = t;
    assert.ok(store !== null);
    return new HandOvers({
      secrets: [{ reveal: () => key } as never],
      store: store.browserLogins,
      clock: t.clock,
    });
  };
  const visitor = new Visitor(t);
  await visitor.logIn(`${ACCOUNT}/login`);
  await visitor.open(`${DATA}/login`);
  const browser = visitor.cookies.get("data.example.org")?.get("__Host-tiled_browser") ?? "";
  const leads = async (key: string) => {
    const ticket = made(key).ticket(DATA, `${DATA}/x`, browser);
    return (await visitor.follow(`${ACCOUNT}/login/leave?to=${ticket}`)).at;
  };
  assert.equal(await leads("a key of another server, for tests only"), `${ACCOUNT}/account`);
  assert.equal(await leads("the old key of this server, for tests"), `${DATA}/x`);
  const handOver: HandOver = { origin: DATA, next: `${DATA}/x`, browser: sha256(`browser ${browser}`) };
  const code = made("a key of another server, for tests only").code(handOver, sha256("x"));
  assert.equal((await visitor.open(`${DATA}/login/arrive?code=${code}`)).statusCode, 401);
});
