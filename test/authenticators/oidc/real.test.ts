import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OidcArgs } from "../../../src/authenticators/oidc/args.ts";
import { OIDCAuthenticator } from "../../../src/authenticators/oidc/authenticator.ts";
import { ProxiedOIDCAuthenticator } from "../../../src/authenticators/oidc/proxied-authenticator.ts";
import type { AuthenticatedIdentity, ProviderLogin } from "../../../src/domain/ports/authenticator.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type ProviderOptions, startProvider } from "../../support/oidc-provider.ts";
import { ADA, GRACE } from "../../support/oidc-provider-pages.ts";
import { tokensOf } from "../../support/provider-tokens.ts";
import { Visitor } from "../../support/visitor.ts";
import { fails, newRequest, surroundings } from "./support.ts";

type Test = { after(step: () => Promise<unknown>): void };

const REDIRECT = "http://127.0.0.1:8000/api/v1/auth/provider/lab/code";
const SECRET = "a secret: +/%&=";
const CLIENT = { id: "APP-LAB00001", secret: SECRET, redirectUris: [REDIRECT] };

async function setUp(t: Test, options: Partial<ProviderOptions>, args: Partial<OidcArgs> = {}) {
  const provider = await startProvider((step) => t.after(step), { clients: [CLIENT], ...options });
  const around = surroundings({ clock: systemClock });
  const authenticator = new OIDCAuthenticator(
    { client_id: CLIENT.id, client_secret: SECRET, well_known_uri: provider.wellKnown, ...args },
    around.context,
    around.options,
  );
  await authenticator.start();
  t.after(() => authenticator.stop());
  assert.equal(authenticator.problem(), null);
  return { ...around, provider, authenticator };
}

/** A whole login; `fill` answers the provider's pages until the browser comes back. */
async function login(
  authenticator: ProviderLogin,
  visitor: Visitor,
  answers: readonly Record<string, string>[] = [],
): Promise<AuthenticatedIdentity> {
  const request = { ...newRequest(), redirectUri: REDIRECT };
  let page = await visitor.open(await authenticator.begin(request), REDIRECT);
  for (const fields of answers) page = await visitor.submit(page, fields, REDIRECT);
  assert.equal(page.status, 0, page.text);
  return authenticator.finish({ ...request, callback: page.url });
}

const typed = ({ username, password }: typeof ADA) => ({ username, password, answer: "yes" });

