/** Which callers the gateway admits, and the credentials that it sends upstream. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { apikey, bearer, type TestAppOptions } from "../../support/app.ts";
import { logIn, SESSION } from "../../support/person.ts";
import { type Asked, startBoth } from "../../support/upstream.ts";

async function scene(t: TestContext, options: TestAppOptions = {}) {
  return await startBoth((last) => t.after(last), options);
}

interface Claims {
  readonly sub: string;
  readonly scp: readonly string[];
  readonly ids: readonly object[];
  readonly exp: number;
}

function tokenOf({ headers: { authorization } }: Asked): Claims {
  const [, payload = ""] = /^Bearer [^.]+\.([^.]+)\.[^.]+$/.exec(authorization ?? "") ?? [];
  return JSON.parse(Buffer.from(payload, "base64url").toString());
}

const DATA = "/api/v1/metadata/A";

test("a login is exchanged for a token of a minute of the same principal, never passed on", async (x) => {
  const { t, url, upstream } = await scene(x);
  const { access_token, principal } = await t.login("bob");
  for (let round = 0; round < 2; round++) {
    const response = await fetch(url + DATA, { headers: bearer(access_token) });
    assert.equal(response.status, 200);
  }
  const [first, second] = upstream.asked;
  assert.ok(first !== undefined && second !== undefined);
  const { sub, scp, ids, exp } = tokenOf(first);
  assert.deepEqual([sub, ids, exp], [principal, [{ id: "bob", idp: "toy" }], t.clock.now() / 1000 + 60]);
  assert.ok(scp.includes("write:data") && !scp.includes("admin:apikeys"));
  assert.equal(first.headers.authorization, second.headers.authorization);
  assert.ok(!JSON.stringify(upstream.asked).includes(access_token));
  assert.equal(first.headers["x-tiled-identity"], "toy:bob");
  assert.equal(first.headers["x-tiled-scopes"], [...scp].sort().join(" "));
});

test("a token that was made for the server behind opens nothing here", async (x) => {
  const { t, url, upstream } = await scene(x);
  const { access_token } = await t.login("alice");
  await fetch(url + DATA, { headers: bearer(access_token) });
  const authorization = upstream.one().headers.authorization ?? "";
  assert.equal((await t.whoami(authorization)).statusCode, 401);
  assert.equal((await fetch(url + DATA, { headers: { authorization } })).status, 401);
  assert.equal(upstream.asked.length, 0);
});

test("a key is exchanged wherever it comes from, with its own scopes only", async (x) => {
  const { t, url, upstream } = await scene(x);
  const { access_token } = await t.login("alice");
  const secret = await t.makeKey(access_token, { scopes: ["read:metadata"] });
  const ways: readonly [string, Record<string, string>][] = [
    ["", apikey(secret)],
    [`?a=1&api_key=${secret}&b=%5B`, {}],
    ["", { cookie: `x=1; tiled_api_key=${secret}` }],
    [`?api%5Fkey=${secret}`, bearer("ignored")],
  ];
  for (const [query, headers] of ways) {
    const response = await fetch(url + DATA + query, { headers });
    assert.equal(response.status, 200);
    const asked = upstream.one();
    assert.deepEqual(tokenOf(asked).scp, ["read:metadata"]);
    assert.ok(!JSON.stringify(asked).includes(secret), JSON.stringify(asked));
    if (query.startsWith("?a=")) assert.equal(asked.url, `${DATA}?a=1&b=%5B`);
  }
});

test("a key in a browser's URL becomes a cookie, and the browser comes back without it", async (x) => {
  const { t, url, upstream } = await scene(x);
  const secret = await t.makeKey((await t.login("alice")).access_token);
  const html = {
    headers: { accept: "text/html", "sec-fetch-site": "none" },
    redirect: "manual",
  } as const;
  const sentOn = await fetch(`${url}/ui//x?b=%5B1&api_key=${secret}`, html);
  assert.deepEqual([sentOn.status, sentOn.headers.get("location")], [302, `${url}/ui//x?b=%5B1`]);
  const other = await fetch(`${url}${DATA}?api_key=${secret}`);
  assert.match(other.headers.getSetCookie().join(), new RegExp(`tiled_api_key=${secret}; Path=/; HttpOnly`));
  assert.equal(upstream.asked.length, 1);
});

test("a request without a credential is refused, except by a public server", async (x) => {
  const { url, upstream } = await scene(x);
  const response = await fetch(url + DATA);
  assert.equal(response.status, 401);
  assert.equal(response.headers.get("www-authenticate"), "Bearer");
  assert.equal(response.headers.get("x-tiled-root"), `${url}/api/v1`);
  assert.equal(upstream.asked.length, 0);

  const mixed = await startBoth((last) => x.after(last), { authentication: { allowAnonymousAccess: true } });
  assert.equal((await fetch(mixed.url + DATA)).status, 200);
  const asked = mixed.upstream.one();
  assert.equal(asked.headers.authorization, undefined);
  assert.equal(asked.headers["x-tiled-principal"], undefined);
});

for (const [name, headers] of [
  ["a wrong key", apikey("00".repeat(36))],
  ["a wrong key in a cookie", { cookie: `tiled_api_key=${"00".repeat(36)}` }],
  ["a wrong token", bearer("x.y.z")],
  ["another scheme", { authorization: "Basic YTpi" }],
] as const) {
  test(`${name} is refused, never taken for anonymous`, async (x) => {
    const { url, upstream } = await scene(x, { authentication: { allowAnonymousAccess: true } });
    const response = await fetch(url + DATA, { headers });
    assert.equal(response.status, name === "another scheme" ? 400 : 401);
    assert.equal(upstream.asked.length, 0);
  });
}

test("a revoked session and a disabled principal are refused at once", async (x) => {
  const { t, url, upstream } = await scene(x);
  const bob = await t.login("bob");
  await t.call({
    method: "POST",
    url: "/api/v1/auth/session/revoke",
    payload: { refresh_token: bob.refresh_token },
  });
  assert.equal((await fetch(url + DATA, { headers: bearer(bob.access_token) })).status, 401);
  const again = await t.login("bob");
  const secret = await t.makeKey(again.access_token);
  const alice = await t.login("alice");
  await t.call({
    method: "POST",
    url: `/api/v1/auth/principal/${bob.principal}/disable`,
    headers: bearer(alice.access_token),
  });
  for (const headers of [bearer(again.access_token), apikey(secret)]) {
    assert.equal((await fetch(url + DATA, { headers })).status, 401);
  }
  assert.equal(upstream.asked.length, 0);
});

test("a key narrowed to access tags is refused with the setting that is missing, also with an empty list", async (x) => {
  const { t, url, upstream } = await scene(x);
  const { access_token } = await t.login("bob");
  for (const access_tags of [["chem"], []]) {
    const secret = await t.makeKey(access_token, { scopes: ["read:data"], access_tags });
    const response = await fetch(url + DATA, { headers: apikey(secret) });
    assert.equal(response.status, 403);
    assert.match(((await response.json()) as { detail: string }).detail, /'shares_database'.*'trees'/);
  }
  assert.equal(upstream.asked.length, 0);
});

test("where the server behind shares our database, it gets such a key itself, and no other", async (x) => {
  const { upstream } = await scene(x);
  const front = await startBoth((last) => x.after(last), {
    upstreams: [{ url: upstream.url, sharesDatabase: true }],
  });
  const { access_token } = await front.t.login("bob");
  const narrowed = await front.t.makeKey(access_token, { scopes: ["read:data"], access_tags: ["chem"] });
  const plain = await front.t.makeKey(access_token, { scopes: ["read:data"] });
  await fetch(`${front.url}${DATA}?api_key=${narrowed}`);
  const asked = upstream.one();
  assert.deepEqual([asked.url, asked.headers.authorization], [DATA, `Apikey ${narrowed}`]);
  await fetch(front.url + DATA, { headers: apikey(plain) });
  assert.deepEqual(tokenOf(upstream.one()).scp, ["read:data"]);
});

test("a browser's cookie changes nothing without the double submit, and its token stays here", async (x) => {
  const { t, url, upstream } = await scene(x);
  const secret = await t.makeKey((await t.login("alice")).access_token);
  const cookie = `tiled_api_key=${secret}; tiled_csrf=a-token; theme=dark`;
  const post = (query: string, headers: Record<string, string>) =>
    fetch(url + DATA + query, { method: "POST", body: "x", headers: { cookie, ...headers } });
  assert.equal((await post("", {})).status, 403);
  assert.equal((await post("", { "x-csrf": "a-tokem" })).status, 403);
  assert.equal(upstream.asked.length, 0);
  assert.equal((await post("", { "x-csrf": "a-token" })).status, 200);
  assert.equal((await post("?csrf=a-token&a=1", {})).status, 200);
  for (const asked of upstream.asked)
    assert.ok(!JSON.stringify(asked).includes("a-token"), JSON.stringify(asked));
  assert.deepEqual(
    upstream.asked.map(({ url: target, headers }) => [target, headers.cookie]),
    [
      [DATA, "theme=dark"],
      [`${DATA}?a=1`, "theme=dark"],
    ],
  );
});

test("Tiled's pages before a login pass without a credential, whatever the browser sends", async (x) => {
  const { t, url, upstream } = await scene(x);
  const secret = await t.makeKey((await t.login("alice")).access_token);
  const headers = [{}, { cookie: "tiled_api_key=00" }, apikey(secret), bearer("nonsense")];
  for (const path of ["/ui/", "/ui/browse/x", "/static/a.js", "/favicon.ico", "/tiled-ui-settings"]) {
    for (const sent of headers) {
      assert.equal((await fetch(url + path, { headers: sent as Record<string, string> })).status, 200);
      const asked = upstream.one();
      assert.equal(asked.headers.authorization, undefined);
      assert.equal(asked.headers["x-tiled-principal"], undefined);
    }
  }
  assert.equal((await fetch(`${url}/ui/`, { method: "POST" })).status, 401);
});

test("such paths of another kind of server are data like everything else", async (x) => {
  const { t, url, upstream } = await scene(x);
  upstream.about = null;
  assert.equal((await fetch(`${url}/static/a.js`)).status, 401);
  assert.equal(upstream.asked.length, 0);
  const { access_token } = await t.login("bob");
  assert.equal((await fetch(`${url}/static/a.js`, { headers: bearer(access_token) })).status, 200);
  assert.equal(upstream.one().headers["x-tiled-identity"], "toy:bob");
});

test("the single user's key becomes a token without a name", async (x) => {
  const { url, upstream } = await scene(x, { providers: false });
  assert.equal((await fetch(url + DATA)).status, 401);
  assert.equal((await fetch(url + DATA, { headers: apikey("secret") })).status, 200);
  const asked = upstream.one();
  const { sub, ids, scp } = tokenOf(asked);
  assert.deepEqual([sub, ids], ["0".repeat(32), []]);
  assert.ok(scp.includes("write:data"));
  assert.equal(asked.headers["x-tiled-principal"], undefined);
});

test("other origins are answered for by us alone", async (x) => {
  const { t, url, upstream } = await scene(x, { allowOrigins: ["https://app.example.org"] });
  upstream.answer = (_request, response) => {
    response.setHeader("access-control-allow-origin", "*").end();
  };
  const preflight = await fetch(url + DATA, {
    method: "OPTIONS",
    headers: { origin: "https://app.example.org", "access-control-request-method": "PUT" },
  });
  assert.equal(preflight.status, 200);
  assert.equal(upstream.asked.length, 0);
  const { access_token } = await t.login("bob");
  for (const [origin, allowed] of [
    ["https://app.example.org", "https://app.example.org"],
    ["https://evil.example.org", null],
  ] as const) {
    const response = await fetch(url + DATA, { headers: { ...bearer(access_token), origin } });
    assert.equal(response.headers.get("access-control-allow-origin"), allowed);
  }
});

test("no token and no key is in the log", async (x) => {
  const { t, url, upstream } = await scene(x);
  const { access_token } = await t.login("alice");
  const secret = await t.makeKey(access_token);
  await fetch(`${url}${DATA}?api_key=${secret}`);
  await fetch(url + DATA, { headers: bearer(access_token) });
  const passedOn = upstream.asked.map(({ headers }) => headers.authorization?.slice(7) ?? "");
  upstream.server.closeAllConnections();
  upstream.server.close();
  assert.equal((await fetch(`${url}${DATA}?api_key=${secret}`)).status, 502);
  const log = t.logLines.join("");
  assert.match(log, /"path":"\/api\/v1\/metadata\/A","status":502/);
  for (const text of [secret, access_token, ...passedOn]) assert.ok(text !== "" && !log.includes(text));
});

test("a browser that is logged in reads by its cookie, changes by the double submit, and its cookie stays here", async (x) => {
  const { t, url, upstream } = await scene(x);
  const secret = (await logIn(t, "bob")).cookies.get(SESSION)?.value;
  const cookie = `${SESSION}=${secret}; tiled_csrf=abc; theme=dark`;
  assert.equal((await fetch(url + DATA, { headers: { cookie } })).status, 200);
  const asked = upstream.one();
  assert.deepEqual(tokenOf(asked).ids, [{ id: "bob", idp: "toy" }]);
  assert.equal(asked.headers.cookie, "theme=dark");
  const elsewhere = { cookie, origin: "https://evil.example.org", "sec-fetch-site": "cross-site" };
  assert.equal((await fetch(url + DATA, { headers: elsewhere })).status, 401);
  const post = (headers: Record<string, string>) =>
    fetch(url + DATA, { method: "POST", body: "x", headers: { cookie, ...headers } });
  assert.equal((await post({})).status, 403);
  assert.equal((await post({ "x-csrf": "abc", origin: "https://evil.example.org" })).status, 403);
  assert.equal(upstream.asked.length, 0);
  assert.equal((await post({ "x-csrf": "abc", origin: url })).status, 200);
  assert.equal(upstream.asked.length, 1);
});
