/** `authorize`: who is handed a token, and how it travels. Spellings of addresses are in `redirects.test.ts`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CaveRulesInForce } from "../../../src/domain/cave/rules.ts";
import { caveConfig, PASSWORDS } from "../../support/app.ts";
import { Browser, formOf } from "../../support/browser.ts";
import { auditOf } from "../../support/person.ts";
import {
  AUTHORIZE,
  authorizePath,
  COOKIE,
  caveApp,
  handOverIn,
  locationOf,
  logInToCave,
  SERVER,
  SERVICE,
  TOKENS,
  tokenIn,
  VIEWER,
} from "./pages.ts";

test("a browser without a login gets the login page, with 200", async () => {
  await using app = await caveApp();
  for (const path of [authorizePath(), authorizePath(`${SERVICE}/table`), authorizePath(TOKENS)]) {
    const page = await new Browser(app.t).open(path);
    assert.equal(page.statusCode, 200);
    assert.match(page.body, /name="password"/);
    assert.equal(tokenIn(page), null);
  }
  const program = await app.t.call({
    url: authorizePath(TOKENS),
    headers: { "user-agent": "python-requests/2" },
  });
  assert.equal(program.statusCode, 200);
});

test("a login leads on to the service, which gets a token of its own", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = new Browser(t);
  const target = `${SERVICE}/annotation/views?a=1&a=2&middle_auth_token=old`;
  const page = await browser.open(authorizePath(target));
  assert.match(page.body, /continue to <strong>pcg\.example\.org:8443<\/strong>/);
  const response = await browser.submit(page, { username: "bob", password: PASSWORDS.bob });
  assert.equal(response.statusCode, 303);
  assert.equal(tokenIn(response), null, "the token comes with the next redirect");
  const handed = await browser.open(locationOf(response).pathname + locationOf(response).search);
  assert.equal(handed.statusCode, 302);
  const { origin, pathname, searchParams } = locationOf(handed);
  assert.equal(origin + pathname, `${SERVICE}/annotation/views`);
  const token = searchParams.get("middle_auth_token") ?? "";
  assert.match(token, /^[0-9a-f]{32}$/);
  assert.deepEqual(
    [...searchParams],
    [
      ["a", "1"],
      ["a", "2"],
      ["middle_auth_token", token],
      ["token", token],
      ["middle_auth_url", "cave.example.org/sticky_auth"],
    ],
  );
  assert.notEqual(tokenIn(await browser.open(authorizePath(target))), token);
  assert.deepEqual((await auditOf(t)).filter((event) => event === "cave_login_token_issued").length, 2);
});

test("an address that may not have a token is refused before the login page is shown, and after", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  for (const path of [
    authorizePath("https://evil.example/"),
    authorizePath("//ng.example.org"),
    authorizePath("/sticky_auth/settings/tokens"),
    authorizePath(""),
    authorizePath(`https://evil.example@ng.example.org/`),
    authorizePath(`${VIEWER}/\t`),
    `${AUTHORIZE}?redirect=${VIEWER}&redirect=${VIEWER}`,
    `${AUTHORIZE}?redirect=${VIEWER}&%72edirect=https://evil.example`,
    `${AUTHORIZE}?redirect=${encodeURIComponent(VIEWER)}%00`,
    `${AUTHORIZE}?redirect=${encodeURIComponent(encodeURIComponent(VIEWER))}`,
  ]) {
    for (const who of [browser, new Browser(app.t)]) {
      for (const prefix of ["/sticky_auth", "/auth"]) {
        const response = await who.open(path.replace("/sticky_auth/", `${prefix}/`));
        assert.equal(response.statusCode, 400, path);
        assert.match(response.body, /<h1>This link cannot be followed/);
        assert.equal(response.headers.location, undefined);
        assert.ok(!response.body.includes("evil"), path);
        assert.doesNotMatch(response.body, /[0-9a-f]{32}|name="password"/);
      }
    }
  }
  assert.ok(!(await auditOf(app.t)).includes("cave_login_token_issued"));
  const logged = app.t.logLines.join("");
  assert.match(
    logged,
    /The redirect to the origin https:\/\/evil\.example is refused\. .* add it to cave\.origins\./,
  );
  assert.match(logged, /The redirect is refused, since it is not one http or https address/);
  assert.match(logged, /The redirect to https:\/\/ng\.example\.org is refused for its form/);
});

test("a forged login form cannot lead to another address either", async () => {
  await using app = await caveApp();
  const browser = new Browser(app.t);
  const { body } = await browser.open(AUTHORIZE);
  const token = /name="token" value="([^"]*)"/.exec(body)?.[1] ?? "";
  const fields = { token, provider: "toy", username: "bob", password: PASSWORDS.bob };
  const response = await browser.post(authorizePath("https://evil.example/"), fields);
  assert.equal(response.statusCode, 400);
  assert.ok(!browser.cookies.has(COOKIE));
});

test("a page of ours is opened without a token", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  for (const target of [TOKENS, `${SERVER}/sticky_auth/api/v1/tos/2/accept?client=ng`]) {
    const response = await browser.open(authorizePath(target));
    assert.equal(response.statusCode, 302);
    assert.equal(response.headers.location, target);
  }
  assert.ok(!(await auditOf(app.t)).includes("cave_login_token_issued"));
});

test("without an address a viewer's popup gets the token for all allowed origins, and no other", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  const page = await browser.open(AUTHORIZE);
  assert.equal(page.statusCode, 200);
  const origins = [SERVER, VIEWER, SERVICE];
  const { message, origins: to } = handOverIn(page) ?? assert.fail(page.body);
  assert.deepEqual(Object.keys(message).sort(), ["app_urls", "token"]);
  assert.match(message.token, /^[0-9a-f]{32}$/);
  assert.deepEqual(message.app_urls, origins);
  assert.deepEqual(to, origins);
  assert.equal(page.headers["cross-origin-opener-policy"], undefined);
  const scripts = [...page.body.matchAll(/<script[^>]*>/g)].map(([tag]) => tag);
  assert.equal(scripts.length, 2);
  const source = /src="([^"]*)"/.exec(scripts[1] ?? "")?.[1] ?? "";
  assert.match(source, /^\/sticky_auth\/assets\/handover\.[0-9a-f]{12}\.js$/);
  const script = await app.t.call(source);
  assert.equal(script.statusCode, 200);
  assert.match(String(script.headers["content-type"]), /^text\/javascript/);
  assert.match(script.body, /postMessage\(message, origin\)/);
  assert.match(page.body, /Your browser runs no scripts here/);
});

test("a script that names itself gets the address to open, and nothing else", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  for (const prefix of ["/sticky_auth", "/auth"]) {
    for (const who of [browser, new Browser(app.t)]) {
      const ask = (query: string) =>
        who.open(`${prefix}/api/v1/authorize${query}`, {
          "x-requested-with": "Fetch",
          origin: VIEWER,
          "sec-fetch-mode": "cors",
          "sec-fetch-site": "cross-site",
          "sec-fetch-dest": "empty",
        });
      const response = await ask(`?redirect=${encodeURIComponent(`${VIEWER}/auth_redirect.html`)}`);
      assert.equal(response.statusCode, 200);
      assert.match(String(response.headers["content-type"]), /^text\/plain/);
      assert.equal(response.headers["cache-control"], "no-store");
      assert.equal(
        response.body,
        `${SERVER}${AUTHORIZE}?redirect=https%3A%2F%2Fng.example.org%2Fauth_redirect.html`,
      );
      assert.equal(response.headers["access-control-allow-origin"], VIEWER);
      assert.equal(response.headers["access-control-allow-credentials"], "true");
      assert.equal((await ask("")).body, SERVER + AUTHORIZE);
      assert.equal((await ask("?redirect=https://evil.example")).statusCode, 400);
    }
  }
  assert.ok(!(await auditOf(app.t)).includes("cave_login_token_issued"));
});

test("the other prefix leads to the one with the cookie", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  for (const query of ["", `?redirect=${encodeURIComponent(`${SERVICE}/?a=b&c`)}`]) {
    const response = await browser.open(`/auth/api/v1/authorize${query}`);
    assert.equal(response.statusCode, 302);
    assert.equal(response.headers.location, SERVER + AUTHORIZE + query);
  }
});

test("a page that loads the address as an image, a frame or data gets no token", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  for (const [mode, dest] of [
    ["no-cors", "image"],
    ["navigate", "iframe"],
    ["navigate", "embed"],
    ["no-cors", "script"],
    ["cors", "empty"],
    ["no-cors", "empty"],
  ] as const) {
    for (const site of ["cross-site", "same-site", "same-origin"]) {
      for (const path of [authorizePath(), authorizePath(`${VIEWER}/`)]) {
        const headers = { "sec-fetch-mode": mode, "sec-fetch-dest": dest, "sec-fetch-site": site };
        const response = await browser.open(path, headers);
        assert.equal(response.statusCode, 403, `${mode} ${dest} ${site}`);
        assert.equal(tokenIn(response), null);
      }
    }
  }
  for (const method of ["HEAD", "OPTIONS", "PUT", "DELETE"] as const) {
    const cookie = `${COOKIE}=${browser.cookies.get(COOKIE)?.value}`;
    const response = await app.t.call({ method, url: authorizePath(`${VIEWER}/`), headers: { cookie } });
    assert.equal(response.statusCode, 405, method);
  }
  assert.ok(!(await auditOf(app.t)).includes("cave_login_token_issued"));
  const opened = {
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "cross-site",
  };
  assert.equal((await browser.open(authorizePath(`${VIEWER}/`), opened)).statusCode, 302);
});

test("a browser that loads the address ahead, before anyone opens it, is handed nothing", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  const ahead = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "same-site" };
  for (const purpose of ["prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip"]) {
    for (const path of [authorizePath(), authorizePath(`${VIEWER}/`)]) {
      const response = await browser.open(path, { ...ahead, "sec-purpose": purpose });
      assert.equal(response.statusCode, 403, purpose);
    }
  }
  assert.ok(!(await auditOf(app.t)).includes("cave_login_token_issued"));
  assert.equal((await browser.open(authorizePath(`${VIEWER}/`), ahead)).statusCode, 302);
});

test("a login that has ended, or whose principal is disabled, hands nothing over", async () => {
  await using app = await caveApp();
  const { t } = app;
  const browser = await logInToCave(t, "bob");
  const known = new Map(browser.cookies);
  const admin = await t.login("alice");
  const headers = { authorization: `Bearer ${admin.access_token}` };
  const { principal } = await t.login("bob");
  assert.equal(
    (await t.call({ method: "POST", url: `/api/v1/auth/principal/${principal}/disable`, headers }))
      .statusCode,
    204,
  );
  for (const path of [authorizePath(), authorizePath(`${VIEWER}/`)]) {
    const response = await browser.open(path);
    assert.equal(tokenIn(response), null);
    assert.match(response.body, /name="password"/);
  }
  const page = await browser.open(AUTHORIZE);
  const refused = await browser.submit(page, { username: "bob", password: PASSWORDS.bob });
  assert.equal(refused.statusCode, 401);
  assert.match(refused.body, /This account is disabled/);
  assert.equal(
    (await t.call({ method: "POST", url: `/api/v1/auth/principal/${principal}/enable`, headers })).statusCode,
    204,
  );
  for (const [name, cookie] of known) browser.cookies.set(name, cookie);
  assert.equal((await browser.open(authorizePath(`${VIEWER}/`))).statusCode, 302);
  t.clock.advance(31_536_000_001);
  const late = await browser.open(authorizePath(`${VIEWER}/`));
  assert.equal(late.statusCode, 200);
  assert.ok(!browser.cookies.has(COOKIE), "the cookie is dropped");
});

test("no answer is kept, framed or sends its address on", async () => {
  await using app = await caveApp();
  const browser = await logInToCave(app.t, "bob");
  for (const [who, path] of [
    [new Browser(app.t), authorizePath(`${SERVICE}/`)],
    [new Browser(app.t), authorizePath("https://evil.example")],
    [browser, authorizePath()],
    [browser, authorizePath(`${SERVICE}/`)],
    [browser, authorizePath(TOKENS)],
  ] as const) {
    const { headers, statusCode } = await who.open(path);
    assert.equal(headers["cache-control"], "no-store", path);
    assert.equal(headers["referrer-policy"], "no-referrer", path);
    if (statusCode === 302) continue;
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
  }
  const login = await new Browser(app.t).open(authorizePath());
  assert.match(
    String(login.headers["content-security-policy"]),
    /form-action 'self' https:\/\/ng\.example\.org https:\/\/pcg\.example\.org:8443;/,
  );
  const handed = await browser.open(authorizePath());
  assert.match(String(handed.headers["content-security-policy"]), /script-src 'self';/);
});

test("an origin that a reload adds may have a token at once, and one that it removes no more", async () => {
  const rules = new CaveRulesInForce(caveConfig({ origins: [VIEWER] }).rules);
  await using app = await caveApp({ caveRules: rules });
  const browser = await logInToCave(app.t, "bob");
  const other = "https://other.example.org";
  const statuses = async () => [
    (await browser.open(authorizePath(`${VIEWER}/`))).statusCode,
    (await browser.open(authorizePath(`${other}/`))).statusCode,
  ];
  assert.deepEqual(await statuses(), [302, 400]);
  rules.replace({ ...rules.current.settings, origins: [other] });
  assert.deepEqual(await statuses(), [400, 302]);
  const page = await browser.open(AUTHORIZE);
  assert.deepEqual(handOverIn(page)?.origins, [SERVER, other]);
  assert.deepEqual(handOverIn(page)?.message.app_urls, [SERVER, other]);
});

test("behind a gateway that adds a path, links, forms and the cookie have it", async () => {
  const base = "https://example.org/cave";
  await using app = await caveApp({ cave: { serverAddress: base, origins: [VIEWER] } });
  const browser = new Browser(app.t);
  const page = await browser.open(authorizePath(`${VIEWER}/`));
  const action = `/cave${authorizePath(`${VIEWER}/`)}`;
  assert.equal(formOf(page).action, action);
  assert.match(page.body, /href="\/cave\/sticky_auth\/assets\/style\./);
  assert.match(page.body, /href="https:\/\/example\.org\/cave\/api\/v1\/auth\/provider\/orcid\/authorize\?/);
  const fields = { ...formOf(page).hidden, username: "bob", password: PASSWORDS.bob };
  const response = await browser.post(action.slice("/cave".length), fields);
  assert.equal(response.headers.location, `https://example.org${action}`);
  const cookie = browser.cookies.get(COOKIE);
  assert.equal(cookie?.path, "/cave/sticky_auth");
  const handed = await app.t.call({
    url: authorizePath(`${VIEWER}/`),
    headers: { cookie: `${COOKIE}=${cookie?.value}` },
  });
  assert.equal(locationOf(handed).searchParams.get("middle_auth_url"), "example.org/cave/sticky_auth");
});

test("links and cookies come from the configured address, whatever the request says", async () => {
  await using app = await caveApp({ server: { trustedProxies: ["*"] } });
  const browser = new Browser(app.t);
  const lies = { host: "localhost", "x-forwarded-host": "localhost:81", "x-forwarded-proto": "http" };
  const page = await browser.open(authorizePath(TOKENS), lies);
  const response = await browser.submit(page, { username: "bob", password: PASSWORDS.bob }, lies);
  assert.equal(response.headers.location, `${SERVER}${authorizePath(TOKENS)}`);
  const line = [response.headers["set-cookie"] ?? []].flat().find((one) => one.startsWith(COOKIE)) ?? "";
  assert.match(line, /; Path=\/sticky_auth; HttpOnly; Secure; SameSite=Lax$/);
});