describe("a real provider", () => {
  for (const [flavour, alg] of [
    ["plain", "ES256"],
    ["plain", "RS256"],
    ["orcid", "RS256"],
    ["orcid", "ES256"],
    ["google", "RS256"],
  ] as const) {
    test(`shaped like ${flavour}, ${alg}`, async (t) => {
      const { authenticator } = await setUp(t, { flavour, alg });
      const person = flavour === "google" ? GRACE : ADA;
      const visitor = new Visitor();
      assert.deepEqual(await login(authenticator, visitor, [typed(person)]), { id: person.id });
      // Now the provider knows the browser.
      assert.deepEqual(await login(authenticator, visitor), { id: person.id });
    });
  }

  test("a wrong password first", async (t) => {
    const { authenticator } = await setUp(t, {});
    const answers = [{ ...typed(ADA), password: "wrong" }, typed(ADA)];
    assert.deepEqual(await login(authenticator, new Visitor(), answers), { id: ADA.id });
  });

  test("a login that is cancelled, and a consent that is denied", async (t) => {
    const { authenticator } = await setUp(t, { consent: true });
    const no = { answer: "no" };
    await fails(login(authenticator, new Visitor(), [no]), "login_refused", /access_denied/);
    await fails(login(authenticator, new Visitor(), [typed(ADA), no]), "login_refused", /access_denied/);
    const yes = [typed(ADA), { answer: "yes" }];
    assert.deepEqual(await login(authenticator, new Visitor(), yes), { id: ADA.id });
  });

  test("people who are logged in already see no form", async (t) => {
    const { authenticator } = await setUp(t, { loggedInAs: GRACE.id });
    assert.deepEqual(await login(authenticator, new Visitor()), { id: GRACE.id });
  });

  test("Google's addresses", async (t) => {
    const { authenticator } = await setUp(
      t,
      { flavour: "google", loggedInAs: GRACE.id },
      { user_id_claim: "email", allowed_domains: ["lab.example"] },
    );
    const profile = { email: "grace@lab.example" };
    assert.deepEqual(await login(authenticator, new Visitor()), { id: "grace@lab.example", profile });
  });

  test("Google shows an error of its own where it is asked for offline_access", async (t) => {
    const { authenticator } = await setUp(t, { flavour: "google" }, { scopes: ["offline_access"] });
    const page = await new Visitor().open(await authenticator.begin(newRequest()));
    assert.equal(page.status, 400);
    assert.match(page.text, /invalid_scope.*offline_access/);
  });

  test("a wrong secret", async (t) => {
    for (const flavour of ["plain", "orcid"] as const) {
      const { authenticator } = await setUp(t, { flavour, loggedInAs: ADA.id }, { client_secret: "another" });
      await fails(
        login(authenticator, new Visitor()),
        "login_refused",
        /invalid_client.*args\.client_id and args\.client_secret/,
      );
    }
  });

  test("a redirect URI that is not registered is refused at the provider", async (t) => {
    const { authenticator } = await setUp(t, {});
    const request = { ...newRequest(), redirectUri: REDIRECT.replace("127.0.0.1", "localhost") };
    const page = await new Visitor().open(await authenticator.begin(request));
    assert.equal(page.status, 400);
    assert.match(page.text, /redirect_uri/);
  });

  test("the first generation of arguments", async (t) => {
    for (const flavour of ["plain", "orcid"] as const) {
      const provider = await startProvider((step) => t.after(step), {
        flavour,
        clients: [CLIENT],
        loggedInAs: ADA.id,
      });
      const { kid: _kid, alg: _alg, use: _use, ...bare } = provider.key.publicJwk;
      const around = surroundings({ clock: systemClock });
      const authenticator = new OIDCAuthenticator(
        {
          client_id: CLIENT.id,
          client_secret: SECRET,
          token_uri: `${provider.url}/token`,
          authorization_endpoint: `${provider.url}/auth`,
          public_keys: [bare],
        },
        around.context,
        around.options,
      );
      await authenticator.start();
      assert.deepEqual(await login(authenticator, new Visitor()), { id: ADA.id });
    }
  });
});

describe("a real provider's access tokens", () => {
  const AUDIENCE = "https://tiled.lab.example";

  async function proxied(t: Test) {
    const provider = await startProvider((step) => t.after(step), {
      clients: [CLIENT, { id: "tiled-cli", redirectUris: [] }],
      resource: { audience: AUDIENCE, scopes: ["tiled.read", "tiled.write"] },
    });
    const around = surroundings({ clock: systemClock });
    const authenticator = new ProxiedOIDCAuthenticator(
      {
        audience: AUDIENCE,
        client_id: CLIENT.id,
        client_secret: SECRET,
        device_flow_client_id: "tiled-cli",
        well_known_uri: provider.wellKnown,
        scopes_map: { "tiled.read": ["read:metadata", "read:data"], "tiled.write": ["write:data"] },
      },
      around.context,
      around.options,
    );
    await authenticator.start();
    t.after(() => authenticator.stop());
    return { provider, authenticator };
  }

  test("a device login at the provider's access token is accepted; its id_token is not", async (t) => {
    const { provider, authenticator } = await proxied(t);
    const links = authenticator.links() ?? assert.fail(authenticator.problem() ?? "no links");
    assert.deepEqual(
      [links.deviceAuthorizationEndpoint, links.tokenEndpoint],
      [`${provider.url}/device/auth`, `${provider.url}/token`],
    );
    const wanted = { client: links.clientId, scope: "openid tiled.read" };
    const { access_token: accessToken, id_token: idToken } = await tokensOf(provider, wanted);
    const { id, scopes, expires } = await authenticator.verify(accessToken);
    assert.equal(id, ADA.id);
    assert.deepEqual(scopes, ["read:data", "read:metadata"]);
    assert.ok(Math.abs(expires - Date.now() / 1000 - 300) < 30);
    await fails(() => authenticator.verify(idToken), "invalid_token", /./);
  });

  test("a browser logs in there as the same person", async (t) => {
    const { authenticator } = await proxied(t);
    assert.deepEqual(await login(authenticator, new Visitor(), [typed(ADA)]), { id: ADA.id });
  });
});
