/** `GET /api/v1/auth/verify`, as proxies ask it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { apikey, bearer, type TestApp, testApp } from "../../support/app.ts";
import { logIn, SESSION } from "../../support/person.ts";

const VERIFY = "/api/v1/auth/verify";
const HTML = { accept: "text/html,*/*" };

function ask(t: TestApp, query = "", headers: Record<string, string> = {}, method: "GET" | "HEAD" = "GET") {
  return t.call({ method, url: VERIFY + query, headers });
}

function named(headers: Record<string, unknown>): Record<string, unknown> {
  const names = ["principal", "identity", "scopes", "token"];
  return Object.fromEntries(names.map((name) => [name, headers[`x-tiled-${name}`]]));
}

function claims(token: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString());
}

describe("the caller is described in headers, always all of them", () => {
  test("for a token and for a key, with a token only where it is asked for", async () => {
    await using t = await testApp();
    const { access_token, principal } = await t.login("bob");
    const uuid = principal.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    const secret = await t.makeKey(access_token, { scopes: ["read:metadata", "read:data"] });
    for (const method of ["GET", "HEAD"] as const) {
      const response = await ask(t, "", apikey(secret), method);
      assert.deepEqual([response.statusCode, response.body], [204, ""]);
      assert.equal(response.headers["cache-control"], "no-store");
      assert.deepEqual(named(response.headers), {
        principal: uuid,
        identity: "toy:bob",
        scopes: "read:data read:metadata",
        token: "",
      });
    }
    const { headers } = await ask(t, "?token=1", bearer(access_token));
    assert.equal(claims(headers["x-tiled-token"])["sub"], principal);
    assert.equal(claims(headers["x-tiled-token"])["exp"], t.clock.now() / 1000 + 60);
    assert.equal((await t.whoami(`Bearer ${headers["x-tiled-token"]}`)).statusCode, 401);
    assert.equal((await ask(t, "?token=0", bearer(access_token))).headers["x-tiled-token"], "");
  });

  test("for anonymous callers of a public server", async () => {
    await using t = await testApp({ authentication: { allowAnonymousAccess: true } });
    const response = await ask(t, "?token=1&scopes=read:data");
    assert.equal(response.statusCode, 204);
    assert.deepEqual(named(response.headers), {
      principal: "",
      identity: "",
      scopes: "read:data read:metadata",
      token: "",
    });
    assert.equal((await ask(t, "?scopes=write:data")).statusCode, 401);
  });

  test("for the single user", async () => {
    await using t = await testApp({ providers: false });
    assert.equal((await ask(t)).statusCode, 401);
    const { statusCode, headers } = await ask(t, "?token=1&scopes=write:data", apikey("secret"));
    const { token, scopes, ...rest } = named(headers);
    assert.deepEqual([statusCode, rest], [204, { principal: "", identity: "" }]);
    assert.match(String(scopes), /write:data/);
    assert.equal(claims(token)["sub"], "0".repeat(32));
  });

  test("a key with access tags never gets a token", async () => {
    await using t = await testApp();
    const { access_token } = await t.login("bob");
    for (const access_tags of [["chem"], []]) {
      const secret = await t.makeKey(access_token, { scopes: ["read:data"], access_tags });
      const { statusCode, headers } = await ask(t, "?token=1", apikey(secret));
      assert.deepEqual(
        [statusCode, headers["x-tiled-token"], headers["x-tiled-identity"]],
        [204, "", "toy:bob"],
      );
    }
  });

  test("a name that no header can hold is percent-encoded", async () => {
    const { DictionaryAuthenticator } = await import("../../../src/authenticators/dictionary.ts");
    const id = "Zoë 50% 山\r\nX-Evil: 1";
    const toy = new DictionaryAuthenticator({ users_to_passwords: { [id]: "x" }, confirmation_message: "" });
    await using t = await testApp({ authenticators: new Map([["toy", toy]]) });
    const login = await t.loginAttempt(id, "x");
    const { access_token } = login.json<{ access_token: string }>();
    const { headers } = await ask(t, "", bearer(access_token));
    assert.equal(headers["x-tiled-identity"], "toy:Zo%C3%AB%2050%25%20%E5%B1%B1%0D%0AX-Evil:%201");
    assert.equal(headers["x-evil"], undefined);
  });
});

