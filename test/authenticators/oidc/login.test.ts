import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { CLIENT_ID, CLIENT_SECRET, SUBJECT } from "../../support/hostile-provider.ts";
import { fails, login, newRequest, setUp } from "./support.ts";

const BASIC = `Basic ${Buffer.from("tiled:s%2Be+c%3Ar%25e%2Ft").toString("base64")}`;

describe("the way to the provider", () => {
  test("asks for openid and no more, with PKCE, state and nonce", async (t) => {
    const { authenticator, provider } = await setUp((step) => t.after(step));
    const request = newRequest();
    const url = await authenticator.begin(request);
    assert.equal(url.origin + url.pathname, `${provider.url}/authorize`);
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      response_type: "code",
      client_id: CLIENT_ID,
      redirect_uri: request.redirectUri,
      scope: "openid",
      state: request.state,
      nonce: request.nonce,
      code_challenge: createHash("sha256").update(request.codeVerifier).digest("base64url"),
      code_challenge_method: "S256",
    });
  });

  test("scopes and a prompt where the operator asks for them", async (t) => {
    const { authenticator } = await setUp((step) => t.after(step), {
      scopes: ["profile", "offline_access", "openid"],
      prompt: "login",
    });
    const { searchParams } = await authenticator.begin(newRequest());
    assert.equal(searchParams.get("scope"), "openid profile offline_access");
    assert.equal(searchParams.get("prompt"), "login");
  });

  test("e-mail addresses are asked for where they are needed", async (t) => {
    for (const args of [{ user_id_claim: "email" }, { allowed_domains: ["lab.example"] }]) {
      const { authenticator } = await setUp((step) => t.after(step), args);
      const { searchParams } = await authenticator.begin(newRequest());
      assert.equal(searchParams.get("scope"), "openid email");
    }
  });

  test("the endpoint's own query stays", async (t) => {
    const { provider } = await setUp((step) => t.after(step));
    provider.document["authorization_endpoint"] =
      `${provider.url}/authorize?tenant=lab&client_id={client_id}&scope=x&scope=y`;
    const { authenticator } = await setUp((step) => t.after(step), { well_known_uri: provider.wellKnown });
    const { searchParams } = await authenticator.begin(newRequest());
    assert.equal(searchParams.get("tenant"), "lab");
    assert.deepEqual(searchParams.getAll("client_id"), [CLIENT_ID]);
    assert.deepEqual(searchParams.getAll("scope"), ["openid"]);
    assert.equal(searchParams.get("response_type"), "code");
  });
});

