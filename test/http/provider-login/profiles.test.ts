/**
 * The name and the verified address that a provider sends are stored by every kind of login and link. A malformed profile of
 * an operator's authenticator does not stop a login.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import Sqlite from "better-sqlite3";
import { OIDCAuthenticator } from "../../../src/authenticators/oidc/authenticator.ts";
import type {
  AuthenticatedIdentity,
  Authenticator,
  PasswordAuthenticator,
  Profile,
  ProxiedAuthenticator,
} from "../../../src/domain/ports/authenticator.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { openStore } from "../../../src/store/open.ts";
import { bearer, PASSWORDS, type TestApp, type TestAppOptions, testApp, toy } from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { ManualClock } from "../../support/clock.ts";
import { type Answered, poll, start } from "../../support/device-login.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { startProvider } from "../../support/oidc-provider.ts";
import { GRACE } from "../../support/oidc-provider-pages.ts";
import { tryLogin } from "../../support/person.ts";
import { type ScriptedOptions, ScriptedProvider } from "../../support/scripted-provider.ts";
import { Visitor } from "../../support/visitor.ts";

const ANN: Profile = { name: "Änn Lee", email: "ann@lab.example" };
const ROW = { provider: "orcid", identity: "0000-0001", ...ANN };
const AUTHORIZE = "/api/v1/auth/provider/orcid/authorize";
const TOKEN = "/api/v1/auth/provider/orcid/token";

/** Logs anyone in, with the profile that the test sets. */
class OwnClass implements PasswordAuthenticator {
  readonly kind = "password";
  readonly confirmationMessage = "";
  profile: unknown = ANN;

  async authenticate(username: string): Promise<AuthenticatedIdentity> {
    return { id: username, state: { groups: ["a"] }, profile: this.profile as Profile };
  }
}

interface Scene {
  readonly t: TestApp;
  readonly orcid: ScriptedProvider;
  readonly own: OwnClass;
  rows(): unknown[];
  warnings(): string[];
}

async function onFile(
  test: TestContext,
  authenticators: ReadonlyMap<string, Authenticator>,
  authentication: TestAppOptions["authentication"] = {},
): Promise<Pick<Scene, "t" | "rows" | "warnings">> {
  const clock = new ManualClock();
  const path = join(await temporaryFolder(test.after.bind(test)), "a.db");
  const store = await openStore({
    uri: `sqlite:///${path}`,
    initIfNotExists: true,
    poolSize: 5,
    maxOverflow: 5,
    poolPrePing: false,
    exclusiveWriter: false,
    log: () => {},
    clock,
  });
  const t = await testApp({
    store,
    clock,
    authenticators,
    authentication: { admins: [], ...authentication },
  });
  const db = new Sqlite(path, { readonly: true });
  const read = db.prepare("select provider, identity, name, email from tiled_auth_profiles order by 1, 2");
  test.after(async () => {
    db.close();
    await t.close();
  });
  const warnings = () => {
    const lines = t.logLines.map((line) => JSON.parse(line) as { level: number; msg: string });
    return lines.filter(({ level }) => level === 40).map(({ msg }) => msg);
  };
  return { t, rows: () => read.all(), warnings };
}

async function scene(test: TestContext, options: ScriptedOptions = {}): Promise<Scene> {
  const orcid = new ScriptedProvider(options);
  const own = new OwnClass();
  const authenticators = new Map<string, Authenticator>([
    ["toy", toy()],
    ["orcid", orcid],
    ["own", own],
  ]);
  return { ...(await onFile(test, authenticators)), orcid, own };
}

async function atToy(t: TestApp, user: "alice" | "bob"): Promise<Browser> {
  const browser = new Browser(t);
  await tryLogin(browser, user, PASSWORDS[user], "?provider=toy");
  return browser;
}

const signIn = (orcid: ScriptedProvider, url: unknown, profile: Profile | undefined = ANN) =>
  orcid.signIn(String(url), "0000-0001", undefined, profile);

test("a login in a browser and one of a program store what the provider sends", async (test) => {
  const { t, orcid, rows } = await scene(test);
  const browser = new Browser(t);
  await browser.open(signIn(orcid, (await browser.open(AUTHORIZE)).headers.location));
  assert.deepEqual(rows(), [ROW]);
  const away = (await browser.open(AUTHORIZE)).headers.location;
  const answer = await browser.open(signIn(orcid, away, { name: "Ann L." }), { accept: "*/*" });
  assert.deepEqual(rows(), [{ ...ROW, name: "Ann L.", email: null }]);
  const { access_token: token } = answer.json<Answered>();
  assert.doesNotMatch(answer.body + Buffer.from(token.split(".")[1] ?? "", "base64url"), /Ann L/);
  assert.doesNotMatch((await t.whoami(`Bearer ${token}`)).body, /Ann L|lab\.example|"email"/);
});

