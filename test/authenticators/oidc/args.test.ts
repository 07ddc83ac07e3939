import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OidcArgs } from "../../../src/authenticators/oidc/args.ts";
import { OIDCAuthenticator } from "../../../src/authenticators/oidc/authenticator.ts";
import { OperatorError } from "../../../src/errors.ts";
import { checkArgs } from "../../../src/plugins/class-args.ts";
import { HostileProvider, SUBJECT } from "../../support/hostile-provider.ts";
import { signingKey } from "../../support/signing-key.ts";
import { CLIENT, fails, login, setUp, surroundings } from "./support.ts";

const WELL_KNOWN = { well_known_uri: "https://idp.example/.well-known/openid-configuration" };
const ENDPOINTS = {
  token_uri: "https://idp.example/token",
  authorization_endpoint: "https://idp.example/authorize",
  public_keys: [{ kty: "EC" }],
};

function make(args: Record<string, unknown>): OIDCAuthenticator {
  const around = surroundings();
  const checked = checkArgs(OIDCAuthenticator.args, { ...CLIENT, ...args });
  assert.equal(checked.kind, "valid", JSON.stringify(checked));
  const { args: filled } = checked as Extract<typeof checked, { kind: "valid" }>;
  return new OIDCAuthenticator(filled as unknown as OidcArgs, around.context, around.options);
}

describe("the arguments of OIDCAuthenticator", () => {
  test("the reference's, with nothing where it has nothing", () => {
    const made = make({
      ...WELL_KNOWN,
      audience: "tiled",
      confirmation_message: "You have logged in as {id}.",
      redirect_on_success: null,
      redirect_on_failure: null,
      user_id_claim: "sub",
    });
    assert.equal(made.kind, "external");
    assert.equal(made.confirmationMessage, "You have logged in as {id}.");
    assert.equal(made.redirectOnSuccess, null);
    assert.equal(made.redirectOnFailure, null);
    assert.equal(made.tokensInRedirect, false);
  });

  test("where a browser login leads", () => {
    const made = make({
      ...WELL_KNOWN,
      redirect_on_success: "https://app.example/in?x=1",
      redirect_on_failure: "http://localhost:3000/out",
    });
    assert.equal(made.redirectOnSuccess, "https://app.example/in?x=1");
    assert.equal(made.redirectOnFailure, "http://localhost:3000/out");
  });

  for (const [what, args, message] of [
    ["no provider", {}, /args\.well_known_uri is missing/],
    ["a part of the first generation", { token_uri: "https://idp.example/token" }, /are all needed/],
    [
      "both generations",
      { ...WELL_KNOWN, ...ENDPOINTS },
      /remove token_uri, authorization_endpoint, public_keys/,
    ],
    [
      "http elsewhere",
      { well_known_uri: "http://idp.example/.well-known/x" },
      /args\.well_known_uri begins with http:/,
    ],
    ["a path", { well_known_uri: "./idp.json" }, /args\.well_known_uri is not an absolute URL/],
    [
      "http for the token endpoint",
      { ...ENDPOINTS, token_uri: "http://idp.example/" },
      /args\.token_uri begins with http:/,
    ],
    [
      "a script to lead to",
      { ...WELL_KNOWN, redirect_on_success: "javascript:alert(1)" },
      /args\.redirect_on_success must be/,
    ],
    [
      "a path to lead to",
      { ...WELL_KNOWN, redirect_on_failure: "/failed" },
      /args\.redirect_on_failure must be/,
    ],
    [
      "a private key",
      { ...ENDPOINTS, public_keys: [{ kty: "EC", d: "x" }] },
      /public_keys\[0\] is a secret key/,
    ],
    [
      "a shared key",
      { ...ENDPOINTS, public_keys: [{ kty: "oct", k: "x" }] },
      /public_keys\[0\] is a secret key/,
    ],
  ] as const) {
    test(`refused: ${what}`, () => {
      assert.throws(
        () => make(args),
        (error) => error instanceof OperatorError && message.test(error.message),
      );
    });
  }

  for (const [what, args] of Object.entries({
    "no client_id": { client_id: undefined },
    "no client_secret": { client_secret: undefined },
    "an empty secret": { client_secret: "" },
    "a misspelt argument": { wellknown_uri: "https://idp.example" },
    "a prompt of its own": { prompt: "none" },
    "nobody allowed": { allowed_users: [] },
    "a scope with a space": { scopes: ["profile email"] },
  })) {
    test(`refused by their schema: ${what}`, () => {
      const given = Object.fromEntries(
        Object.entries({ ...CLIENT, ...WELL_KNOWN, ...args }).filter(([, value]) => value !== undefined),
      );
      assert.equal(checkArgs(OIDCAuthenticator.args, given).kind, "invalid");
    });
  }

  test("Tiled's own page for logins is warned of, since it needs tokens in its address", async (t) => {
    const needs = /needs args\.tokens_in_redirect: true/;
    for (const page of [
      "https://tiled.example/ui/auth-callback",
      "https://a.example/data/ui/auth-callback/?x=1",
    ]) {
      const redirect_on_success = page;
      const { warnings } = await setUp((step) => t.after(step), { redirect_on_success });
      assert.match(warnings.join(), needs);
      const both = await setUp((step) => t.after(step), { redirect_on_success, tokens_in_redirect: true });
      assert.doesNotMatch(both.warnings.join(), needs);
    }
    const other = await setUp((step) => t.after(step), {
      redirect_on_success: "https://app.example/callback",
    });
    assert.deepEqual(other.warnings, []);
  });

  test("tokens in a redirect are warned of at each start", async (t) => {
    const { authenticator, warnings } = await setUp((step) => t.after(step), {
      redirect_on_success: "https://app.example/",
      tokens_in_redirect: true,
    });
    assert.ok(authenticator.tokensInRedirect);
    assert.match(warnings.join(), /args\.tokens_in_redirect/);
  });
});

