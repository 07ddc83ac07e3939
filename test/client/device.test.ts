/**
 * Device logins of the client library: the server's own, and at a provider whose tokens the server takes. In a process of its own,
 * since it replaces timers.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Context, deviceCodeGrant, type Verification } from "../../src/client/index.ts";
import { Browser } from "../support/browser.ts";
import { API, json, wireTo, withoutPauses } from "../support/client.ts";
import { scene } from "../support/device-login.ts";

async function connected(t: TestContext) {
  const s = await scene();
  t.after(() => s[Symbol.asyncDispose]());
  const wire = wireTo(s.t);
  const { context } = await Context.fromAnyUri(API, { fetch: wire.fetch });
  return { ...s, wire, context, pauses: withoutPauses(t) };
}

test("the person enters the code, and the context is logged in", async (t) => {
  const { t: app, orcid, wire, context, pauses } = await connected(t);
  const shown: Verification[] = [];
  const onVerification = async (verification: Verification) => {
    shown.push(verification);
    const browser = new Browser(app);
    const form = await browser.open(orcid.signIn(verification.verificationUri, "0000-0001"));
    await browser.submit(form, { user_code: verification.userCode });
  };
  await context.authenticate({
    prompt: (context, _providers, { signal }) =>
      deviceCodeGrant(context, { provider: "orcid", onVerification, signal }),
  });
  assert.deepEqual(
    (await context.whoami())?.identities.map(({ id }) => id),
    ["0000-0001"],
  );
  assert.deepEqual([shown.length, shown[0]?.interval, shown[0]?.expiresIn], [1, 5, 900]);
  assert.deepEqual([pauses, wire.count("/orcid/token")], [[5000], 1]);
});

test("it waits while the login is pending, longer where it is asked to", async (t) => {
  const { context, wire, pauses } = await connected(t);
  const pending = (error: string) => json(400, { detail: { error } });
  wire.instead(
    "/orcid/token",
    pending("authorization_pending"),
    pending("slow_down"),
    json(502, {}),
    json(200, { access_token: "a", refresh_token: "r" }),
  );
  await deviceCodeGrant(context, { provider: "orcid", onVerification: () => {} });
  assert.deepEqual(
    pauses.filter((ms) => ms >= 5000),
    [5000, 5000, 10_000],
  );
});

test("denied, run out, aborted, not shown, not named", async (t) => {
  const { context, wire } = await connected(t);
  const grant = (options = {}) =>
    deviceCodeGrant(context, { provider: "orcid", onVerification: () => {}, ...options });
  wire.instead("/orcid/token", json(400, { detail: { error: "access_denied" } }));
  await assert.rejects(grant, { code: "ERR_LOGIN_REFUSED", status: 400 });
  wire.instead("/orcid/token", json(404, { detail: "No such device_code." }));
  await assert.rejects(grant, { code: "ERR_LOGIN_REFUSED", status: 404 });
  wire.instead("/orcid/token", json(400, { detail: { error: "expired_token" } }));
  await assert.rejects(grant, { code: "ERR_LOGIN_EXPIRED" });
  let now = 0;
  t.mock.method(performance, "now", () => {
    now += 600_000;
    return now;
  });
  await assert.rejects(grant, { code: "ERR_LOGIN_EXPIRED", status: null });
  t.mock.restoreAll();
  const reason = new Error("enough");
  const aborter = new AbortController();
  const onVerification = () => setImmediate(() => aborter.abort(reason));
  await assert.rejects(grant({ signal: aborter.signal, onVerification }), (error) => error === reason);
  await assert.rejects(grant({ onVerification: () => Promise.reject(reason) }), (error) => error === reason);
  await assert.rejects(grant({ provider: undefined }), { name: "TypeError", message: /orcid, other/ });
});

const PROVIDER = "https://provider.example";

/** A server that takes a provider's own tokens. */
function proxied(answers: Record<string, Response[]>, links = {}) {
  const forms: [string, Record<string, string>][] = [];
  const about = {
    authentication: {
      required: true,
      providers: [
        {
          provider: "oidc",
          mode: "external",
          links: {
            auth_endpoint: `${PROVIDER}/device`,
            token_endpoint: `${PROVIDER}/token`,
            client_id: "cli",
            ...links,
          },
          extra_scopes: ["lab"],
        },
      ],
      links: { refresh_session: `${PROVIDER}/token`, logout: `${PROVIDER}/logout` },
    },
  };
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname, searchParams } = new URL(String(input));
    if (pathname === "/api/v1/") return json(200, about);
    forms.push([pathname, Object.fromEntries((init?.body as URLSearchParams) ?? searchParams)]);
    return answers[pathname]?.shift() ?? json(500, {});
  };
  return { fetch, forms };
}

test("at a provider: its codes, scopes, refreshes and logout", async (t) => {
  withoutPauses(t);
  const { fetch, forms } = proxied({
    "/device": [
      json(200, { device_code: "d", user_code: "U", verification_url: "https://provider.example/me" }),
    ],
    "/token": [
      json(400, { error: "authorization_pending" }),
      json(200, { access_token: "a1", refresh_token: "r1", id_token: "i1" }),
      json(200, { access_token: "a2" }),
    ],
    "/api/v1/auth/whoami": [json(401, { detail: "expired" }), json(200, { uuid: "x" })],
    "/logout": [json(200, {})],
  });
  const { context } = await Context.fromAnyUri("https://tiled.example", { fetch });
  await context.authenticate({
    prompt: (context) => deviceCodeGrant(context, { onVerification: () => {} }),
  });
  assert.deepEqual(await context.whoami(), { uuid: "x" });
  assert.deepEqual(context.tokens, { access_token: "a2", refresh_token: "r1", id_token: "i1" });
  await context.logout();
  const scope = "lab offline_access openid";
  const poll = {
    device_code: "d",
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    client_id: "cli",
  };
  assert.deepEqual(forms, [
    ["/device", { client_id: "cli", scope }],
    ["/token", poll],
    ["/token", poll],
    ["/api/v1/auth/whoami", {}],
    ["/token", { client_id: "cli", grant_type: "refresh_token", refresh_token: "r1", scope }],
    ["/api/v1/auth/whoami", {}],
    ["/logout", { id_token_hint: "i1", client_id: "cli" }],
  ]);
});

test("nothing goes to a provider unencrypted", async () => {
  const { fetch, forms } = proxied({}, { auth_endpoint: "http://provider.example/device" });
  const { context } = await Context.fromAnyUri("https://tiled.example", { fetch });
  await assert.rejects(deviceCodeGrant(context, { onVerification: () => {} }), TypeError);
  assert.deepEqual(forms, []);
});