describe("the exchange of the code", () => {
  for (const [announced, basic] of [
    [["client_secret_basic", "client_secret_post"], true],
    [["client_secret_post", "client_secret_basic"], true],
    [["client_secret_post"], false],
    [["private_key_jwt", "client_secret_post"], false],
    [undefined, true],
  ] as const) {
    test(`the secret goes ${basic ? "into a header" : "into the form"} where ${announced} is announced`, async (t) => {
      const { authenticator, provider } = await setUpAnnounced(t, announced);
      const request = newRequest();
      assert.deepEqual(await login(authenticator, provider, request), { id: SUBJECT });
      const { authorization, form } = provider.tokenRequest ?? assert.fail();
      assert.equal(authorization, basic ? BASIC : undefined);
      assert.equal(form.get("client_secret"), basic ? null : CLIENT_SECRET);
      assert.equal(form.get("grant_type"), "authorization_code");
      assert.equal(form.get("redirect_uri"), request.redirectUri);
      assert.equal(form.get("code_verifier"), request.codeVerifier);
    });
  }

  test("the operator's word counts more than the provider's", async (t) => {
    const { authenticator, provider } = await setUpAnnounced(t, ["client_secret_basic"], {
      token_endpoint_auth_method: "client_secret_post",
    });
    await login(authenticator, provider);
    assert.equal(provider.tokenRequest?.form.get("client_secret"), CLIENT_SECRET);
  });

  test("a provider that needs no client secret", async (t) => {
    const { authenticator, provider } = await setUpAnnounced(t, ["private_key_jwt"]);
    await fails(login(authenticator, provider), "bad_gateway", /private_key_jwt/);
    assert.equal(provider.asked.token, 0);
  });

  test("where nothing is announced, the form is tried after the header", async (t) => {
    const { authenticator, provider } = await setUp((step) => t.after(step));
    provider.misbehave({ status: 401, answer: () => ({ error: "invalid_client" }) });
    await fails(login(authenticator, provider), "login_refused", /invalid_client/);
    assert.equal(provider.asked.token, 2);
    assert.equal(provider.tokenRequest?.form.get("client_secret"), CLIENT_SECRET);
    assert.equal(provider.tokenRequest?.authorization, undefined);

    provider.misbehave({ status: 400, answer: () => ({ error: "invalid_grant" }) });
    await fails(login(authenticator, provider), "login_refused", /invalid_grant/);
    assert.equal(provider.asked.token, 3);
  });

  test("the redirect URI is in its normal form, and stays so whatever the callback's address became", async (t) => {
    const { authenticator, provider } = await setUp((step) => t.after(step));
    const request = { ...newRequest(), redirectUri: "https://Tiled.example:443/code" };
    const away = await authenticator.begin(request);
    assert.equal(away.searchParams.get("redirect_uri"), "https://tiled.example/code");
    const callback = await provider.visit(away);
    callback.host = "10.0.0.7:8000";
    assert.deepEqual(await authenticator.finish({ ...request, callback }), { id: SUBJECT });
    assert.equal(provider.tokenRequest?.form.get("redirect_uri"), "https://tiled.example/code");
  });

  test("a code works once", async (t) => {
    const { authenticator, provider } = await setUp((step) => t.after(step));
    const request = newRequest();
    const callback = await provider.visit(await authenticator.begin(request));
    assert.deepEqual(await authenticator.finish({ ...request, callback }), { id: SUBJECT });
    await fails(authenticator.finish({ ...request, callback }), "login_refused", /invalid_grant/);
  });

  test("another login's verifier, nonce or state does not fit", async (t) => {
    const { authenticator, provider } = await setUp((step) => t.after(step));
    for (const [name, log] of [
      ["codeVerifier", /invalid_grant/],
      ["nonce", /nonce/],
      ["state", /unexpected "state"/],
    ] as const) {
      const request = newRequest();
      const callback = await provider.visit(await authenticator.begin(request));
      const foreign = { ...request, callback, [name]: newRequest()[name] };
      await fails(
        authenticator.finish(foreign),
        name === "codeVerifier" ? "login_refused" : "provider_invalid",
        log,
      );
    }
  });

  test("an issuer in the callback is checked where it is not announced, too", async (t) => {
    const { authenticator, provider } = await setUp((step) => t.after(step));
    provider.document["authorization_response_iss_parameter_supported"] = undefined;
    const other = await setUp((step) => t.after(step), { well_known_uri: provider.wellKnown });
    provider.misbehave("no iss in the callback");
    assert.deepEqual(await login(other.authenticator, provider), { id: SUBJECT });
    provider.misbehave("another iss in the callback");
    await fails(login(other.authenticator, provider), "provider_invalid", /unexpected "iss"/);
    await fails(login(authenticator, provider), "provider_invalid", /unexpected "iss"/);
  });

  test("the provider's refusal is logged without secrets", async (t) => {
    const { authenticator, provider } = await setUpAnnounced(t, ["client_secret_post"]);
    const request = newRequest();
    const callback = await provider.visit(await authenticator.begin(request));
    const code = callback.searchParams.get("code") ?? "";
    const description = `code ${code}, secret ${CLIENT_SECRET}, verifier ${request.codeVerifier}\n\u009b31m\u202ex`;
    provider.misbehave({
      status: 400,
      answer: () => ({ error: "invalid_grant", error_description: description }),
    });
    await fails(
      authenticator.finish({ ...request, callback }),
      "login_refused",
      /"code …, secret …, verifier …\\n\\u\{9b\}31m\\u\{202e\}x"/,
    );
  });
});

