/** What stands in the line of a request: whose it is, and at which level. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ICON_ASSET } from "../../src/pages/assets.ts";
import { bearer, type TestApp, testApp } from "../support/app.ts";
import { Browser } from "../support/browser.ts";
import { poll, scene, start } from "../support/device-login.ts";
import { logIn } from "../support/person.ts";
import { startBoth } from "../support/upstream.ts";

interface Line {
  readonly level: number;
  readonly path?: string;
  readonly status?: number;
  readonly principal?: string;
  readonly name?: string;
  readonly event?: string;
  readonly address?: string;
}

function lines(t: TestApp): Line[] {
  return t.logLines.splice(0).map((line) => JSON.parse(line) as Line);
}

test("a login's line is the person's, by the API and by a page", async () => {
  await using t = await testApp();
  const { principal } = await t.login("bob");
  const [login] = lines(t);
  assert.deepEqual(
    [login?.name, login?.event, login?.principal?.replaceAll("-", ""), login?.address],
    ["toy:bob", "login", principal.replaceAll("-", ""), "127.0.0.1"],
  );
  await logIn(t, "alice");
  const byPage = lines(t).find(({ event }) => event === "login");
  assert.deepEqual([byPage?.name, byPage?.path], ["toy:alice", "/login"]);
  await t.loginAttempt("bob", "wrong");
  const [failed] = lines(t);
  assert.deepEqual([failed?.principal, failed?.name, failed?.event], ["anonymous", undefined, undefined]);
});

test("no line holds a query, however it was written or encoded", async () => {
  await using t = await testApp();
  for (const start of ["?", "&", ";", "%3F", "%3f", "%23", "%26", "%253Fx%3D1%2526"]) {
    await t.call(`/api/v1/metadata/A${start}api_key=not-to-be-logged`);
    const [line] = lines(t);
    assert.equal(line?.path, "/api/v1/metadata/A", start);
    assert.doesNotMatch(JSON.stringify(line), /not-to-be-logged/);
  }
});

test("nothing that a client sends ends a line or adds a field to it", async () => {
  await using t = await testApp({ server: { trustedProxies: ["127.0.0.1"] } });
  const attack = '","name":"toy:alice","x":"';
  const named = "0f0e0d0c-1111-4222-8333-444455556666";
  for (const url of [`/api/v1/auth/whoami/${attack}`, `/${attack}`, "/api/v1/auth/provider/:name/token"]) {
    for (const [address, id] of [
      [attack, attack],
      [`fe80::1%${attack}`, named.replace("0", '"')],
      ["1.2.3.4", named],
    ] as const) {
      await t.call({ url, headers: { "x-forwarded-for": address, "x-tiled-request-id": id } });
      const found = t.logLines.splice(0);
      assert.equal(found.length, 1);
      const line = JSON.parse(found[0] ?? "") as Readonly<Record<string, unknown>>;
      assert.deepEqual([line["name"], line["x"]], [undefined, undefined]);
      assert.equal(decodeURIComponent(String(line["path"])), url);
      assert.equal(line["address"], address === "1.2.3.4" ? address : "127.0.0.1");
      assert.match(String(line["reqId"]), id === named ? new RegExp(named) : /^[0-9a-f]{16}$/);
    }
  }
});

test("a name stands beside the principal, for tokens and for keys", async () => {
  await using t = await testApp();
  const { access_token } = await t.login("bob");
  const key = await t.makeKey(access_token);
  lines(t);
  await t.whoami(`Bearer ${access_token}`);
  await t.whoami(`Apikey ${key}`);
  await t.call({ url: "/api/v1/", headers: bearer("no token") });
  const [byToken, byKey, other] = lines(t);
  assert.equal(byToken?.name, "toy:bob");
  assert.equal(byKey?.name, "toy:bob");
  assert.equal(byKey?.principal, byToken?.principal);
  assert.equal(other?.name, undefined);
});

test("probes and the pages' files are debug lines, and what fails is not", async () => {
  await using t = await testApp();
  for (const url of ["/healthz", "/healthz/ready", ICON_ASSET.path]) {
    assert.equal((await t.call(url)).statusCode, 200);
    assert.deepEqual(lines(t), [], url);
  }
  t.log.level = "debug";
  await t.call("/healthz");
  assert.deepEqual(
    lines(t).map(({ level, path }) => [level, path]),
    [[20, "/healthz"]],
  );
  t.log.level = "info";
  await t.call("/assets/none.css");
  await t.call("/login");
  assert.deepEqual(
    lines(t).map(({ level, status }) => [level, status]),
    [
      [30, 404],
      [30, 200],
    ],
  );
});

test("polls of a device login are debug lines, the one that collects the tokens is the person's", async () => {
  await using s = await scene();
  const { t, orcid } = s;
  const login = await start(t);
  lines(t);
  assert.equal((await poll(t, login)).statusCode, 400);
  assert.deepEqual(lines(t), []);
  const browser = new Browser(t);
  const form = await browser.open(orcid.signIn(login.authorization_uri, "0000-0002"));
  await browser.submit(form, { user_code: login.user_code });
  lines(t);
  assert.equal((await poll(t, login)).statusCode, 200);
  const [collected] = lines(t);
  assert.deepEqual([collected?.name, collected?.event], ["orcid:0000-0002", "login"]);
  assert.equal((await poll(t, login)).statusCode, 404);
  assert.equal(lines(t).length, 1, "one that fails is a line");
});

test("through the gateway, files of Tiled's pages are debug lines, pages and data are not", async (t) => {
  const front = await startBoth((last) => t.after(last), { authentication: { allowAnonymousAccess: true } });
  for (const path of ["/ui/assets/index.0123.js", "/static/logo.svg", "/favicon.ico"]) {
    await (await fetch(front.url + path)).arrayBuffer();
    assert.deepEqual(lines(front.t), [], path);
  }
  await (await fetch(`${front.url}/ui/browse`)).arrayBuffer();
  await (await fetch(`${front.url}/api/v1/metadata/a.b`)).arrayBuffer();
  assert.deepEqual(
    lines(front.t).map(({ path }) => path),
    ["/ui/browse", "/api/v1/metadata/a.b"],
  );
});