describe("the first generation of arguments", () => {
  async function first(
    t: { after(step: () => Promise<unknown>): void },
    change: (jwk: Record<string, unknown>) => void = () => undefined,
    alg = "RS256",
  ) {
    const around = surroundings();
    const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock, alg });
    const jwk = { ...provider.key.publicJwk } as Record<string, unknown>;
    change(jwk);
    const authenticator = make({
      token_uri: `${provider.url}/token`,
      authorization_endpoint: `${provider.url}/authorize`,
      public_keys: [jwk],
    });
    await authenticator.start();
    provider.misbehave({ callback: (query) => query.delete("iss") });
    return { provider, authenticator };
  }

  for (const [what, names] of Object.entries({
    whole: [],
    "without alg": ["alg"],
    "without kid": ["kid"],
    "with the bare numbers only": ["alg", "kid", "use"],
  })) {
    for (const alg of ["RS256", "ES256"]) {
      test(`a key of ${alg}, ${what}`, async (t) => {
        const drop = (jwk: Record<string, unknown>) => {
          for (const name of names) delete jwk[name];
        };
        const { provider, authenticator } = await first(t, drop, alg);
        assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
        assert.equal(authenticator.problem(), null);
        assert.equal(provider.asked.discovery + provider.asked.keys, 0);
      });
    }
  }

  for (const how of [
    "the signature of another token",
    "no signature, alg none",
    "an HMAC with the public key, PEM",
    "another key under the known kid",
    "another audience",
    "issued to another client",
    "no expiry",
    "another nonce",
    "another at_hash",
    "no subject",
  ] as const) {
    test(`is as strict: ${how}`, async (t) => {
      const { provider, authenticator } = await first(t, (jwk) => {
        delete jwk["alg"];
      });
      assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
      provider.misbehave(how);
      await fails(login(authenticator, provider), "provider_invalid", /./);
    });
  }

  test("another provider's key", async (t) => {
    const other = await signingKey("RS256", "first");
    const { provider, authenticator } = await first(t, (jwk) => Object.assign(jwk, other.publicJwk));
    await fails(login(authenticator, provider), "provider_invalid", /signature is wrong/);
  });

  test("no issuer is known, but the browser's return must name the token's", async (t) => {
    const { provider, authenticator } = await first(t);
    provider.honest();
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    provider.misbehave("another iss in the callback");
    await fails(login(authenticator, provider), "provider_invalid", /issuer \(iss\)/);
  });
});