describe("the id_token", () => {
  for (const alg of ["RS256", "RS384", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"]) {
    test(`a signature of ${alg}`, async (t) => {
      const setup = await setUp((step) => t.after(step), {}, { alg });
      setup.provider.document["id_token_signing_alg_values_supported"] = [alg];
      const { authenticator } = await setUp((step) => t.after(step), {
        well_known_uri: setup.provider.wellKnown,
      });
      setup.provider.claims["at_hash"] = undefined;
      assert.deepEqual(await login(authenticator, setup.provider), { id: SUBJECT });
    });
  }

  for (const [what, alg, digest] of [
    ["SHA-256", "ES256", "sha256"],
    ["SHA-384", "ES384", "sha384"],
    ["SHA-512", "EdDSA", "sha512"],
  ] as const) {
    test(`at_hash is of ${what} under ${alg}`, async (t) => {
      const { provider } = await setUp((step) => t.after(step), {}, { alg });
      provider.document["id_token_signing_alg_values_supported"] = [alg];
      const { authenticator } = await setUp((step) => t.after(step), { well_known_uri: provider.wellKnown });
      const half = (name: string) => {
        const whole = createHash(name).update("the-access-token").digest();
        return whole.subarray(0, whole.length / 2).toString("base64url");
      };
      const answer = (given: Record<string, unknown>) => ({ ...given, access_token: "the-access-token" });
      provider.misbehave({
        answer,
        claims: (claims) => void Object.assign(claims, { at_hash: half(digest) }),
      });
      assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
      provider.misbehave({
        answer,
        claims: (claims) => void Object.assign(claims, { at_hash: half("sha1") }),
      });
      await fails(login(authenticator, provider), "provider_invalid", /at_hash/);
    });
  }

  for (const [what, claims] of Object.entries({
    "no azp": { azp: undefined },
    "no at_hash": { at_hash: undefined },
    "several audiences, issued to us": { aud: ["account", CLIENT_ID] },
    "an audience in a list": { aud: [CLIENT_ID], azp: undefined },
    "more claims than we know": { c_hash: "x", groups: ["a"], phone_number: 7, __proto__: null },
  })) {
    test(`is accepted with ${what}`, async (t) => {
      const { authenticator, provider } = await setUp((step) => t.after(step));
      Object.assign(provider.claims, claims);
      assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    });
  }

  test("clocks may differ a little", async (t) => {
    const { authenticator, provider, clock } = await setUp((step) => t.after(step));
    const now = clock.now() / 1000;
    for (const claims of [{ exp: now - 29 }, { nbf: now + 29 }, { iat: now + 29, exp: now + 600 }]) {
      provider.misbehave({ claims: (honest) => void Object.assign(honest, claims) });
      assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    }
  });

  test("a token is for our client, whatever args.audience says", async (t) => {
    const { authenticator, provider, warnings } = await setUp((step) => t.after(step), {
      audience: "https://tiled.example",
    });
    assert.match(warnings.join(), /args\.audience differs from args\.client_id/);
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    provider.claims["aud"] = "https://tiled.example";
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT }, "with azp = client_id");
    provider.claims["azp"] = undefined;
    await fails(login(authenticator, provider), "provider_invalid", /\(azp\)/);
    provider.claims["azp"] = "another-client";
    await fails(login(authenticator, provider), "provider_invalid", /another client/);
    provider.claims["aud"] = "https://elsewhere.example";
    provider.claims["azp"] = CLIENT_ID;
    await fails(login(authenticator, provider), "provider_invalid", /audience/);
  });

  test("no warning where args.audience is the client", async (t) => {
    const { warnings } = await setUp((step) => t.after(step), { audience: CLIENT_ID });
    assert.deepEqual(warnings, []);
  });

  test("nothing of the provider's tokens is kept", async (t) => {
    const { authenticator, provider } = await setUp((step) => t.after(step));
    assert.deepEqual(Object.keys(await login(authenticator, provider)), ["id"]);
  });
});

async function setUpAnnounced(
  t: { after(step: () => Promise<unknown>): void },
  methods: readonly string[] | undefined,
  args: Parameters<typeof setUp>[1] = {},
) {
  const { provider } = await setUp((step) => t.after(step));
  provider.document["token_endpoint_auth_methods_supported"] = methods;
  const { authenticator } = await setUp((step) => t.after(step), {
    well_known_uri: provider.wellKnown,
    ...args,
  });
  return { authenticator, provider };
}
