/** Logins at a real Keycloak, and its own access tokens as credentials. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OIDCAuthenticator } from "../../src/authenticators/oidc.ts";
import { ProxiedOIDCAuthenticator } from "../../src/authenticators/oidc-proxied.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { fails, newRequest, surroundings } from "../authenticators/oidc/support.ts";
import { startKeycloak, withoutKeycloak } from "../support/keycloak.ts";
import { freePort } from "../support/real-scene.ts";
import { type Page, Visitor } from "../support/visitor.ts";

const REDIRECT = newRequest().redirectUri;
const SECRET = "of tests only";
const ALICE = { username: "alice", password: "secret1" };
const CLIENT = { client_id: "tiled", client_secret: SECRET };
const AUDIENCE = "tiled-api";

const REALM = {
  enabled: true,
  sslRequired: "none",
  users: [
    {
      username: ALICE.username,
      enabled: true,
      email: "alice@example.org",
      firstName: "Alice",
      lastName: "Lab",
      credentials: [{ type: "password", value: ALICE.password }],
    },
  ],
  clients: [
    {
      clientId: "tiled",
      secret: SECRET,
      standardFlowEnabled: true,
      redirectUris: [REDIRECT],
    },
    {
      clientId: "tiled-cli",
      publicClient: true,
      standardFlowEnabled: false,
      directAccessGrantsEnabled: true,
      attributes: { "oauth2.device.authorization.grant.enabled": "true" },
      protocolMappers: [
        {
          name: "audience",
          protocol: "openid-connect",
          protocolMapper: "oidc-audience-mapper",
          config: { "included.custom.audience": AUDIENCE, "access.token.claim": "true" },
        },
      ],
    },
  ],
};

describe("Keycloak", { skip: withoutKeycloak(), timeout: 400_000 }, () => {
  let realm = "";
  const endings: (() => Promise<unknown>)[] = [];
  before(async () => {
    realm = await startKeycloak((last) => void endings.unshift(last), await freePort(), REALM);
  });
  after(async () => {
    for (const end of endings) await end();
  });

  async function ours(t: { after(step: () => Promise<unknown>): void }, secret = SECRET) {
    const around = surroundings({ clock: systemClock });
    const args = {
      ...CLIENT,
      client_secret: secret,
      well_known_uri: `${realm}/.well-known/openid-configuration`,
      user_id_claim: "preferred_username",
      scopes: ["profile"],
    };
    const authenticator = new OIDCAuthenticator(args, around.context, around.options);
    await authenticator.start();
    t.after(() => authenticator.stop());
    assert.equal(authenticator.problem(), null);
    const begun = async (visitor: Visitor) => {
      const request = newRequest();
      const page = await visitor.open(await authenticator.begin(request), REDIRECT);
      return { page, finish: (end: Page) => authenticator.finish({ ...request, callback: end.url }) };
    };
    return { begun };
  }

  test("a wrong password, the right one, a browser that is known, and one that is logged out", async (t) => {
    const { begun } = await ours(t);
    const visitor = new Visitor();
    const first = await begun(visitor);
    const wrong = await visitor.submit(first.page, { ...ALICE, password: "wrong" }, REDIRECT);
    assert.deepEqual([wrong.status, /Invalid username or password/.test(wrong.text)], [200, true]);
    const back = await visitor.submit(wrong, ALICE, REDIRECT);
    assert.equal(back.status, 0, back.text);
    assert.deepEqual(await first.finish(back), { id: "alice" });
    await assert.rejects(first.finish(back), "its code is good once");

    const again = await begun(visitor);
    assert.equal(again.page.status, 0, "Keycloak knows the browser");
    assert.deepEqual(await again.finish(again.page), { id: "alice" });

    await visitor.submit(await visitor.open(`${realm}/protocol/openid-connect/logout`), {
      confirmLogout: "Logout",
    });
    assert.equal((await begun(visitor)).page.status, 200, "it asks for the password");
  });

  test("a wrong client secret lets nobody in, and the log names the setting", async (t) => {
    const { begun } = await ours(t, "wrong");
    const visitor = new Visitor();
    const { page, finish } = await begun(visitor);
    await fails(finish(await visitor.submit(page, ALICE, REDIRECT)), "login_refused", /client_secret/);
  });

  test("its own access tokens are credentials of their person, its id_tokens are not", async (t) => {
    const around = surroundings({ clock: systemClock });
    const args = {
      ...CLIENT,
      audience: AUDIENCE,
      device_flow_client_id: "tiled-cli",
      well_known_uri: `${realm}/.well-known/openid-configuration`,
      user_id_claim: "preferred_username",
      scopes_map: { email: ["read:metadata"] },
    };
    const authenticator = new ProxiedOIDCAuthenticator(args, around.context, around.options);
    await authenticator.start();
    t.after(() => authenticator.stop());
    const links = authenticator.links();
    assert.ok(links !== null, String(authenticator.problem()));
    const device = await fetch(links.deviceAuthorizationEndpoint, {
      method: "POST",
      body: new URLSearchParams({ client_id: links.clientId, scope: "openid offline_access" }),
    });
    assert.equal(device.status, 200, "what the Python client asks for");
    const answer = await fetch(links.tokenEndpoint, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "password",
        client_id: links.clientId,
        scope: "openid",
        ...ALICE,
      }),
    });
    const tokens = (await answer.json()) as { access_token: string; id_token: string };
    assert.partialDeepStrictEqual(await authenticator.verify(tokens.access_token), {
      id: "alice",
      scopes: ["read:metadata"],
    });
    await fails(() => authenticator.verify(tokens.id_token), "invalid_token", /audience|another token/);
  });
});