test("an application's code keeps it until the session opens", async (test) => {
  const { t, orcid, rows } = await scene(test, { redirectOnSuccess: "https://ui.example/cb" });
  const browser = new Browser(t);
  const away = (await browser.open(`${AUTHORIZE}?state=x`)).headers.location;
  const back = await browser.open(signIn(orcid, away));
  assert.deepEqual(rows(), []);
  const code = new URL(String(back.headers.location)).searchParams.get("code") ?? "";
  const fields = { grant_type: "authorization_code", code };
  const cookie = `tiled_browser=${browser.cookies.get("tiled_browser")?.value}`;
  assert.equal((await t.form(TOKEN, fields, { headers: { cookie } })).statusCode, 200);
  assert.deepEqual(rows(), [ROW]);
});

test("a device login keeps it until the program collects its tokens", async (test) => {
  const { t, orcid, rows } = await scene(test);
  const login = await start(t);
  const browser = new Browser(t);
  const form = await browser.open(signIn(orcid, login.authorization_uri));
  assert.doesNotMatch(form.body, /Ann Lee|lab\.example/);
  await browser.submit(form, { user_code: login.user_code });
  assert.deepEqual(rows(), []);
  assert.equal((await poll(t, login)).statusCode, 200);
  assert.deepEqual(rows(), [ROW]);
});

test("adding an identity in a browser stores its profile, and removing the identity deletes it", async (test) => {
  const { t, orcid, rows } = await scene(test);
  const browser = await atToy(t, "alice");
  const add = "/account/identities/add/orcid";
  const leaving = await browser.submit(await browser.open(add), {}, {}, add);
  const away = /content="0; url=([^"]*)"/.exec(leaving.body)?.[1]?.replaceAll("&amp;", "&");
  const back = await browser.open(signIn(orcid, away));
  assert.match(String(back.headers.location), /identity-added/);
  assert.deepEqual(rows(), [ROW]);
  const { access_token } = await t.login("alice");
  const url = "/api/v1/auth/identity?provider=orcid&id=0000-0001";
  assert.equal((await t.call({ method: "DELETE", url, headers: bearer(access_token) })).statusCode, 204);
  assert.deepEqual(rows(), []);
});

test("adding an identity by a code or a password stores its profile, for a program and by the form", async (test) => {
  const { t, orcid, own, rows } = await scene(test, { redirectOnSuccess: "https://ui.example/cb" });
  const browser = new Browser(t);
  const back = await browser.open(signIn(orcid, (await browser.open(AUTHORIZE)).headers.location));
  const code = new URL(String(back.headers.location)).searchParams.get("code") ?? "";
  const { access_token } = await t.login("alice");
  const cookie = `tiled_browser=${browser.cookies.get("tiled_browser")?.value}`;
  const headers = { ...bearer(access_token), cookie };
  const link = (payload: object) =>
    t.call({ method: "POST", url: "/api/v1/auth/identity", headers, payload });
  assert.equal((await link({ provider: "orcid", code })).statusCode, 200);
  assert.equal((await link({ provider: "own", username: "ann", password: "x" })).statusCode, 200);
  assert.deepEqual(rows(), [ROW, { ...ROW, provider: "own", identity: "ann" }]);

  own.profile = { name: "Bob" };
  const page = await atToy(t, "bob");
  const add = "/account/identities/add/own";
  await page.submit(await page.open(add), { username: "bob", password: PASSWORDS.bob }, {}, add);
  assert.deepEqual(rows().slice(2), [{ provider: "own", identity: "bob", name: "Bob", email: null }]);
});