describe("refusals", () => {
  test("without credentials or with bad ones: 401, even on a public server", async () => {
    await using t = await testApp({ authentication: { allowAnonymousAccess: true } });
    await using closed = await testApp();
    const none = await ask(closed);
    assert.equal(none.statusCode, 401);
    assert.equal(none.headers["www-authenticate"], "Bearer");
    for (const headers of [apikey("00".repeat(36)), bearer("x.y.z"), { cookie: "tiled_api_key=00" }]) {
      const response = await ask(t, "", headers as Record<string, string>);
      assert.equal(response.statusCode, 401);
      assert.equal(response.headers["x-tiled-principal"], undefined);
      assert.equal(response.headers["cache-control"], "no-store");
    }
    assert.equal((await ask(t, "", { authorization: "Basic YTpi" })).statusCode, 400);
  });

  test("a missing scope: 403, which nginx distinguishes from 401; a key without scopes passes if none is required", async () => {
    await using t = await testApp();
    const { access_token } = await t.login("bob");
    const secret = await t.makeKey(access_token, { scopes: ["read:metadata"] });
    const refused = await ask(t, "?scopes=read:metadata+read:data", apikey(secret));
    assert.equal(refused.statusCode, 403);
    assert.match(
      refused.json<{ detail: string }>().detail,
      /Requires scopes \['read:metadata', 'read:data'\]/,
    );
    assert.equal((await ask(t, "?scopes=read:metadata", apikey(secret))).statusCode, 204);
    const empty = await t.makeKey(access_token, { scopes: [] });
    assert.equal((await ask(t, "", apikey(empty))).statusCode, 204);
    assert.equal((await ask(t, "?scopes=read:metadata", apikey(empty))).statusCode, 403);
  });

  test("an unknown scope: 400, for every caller", async () => {
    await using t = await testApp();
    const { access_token } = await t.login("alice");
    for (const scopes of ["read:everything", "inherit", "read:data+x"]) {
      assert.equal((await ask(t, `?scopes=${scopes}`, bearer(access_token))).statusCode, 400);
      assert.equal((await ask(t, `?scopes=${scopes}`)).statusCode, 400);
    }
  });

  test("other methods", async () => {
    await using t = await testApp();
    const response = await t.call({ method: "POST", url: VERIFY });
    assert.deepEqual([response.statusCode, response.headers["allow"]], [405, "GET, HEAD"]);
  });

  test("a key in the URL neither becomes a cookie here nor redirects", async () => {
    await using t = await testApp();
    const secret = await t.makeKey((await t.login("bob")).access_token);
    const response = await ask(t, `?api_key=${secret}`, HTML);
    assert.equal(response.statusCode, 204);
    assert.doesNotMatch(String(response.headers["set-cookie"]), /tiled_api_key/);
  });
});

describe("a browser", () => {
  test("that is logged in counts for reading; for changing it must repeat its token", async () => {
    await using t = await testApp();
    const browser = await logIn(t, "bob");
    const secret = browser.cookies.get(SESSION)?.value;
    const cookie = `${SESSION}=${secret}; tiled_csrf=abc`;
    assert.equal((await ask(t, "", { cookie })).headers["x-tiled-identity"], "toy:bob");
    for (const field of ["x-forwarded-method", "x-original-method"]) {
      for (const method of ["POST", "delete", "PUT"]) {
        const post = { cookie, [field]: method };
        assert.equal((await ask(t, "", post)).statusCode, 403, `${field} ${method}`);
        assert.equal((await ask(t, "", { ...post, "x-csrf": "abd" })).statusCode, 403);
        assert.equal((await ask(t, "", { ...post, "x-csrf": "abc" })).statusCode, 204);
        const elsewhere = { ...post, "x-csrf": "abc", origin: "https://evil.example.org" };
        assert.notEqual((await ask(t, "", elsewhere)).statusCode, 204);
      }
      assert.equal((await ask(t, "", { cookie, [field]: "HEAD" })).statusCode, 204);
    }
  });

  test("with a key in its cookie must repeat its token, too; a program with a key need not", async () => {
    await using t = await testApp();
    const secret = await t.makeKey((await t.login("bob")).access_token);
    const cookie = `tiled_api_key=${secret}; tiled_csrf=abc`;
    const post = { "x-forwarded-method": "POST" };
    assert.equal((await ask(t, "", { ...post, cookie })).statusCode, 403);
    assert.equal((await ask(t, "", { ...post, cookie, "x-csrf": "abc" })).statusCode, 204);
    assert.equal((await ask(t, "", { ...post, ...apikey(secret) })).statusCode, 204);
  });

  test("with a key in its cookie opens no WebSocket for a page of another host, as far as a proxy can tell", async () => {
    await using t = await testApp({ server: { verifyHosts: ["data.example.org:8443"] } });
    const secret = await t.makeKey((await t.login("bob")).access_token);
    const cookie = `tiled_api_key=${secret}; tiled_csrf=abc`;
    const status = async (headers: Record<string, string>) =>
      (await ask(t, "", { host: "data.example.org", ...headers })).statusCode;
    for (const origin of ["http://evil.example.org", "http://data.example.org:1", "null"]) {
      assert.equal(await status({ cookie, origin }), 403, origin);
      assert.equal(await status({ ...apikey(secret), origin }), 204, origin);
    }
    for (const origin of ["http://data.example.org", "https://data.example.org:8443"])
      assert.equal(await status({ cookie, origin }), 204, origin);
  });
});

