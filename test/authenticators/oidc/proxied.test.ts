import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ProxiedOIDCAuthenticator } from "../../../src/authenticators/oidc/proxied-authenticator.ts";
import type { ProxiedIdentity } from "../../../src/domain/ports/authenticator.ts";
import { OperatorError } from "../../../src/errors.ts";
import { checkArgs } from "../../../src/plugins/class-args.ts";
import { broken } from "../../support/breaks.ts";
import { CLIENT_ID, CLIENT_SECRET, HostileProvider, SUBJECT } from "../../support/hostile-provider.ts";
import { signingKey } from "../../support/signing-key.ts";
import { ARGS, AUDIENCE, setUp } from "./proxied-support.ts";
import { fails, login, surroundings } from "./support.ts";

describe("an access token of the provider", () => {
  test("is a person, their scopes and a time", async (t) => {
    const { verify, clock } = await setUp(t);
    assert.deepEqual(await verify({ scope: "openid read:data read:metadata" }), {
      id: SUBJECT,
      scopes: ["read:data", "read:metadata"],
      expires: clock.now() / 1000 + 300,
    });
  });

  for (const [what, change, header] of [
    ["its type is that of RFC 9068", { scope: undefined }, { typ: "at+jwt" }],
    ["its type is written in full", {}, { typ: "application/AT+JWT" }],
    ["it is Keycloak's", { typ: "Bearer", nonce: "x" }, {}],
    ["it is Cognito's", { token_use: "access", scope: undefined }, {}],
    ["it is Entra's", { appid: "tiled-cli", azp: undefined, scope: undefined, scp: "user" }, {}],
    ["it says nothing of its client", { azp: undefined }, {}],
    ["it is for several", { aud: ["account", AUDIENCE] }, {}],
    ["it has no scopes and no other audience", { scope: undefined }, {}],
    ["it is for our client and shows what it is", { aud: [AUDIENCE, CLIENT_ID], scope: "openid" }, {}],
    ["it has no type", {}, { typ: undefined }],
    ["it expired just now", { exp: 1_769_860_800 - 29 }, {}],
  ] as const) {
    test(`is accepted where ${what}`, async (t) => {
      const { verify } = await setUp(t);
      assert.equal((await verify(change, header)).id, SUBJECT);
    });
  }

  for (const [what, change, header, log] of [
    ["for another audience", { aud: "account" }, {}, /audience.*args\.audience/],
    ["for no audience", { aud: undefined }, {}, /audience/],
    ["for an audience that begins like ours", { aud: `${AUDIENCE}-2` }, {}, /audience/],
    ["of another issuer", { iss: "https://elsewhere.example" }, {}, /issuer.*args\.well_known_uri/],
    ["of no issuer", { iss: undefined }, {}, /issuer/],
    ["of another client (azp)", { azp: "another" }, {}, /another client.*azp.*args\.allowed_clients/],
    ["of another client (client_id)", { azp: undefined, client_id: "another" }, {}, /client_id "another"/],
    ["of another client (appid)", { appid: "another" }, {}, /appid "another"/],
    ["of a client that is no text", { azp: ["tiled-cli"] }, {}, /another client/],
    ["without an end", { exp: undefined }, {}, /no 'exp'/],
    ["with an end that is no time", { exp: "x" }, {}, /'exp' is not a time/],
    ["that is not valid yet", { nbf: 1_769_860_800 + 31 }, {}, /nbf/],
    ["from the future", { iat: 1_769_860_800 + 31 }, {}, /future \(iat\)/],
    ["without a subject", { sub: undefined }, {}, /claim "sub"/],
    ["that names a number", { sub: 7 }, {}, /claim "sub"/],
    ["of another type", {}, { typ: "logout+jwt" }, /another token.*logout/],
    ["that is a refresh token (typ)", { typ: "Refresh" }, {}, /"Refresh"/],
    ["that is an id_token (typ)", { typ: "ID" }, {}, /"ID"/],
    ["that is an id_token (token_use)", { token_use: "id" }, {}, /token_use/],
    ["that is an id_token (at_hash)", { at_hash: "x" }, {}, /at_hash/],
    ["that is an id_token (c_hash)", { c_hash: "x" }, {}, /id_token/],
    ["that is bound to a key", { cnf: { jkt: "x" } }, {}, /cnf/],
    ["that may be an id_token (nonce)", { nonce: "x", scope: undefined }, {}, /may be an id_token/],
    [
      "that may be an id_token (for our client)",
      { aud: [AUDIENCE, CLIENT_ID], scope: undefined },
      {},
      /may be an id_token/,
    ],
  ] as const) {
    test(`is refused: one ${what}`, async (t) => {
      const { verify } = await setUp(t);
      await fails(verify(change, header), "invalid_token", log);
      assert.equal((await verify()).id, SUBJECT);
    });
  }

  test("an expired token has its own error, so that the client refreshes", async (t) => {
    const { verify } = await setUp(t);
    await fails(verify({ exp: 1_769_860_800 - 31 }), "expired_token", /expired/);
  });

  test("an id_token of our clients is not an access token", async (t) => {
    for (const client of [CLIENT_ID, "tiled-cli"]) {
      const { provider, authenticator } = await setUp(t, { audience: client });
      const { scope: _, azp, ...claims } = provider.accessClaims(client);
      const idToken = await provider.sign({ ...claims, azp: client });
      await fails(() => authenticator.verify(idToken), "invalid_token", /may be an id_token/);
      const accessToken = await provider.sign({ ...claims, azp, scope: "openid" });
      assert.equal((await authenticator.verify(accessToken)).id, SUBJECT);
    }
  });

  test("missing and foreign signatures, and embedded keys", async (t) => {
    const { provider, authenticator, token } = await setUp(t);
    const [header, payload, signature] = (await token()).split(".");
    const other = await signingKey("ES256", "first");
    const claims = provider.accessClaims(AUDIENCE);
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    for (const forged of [
      `${none}.${payload}.`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: "root" })).toString("base64url")}.${signature}`,
      await provider.sign(claims, {}, other),
      await provider.sign(claims, { jwk: other.publicJwk }, other),
      "",
      "a",
      "a.b.c",
      `${"x".repeat(70_000)}.b.c`,
    ]) {
      await fails(() => authenticator.verify(forged), "invalid_token", /access token is refused/);
    }
  });

  test("further clients may be named", async (t) => {
    const { verify } = await setUp(t, { allowed_clients: ["notebook"] });
    assert.equal((await verify({ azp: "notebook" })).id, SUBJECT);
    assert.equal((await verify()).id, SUBJECT);
    await fails(verify({ azp: "another" }), "invalid_token", /args\.allowed_clients/);
  });

  test("a person is named by user, else by sub, or as the operator says", async (t) => {
    const { verify } = await setUp(t);
    assert.equal((await verify({ user: "ada" })).id, "ada");
    assert.equal((await verify({ user: "" })).id, SUBJECT);
    const other = await setUp(t, { user_id_claim: "preferred_username" });
    assert.equal((await other.verify({ preferred_username: "lovelace", user: "ada" })).id, "lovelace");
    const email = await setUp(t, { user_id_claim: "email" });
    await fails(email.verify({ email: "ada@lab.example" }), "invalid_token", /verified/);
  });
});

describe("scopes of an access token", () => {
  const scopesOf = async (verified: Promise<ProxiedIdentity>) => (await verified).scopes;

  test("by the map, and nothing beside it", async (t) => {
    const { verify } = await setUp(t, {
      scopes_map: {
        "tiled.read": ["read:metadata", "read:data"],
        "tiled.write": ["write:data", "read:data"],
      },
    });
    assert.deepEqual(await scopesOf(verify({ scope: "tiled.read openid" })), ["read:data", "read:metadata"]);
    assert.deepEqual(await scopesOf(verify({ scope: undefined, scp: ["tiled.read", "tiled.write"] })), [
      "read:data",
      "read:metadata",
      "write:data",
    ]);
    assert.deepEqual(await scopesOf(verify({ scope: undefined, scp: "tiled.write" })), [
      "read:data",
      "write:data",
    ]);
    assert.deepEqual(await scopesOf(verify({ scope: "read:data admin:apikeys" })), []);
    assert.deepEqual(await scopesOf(verify({ scope: undefined, aud: AUDIENCE })), []);
    assert.deepEqual(await scopesOf(verify({ scope: "constructor __proto__ toString" })), []);
    assert.deepEqual(await scopesOf(verify({ scope: 7, scp: [null, {}, "tiled.read "] })), []);
  });

  test("without a map, those that the token calls by our names", async (t) => {
    const { verify } = await setUp(t);
    assert.deepEqual(await scopesOf(verify({ scope: "read:data inherit cave nonsense" })), ["read:data"]);
    const narrowed = await setUp(t, { scopes: ["openid", "read:data"] });
    assert.deepEqual(await scopesOf(narrowed.verify({ scope: "read:data admin:apikeys" })), ["read:data"]);
  });

  test("a map to a scope that is not there stops the start", () => {
    const around = surroundings();
    assert.throws(
      () =>
        new ProxiedOIDCAuthenticator(
          { ...ARGS, well_known_uri: "https://idp.example", scopes_map: { r: ["read:dat"] } },
          around.context,
        ),
      (error) =>
        error instanceof OperatorError &&
        /'r' gives 'read:dat', .*Did you mean 'read:data'/.test(error.message),
    );
  });
});

describe("settings for clients", () => {
  test("where to log in, once the provider was reached", async (t) => {
    const { provider, authenticator } = await setUp(t);
    assert.equal(authenticator.kind, "proxied");
    assert.deepEqual(authenticator.links(), {
      deviceAuthorizationEndpoint: `${provider.url}/device`,
      tokenEndpoint: `${provider.url}/token`,
      endSessionEndpoint: `${provider.url}/logout`,
      clientId: "tiled-cli",
      extraScopes: [],
    });
  });

  test("nothing before; a token then waits for it, or fails as a gateway does", async (t) => {
    const around = surroundings();
    const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
    provider.misbehave(broken("discovery", "status 500"));
    const authenticator = new ProxiedOIDCAuthenticator(
      { ...ARGS, well_known_uri: provider.wellKnown },
      around.context,
      around.options,
    );
    await authenticator.start();
    assert.equal(authenticator.links(), null);
    assert.match(authenticator.problem() ?? "", /status 500/);
    const given = await provider.sign(provider.accessClaims(AUDIENCE));
    await fails(() => authenticator.verify(given), "bad_gateway", /status 500/);
    provider.honest();
    around.clock.advance(3);
    assert.equal((await authenticator.verify(given)).id, SUBJECT);
    assert.equal(authenticator.problem(), null);
    await authenticator.stop();
  });

  test("a provider without a device endpoint is a problem", async (t) => {
    const { provider } = await setUp(t);
    provider.document["device_authorization_endpoint"] = undefined;
    const { authenticator } = await setUp(t, { well_known_uri: provider.wellKnown });
    assert.match(authenticator.problem() ?? "", /no device_authorization_endpoint/);
    assert.equal(authenticator.links(), null);
  });
});

describe("a browser at a proxied provider", () => {
  test("logs in as at any other, with the same name as its tokens", async (t) => {
    const { provider, authenticator } = await setUp(t, { client_secret: CLIENT_SECRET });
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    provider.misbehave("another audience");
    await fails(login(authenticator, provider), "provider_invalid", /audience/);
  });

  test("a public client sends no secret", async (t) => {
    for (const args of [{}, { client_secret: null }, { client_secret: "" }]) {
      const { provider, authenticator } = await setUp(t, args);
      assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
      const { authorization, form } = provider.tokenRequest ?? assert.fail();
      assert.equal(authorization, undefined);
      assert.equal(form.get("client_id"), CLIENT_ID);
      assert.equal(form.get("client_secret"), null);
    }
  });

  test("the reference's arguments", () => {
    const checked = checkArgs(ProxiedOIDCAuthenticator.args, {
      ...ARGS,
      well_known_uri: "https://idp.example/.well-known/openid-configuration",
      client_secret: "",
      scopes: ["openid", "email"],
      scopes_map: null,
      confirmation_message: "",
      redirect_on_success: null,
      redirect_on_failure: null,
      user_id_claim: "sub",
    });
    assert.equal(checked.kind, "valid");
    assert.equal(checkArgs(ProxiedOIDCAuthenticator.args, { client_id: "tiled" }).kind, "invalid");
  });
});
