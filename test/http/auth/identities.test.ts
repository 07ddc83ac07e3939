/** `/auth/identity`: programs and applications add and remove identities. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Authenticator } from "../../../src/domain/ports/authenticator.ts";
import { apikey, bearer, PASSWORDS, type TestApp, testApp, toy } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { auditOf, mixedApp } from "../../support/person.ts";
import { ScriptedProvider } from "../../support/scripted-provider.ts";

const URL_ = "/api/v1/auth/identity";
const BOB = { provider: "second", username: "bob", password: PASSWORDS.bob };

async function twoDirectories() {
  const authenticators = new Map<string, Authenticator>([
    ["toy", toy()],
    ["second", toy()],
  ]);
  return await testApp({ authenticators });
}

function link(t: TestApp, headers: Record<string, string>, payload: object = BOB) {
  return t.call({ method: "POST", url: URL_, headers, payload });
}

function unlink(t: TestApp, headers: Record<string, string>, provider: string, id: string) {
  return t.call({ method: "DELETE", url: `${URL_}?${new URLSearchParams({ provider, id })}`, headers });
}

async function identities(t: TestApp, token: string): Promise<string[]> {
  const { identities: list } = (await t.whoami(`Bearer ${token}`)).json<{
    identities: { id: string; provider: string }[];
  }>();
  return list.map(({ id, provider }) => `${provider} ${id}`);
}

test("a program adds an identity by its password, and removes it", async () => {
  await using t = await twoDirectories();
  const { access_token, principal } = await t.login("alice");
  const linked = await link(t, bearer(access_token));
  assert.deepEqual([linked.statusCode, linked.json()], [200, { id: "bob", provider: "second" }]);
  assert.equal(linked.headers["cache-control"], "no-store");
  assert.equal((await link(t, bearer(access_token))).statusCode, 200, "idempotent");
  assert.deepEqual(await identities(t, access_token), ["second bob", "toy alice"]);
  const second = await t.form("/api/v1/auth/provider/second/token", {
    username: "bob",
    password: PASSWORDS.bob,
  });
  assert.equal(second.json<{ principal: string }>().principal, principal);
  assert.equal((await unlink(t, bearer(access_token), "second", "bob")).statusCode, 204);
  assert.equal(
    (await t.whoami(`Bearer ${second.json<{ access_token: string }>().access_token}`)).statusCode,
    401,
  );
  assert.deepEqual(await identities(t, access_token), ["toy alice"]);
  assert.equal((await unlink(t, bearer(access_token), "second", "bob")).statusCode, 404);
  const last = await unlink(t, bearer(access_token), "toy", "alice");
  assert.deepEqual([last.statusCode, /last identity/.test(last.body)], [409, true]);
  assert.deepEqual(
    (await auditOf(t)).filter((event) => event.startsWith("identity")),
    ["identity_linked", "identity_unlinked"],
  );
});

test("only an access token of a fresh login is enough, and the answer says so", async () => {
  await using t = await twoDirectories();
  const { access_token } = await t.login("alice");
  const key = await t.makeKey(access_token);
  for (const headers of [{}, apikey(key), { cookie: `tiled_api_key=${key}; tiled_csrf=x`, "x-csrf": "x" }]) {
    assert.equal((await link(t, headers)).statusCode, 401);
    assert.equal((await unlink(t, headers, "toy", "alice")).statusCode, 401);
  }
  t.clock.advance(301);
  const stale = await link(t, bearer(access_token));
  assert.equal(stale.statusCode, 401);
  assert.match(
    String(stale.headers["www-authenticate"]),
    /^Bearer error="insufficient_user_authentication".*max_age="300"$/,
  );
  assert.equal((await unlink(t, bearer(access_token), "toy", "alice")).statusCode, 401);
});

test("a refresh makes a token new, not its login", async () => {
  await using t = await twoDirectories();
  const { refresh_token } = await t.login("alice");
  t.clock.advance(301);
  const { access_token } = (await t.refresh(refresh_token)).json<{ access_token: string }>();
  assert.equal((await link(t, bearer(access_token))).statusCode, 401);
});

test("the identity must be proven, and must not be another person's", async () => {
  await using t = await twoDirectories();
  const { access_token } = await t.login("alice");
  const wrong = await link(t, bearer(access_token), { ...BOB, password: "nope" });
  assert.deepEqual([wrong.statusCode, wrong.json()], [401, { detail: "Incorrect username or password" }]);
  await t.form("/api/v1/auth/provider/second/token", { username: "bob", password: PASSWORDS.bob });
  const taken = await link(t, bearer(access_token));
  assert.equal(taken.statusCode, 409);
  assert.match(taken.body, /another principal/);
  for (const [payload, status] of [
    [{}, 422],
    [{ provider: "second" }, 422],
    [{ provider: "second", username: "bob" }, 422],
    [{ provider: "second", username: "", password: "x" }, 422],
    [{ provider: "second", username: 1, password: "x" }, 422],
    [{ provider: "nope", username: "bob", password: "x" }, 404],
    [{ provider: "__proto__", username: "bob", password: "x" }, 404],
    [{ provider: "second", username: "x".repeat(300), password: "x" }, 422],
  ] as const) {
    assert.equal((await link(t, bearer(access_token), payload)).statusCode, status, JSON.stringify(payload));
  }
  assert.deepEqual(await identities(t, access_token), ["toy alice"]);
});

test("at most ten identities", async () => {
  const users = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`user${index}`, "pw"]));
  const authenticators = new Map<string, Authenticator>([
    ["toy", toy()],
    ["many", toy(users)],
  ]);
  await using t = await testApp({ authenticators });
  const { access_token } = await t.login("alice");
  const answers = await Promise.all(
    Object.keys(users).map((username) =>
      link(t, bearer(access_token), { provider: "many", username, password: "pw" }),
    ),
  );
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [...Array(9).fill(200), 400]);
});

test("an application adds an identity with the code that it got for it, once", async () => {
  const ui = new ScriptedProvider({ redirectOnSuccess: "https://ui.example/cb" });
  const authenticators = new Map<string, Authenticator>([
    ["toy", toy()],
    ["orcid", ui],
  ]);
  await using t = await testApp({ authenticators });
  const browser = new Browser(t);
  const code = async () => {
    const away = await browser.open("/api/v1/auth/provider/orcid/authorize");
    const back = await browser.open(ui.signIn(String(away.headers.location), "0000-0001"));
    return new URL(String(back.headers.location)).searchParams.get("code") ?? "";
  };
  const { access_token } = await t.login("alice");
  const cookie = `tiled_browser=${browser.cookies.get("tiled_browser")?.value}`;
  const first = await code();
  const fields = { provider: "orcid", code: first };
  const headers = () => ({
    ...bearer(access_token),
    cookie: `tiled_browser=${browser.cookies.get("tiled_browser")?.value}`,
  });
  assert.ok(cookie);
  assert.equal((await link(t, bearer(access_token), fields)).statusCode, 401, "another browser's");
  assert.equal((await link(t, headers(), { ...fields, code_verifier: "x" })).statusCode, 401);
  const linked = await link(t, headers(), fields);
  assert.deepEqual([linked.statusCode, linked.json()], [200, { id: "0000-0001", provider: "orcid" }]);
  assert.equal((await link(t, headers(), fields)).statusCode, 401, "used");
  const exchange = await t.form(
    "/api/v1/auth/provider/orcid/token",
    { grant_type: "authorization_code", code: first },
    { headers: headers() },
  );
  assert.equal(exchange.statusCode, 400, "used here is used there");
  assert.equal((await auditOf(t)).filter((event) => event === "principal_created").length, 1);
});

test("the routes are documented", async () => {
  await using s = await mixedApp();
  const { paths } = (await s.t.call("/openapi.json")).json<{ paths: Record<string, object> }>();
  assert.deepEqual(Object.keys(paths[URL_] ?? {}).sort(), ["delete", "post"]);
  assert.match((await s.t.call("/docs")).body, /Add an identity to your principal/);
  for (const path of Object.keys(paths)) assert.doesNotMatch(path, /^\/(login|logout|account)/);
});