test("a real provider's claims: the name and the address, if their scopes are requested", async (test) => {
  const path = "/api/v1/auth/provider/lab/code";
  const redirectUris = [`http://localhost:80${path}`, `http://localhost${path}`];
  const client = { id: "APP-LAB00001", secret: "a secret", redirectUris };
  const provider = await startProvider((step) => test.after(step), {
    clients: [client],
    loggedInAs: GRACE.id,
  });
  const lab = async (scopes: string[]) => {
    const authenticator = new OIDCAuthenticator(
      { client_id: client.id, client_secret: client.secret, well_known_uri: provider.wellKnown, scopes },
      { provider: "lab", directory: ".", warn: () => {} },
      { clock: systemClock },
    );
    await authenticator.start();
    test.after(() => authenticator.stop());
    return await onFile(test, new Map([["lab", authenticator]]));
  };
  const login = async ({ t }: Pick<Scene, "t">) => {
    const browser = new Browser(t);
    const away = (await browser.open("/api/v1/auth/provider/lab/authorize")).headers.location;
    const { url, status, text } = await new Visitor().open(String(away), redirectUris[1]);
    assert.equal(status, 0, text);
    assert.equal((await browser.open(url.href)).statusCode, 303);
  };
  const asked = await lab(["profile", "email"]);
  await login(asked);
  const row = { provider: "lab", identity: GRACE.id, name: "Grace Hopper", email: "grace@lab.example" };
  assert.deepEqual(asked.rows(), [row]);
  const notAsked = await lab([]);
  await login(notAsked);
  assert.deepEqual(notAsked.rows(), []);
});

test("a proxied provider's token stores a profile when a person is seen for the first time", async (test) => {
  const told: { profile: unknown } = { profile: ANN };
  const proxied: Partial<ProxiedAuthenticator> = {
    kind: "proxied",
    verify: (id) => ({ id, scopes: [], expires: 4e9, profile: told.profile as Profile }),
  };
  const authenticators = new Map([["orcid", proxied as ProxiedAuthenticator]]);
  const { t, rows, warnings } = await onFile(test, authenticators);
  assert.equal((await t.whoami("Bearer 0000-0001")).statusCode, 200);
  assert.deepEqual(rows(), [ROW]);
  told.profile = { name: 7 };
  assert.equal((await t.whoami("Bearer 0000-0002")).statusCode, 200);
  assert.deepEqual(rows(), [ROW]);
  assert.match(
    warnings().join(),
    /profile's name that the provider 'orcid' sent for "0000-0002" is not text/,
  );
});

test("a malformed profile is dropped with a warning that does not show it, and the login goes on", async (test) => {
  const { t, own, rows, warnings } = await scene(test);
  const long = "🔑".repeat(256);
  const kept = { name: null, email: null };
  for (const [index, [profile, stored, warned]] of (
    [
      [{ name: long }, undefined, ["name"]],
      [{ name: 7, email: ["secret@lab.example"] }, undefined, ["name", "email"]],
      [{ name: "a secret\u0000" }, undefined, ["name"]],
      [{ name: "half \ud800", email: ANN.email }, { ...kept, email: ANN.email }, ["name"]],
      ["a secret", undefined, [""]],
      [7, undefined, [""]],
      [null, undefined, []],
      [{}, undefined, []],
      [[], undefined, []],
      [{ name: null, email: "" }, undefined, []],
      [{ name: "Ann", phone: "secret" }, { ...kept, name: "Ann" }, []],
      [{ name: "🔑".repeat(255) }, { ...kept, name: "🔑".repeat(255) }, []],
    ] as const
  ).entries()) {
    own.profile = profile;
    const before = rows().length;
    t.logLines.length = 0;
    const username = `ann${index}`;
    const answer = await t.form("/api/v1/auth/provider/own/token", { username, password: "x" });
    assert.equal(answer.statusCode, 200, answer.body);
    const token = answer.json<Answered>().access_token;
    assert.match((await t.whoami(`Bearer ${token}`)).body, /"groups":\["a"\]/, "the state is kept");
    const added = rows().filter((row) => (row as { identity: string }).identity === username);
    assert.deepEqual(added, stored ? [{ provider: "own", identity: username, ...stored }] : [], username);
    assert.equal(rows().length, before + added.length);
    const named = warnings().map((line) => /^The profile(?:'s (name|email))? that/.exec(line)?.[1] ?? "");
    assert.deepEqual(named, warned, username);
    assert.doesNotMatch(t.logLines.join(""), /secret|🔑/);
  }
});

test("a provider whose identities are addresses keeps its profile under the known spelling", async (test) => {
  const orcid = new ScriptedProvider({ addresses: true });
  const place = { file: "test", line: 1, path: "test" };
  const providers = [{ provider: "orcid", authenticator: "", args: {}, place }];
  const { t, rows } = await onFile(test, new Map([["orcid", orcid]]), { providers });
  for (const [id, name] of [
    ["Ann@lab.example", "Ann"],
    ["ann@lab.example", "Ann Lee"],
  ] as const) {
    const browser = new Browser(t);
    const away = String((await browser.open(AUTHORIZE)).headers.location);
    await browser.open(orcid.signIn(away, id, undefined, { name }));
  }
  assert.deepEqual(rows(), [
    { provider: "orcid", identity: "Ann@lab.example", name: "Ann Lee", email: null },
  ]);
});