describe("to the login", () => {
  const server = {
    trustedProxies: ["127.0.0.1"],
    verifyHosts: ["data.example.org", "data.example.org:8443"],
  };
  const forwarded = {
    "x-forwarded-proto": "https",
    "x-forwarded-host": "data.example.org",
    "x-forwarded-uri": "/ui/?a=1&b=%20",
  };

  async function led(
    options: Parameters<typeof testApp>[0],
    headers: Record<string, string>,
    query = "?login=1",
  ): Promise<readonly [status: number, path: string | undefined, next: string | null]> {
    await using t = await testApp(options);
    const { statusCode, headers: answer } = await ask(t, query, { ...HTML, ...headers });
    const location = answer.location === undefined ? undefined : new URL(answer.location);
    return [
      statusCode,
      location && location.origin + location.pathname,
      location?.searchParams.get("next") ?? null,
    ];
  }

  test("browsers are led, and back to where they were", async () => {
    assert.deepEqual(await led({ server }, forwarded), [
      302,
      "https://data.example.org/login",
      "https://data.example.org/ui/?a=1&b=%20",
    ]);
    const original = "https://data.example.org:8443/x?y=1";
    assert.equal((await led({ server }, { "x-original-url": original }))[2], original);
    const publicUrl = "https://tiled.example.org/auth";
    const behind = { ...server, publicUrl };
    assert.deepEqual(await led({ server: behind }, { "x-original-url": original }), [
      302,
      `${publicUrl}/login`,
      original,
    ]);
    assert.equal(
      (await led({ server: behind }, { "x-original-url": `${publicUrl}/x` }))[2],
      `${publicUrl}/x`,
    );
  });

  test("even with an expired credential", async () => {
    assert.equal((await led({ server }, { ...forwarded, cookie: "__Host-tiled_api_key=00" }))[0], 302);
    const anybody = { server, authentication: { allowAnonymousAccess: true } };
    assert.equal((await led(anybody, { ...forwarded, cookie: "__Host-tiled_api_key=00" }))[0], 302);
    assert.equal((await led(anybody, forwarded))[0], 204);
  });

  for (const [name, headers] of [
    ["another host", { "x-forwarded-host": "evil.example.org" }],
    ["another port", { "x-forwarded-host": "data.example.org:9000" }],
    ["a host that begins so", { "x-forwarded-host": "data.example.org.evil" }],
    ["no path", { "x-forwarded-uri": "@evil.example.org/" }],
    ["another host as a path", { "x-forwarded-uri": "//evil.example.org/" }],
    ["a whole URL elsewhere", { "x-original-url": "https://evil.example.org/" }],
    ["a whole URL with a name in it", { "x-original-url": "https://data.example.org@evil.example.org/" }],
    ["a script", { "x-original-url": "javascript:alert(1)//data.example.org" }],
  ] as const) {
    test(`the login does not redirect back to ${name}`, async () => {
      const [status, , next] = await led({ server }, { ...forwarded, ...headers } as Record<string, string>);
      assert.equal(status, 302);
      assert.equal(next, null);
    });
  }

  test("headers of an untrusted proxy are ignored", async () => {
    const distrusting = { server: { verifyHosts: server.verifyHosts, hosts: ["tiled.example.org"] } };
    const [status, path, next] = await led(distrusting, { ...forwarded, host: "tiled.example.org" });
    assert.deepEqual([status, path, next], [302, "http://tiled.example.org/login", null]);
    assert.equal((await led(distrusting, { "x-original-url": "https://data.example.org/" }))[2], null);
  });

  test("a proxy that names no host leads back to the path, on the host that the browser sees", async () => {
    for (const [headers, expected] of [
      [{ "x-forwarded-uri": "/ui/?a=1" }, "/ui/?a=1"],
      [{ "x-original-url": "/ui/?a=1" }, "/ui/?a=1"],
      [{ "x-original-url": "//evil.example.org/" }, null],
      [{ "x-forwarded-uri": "/\\evil.example.org/" }, null],
      [{ "x-forwarded-uri": "/%2f/evil.example.org/" }, null],
    ] as const) {
      for (const publicUrl of [null, "https://tiled.example.org"]) {
        const [status, path, next] = await led({ server: { ...server, publicUrl } }, { ...headers });
        assert.deepEqual([status, next], [302, expected], JSON.stringify(headers));
        assert.doesNotMatch(path ?? "", /none\.invalid/);
      }
    }
  });

  test("no redirect for programs, without being asked, or without a login page", async () => {
    assert.equal((await led({ server }, { ...forwarded, accept: "application/json" }))[0], 401);
    assert.equal((await led({ server }, forwarded, ""))[0], 401);
    assert.equal((await led({ server, providers: false }, forwarded))[0], 401);
  });

  test("a logged-in caller without a scope is not redirected: 403", async () => {
    await using t = await testApp({ server });
    const { access_token } = await t.login("bob");
    const headers = { ...HTML, ...forwarded, ...bearer(access_token) };
    assert.equal((await ask(t, "?login=1&scopes=metrics", headers)).statusCode, 403);
  });
});
