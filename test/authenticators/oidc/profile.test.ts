/** The name and the verified address of a person, as the provider's tokens tell them (OpenID Connect Core, section 5.1). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EntraAuthenticator } from "../../../src/authenticators/oidc/entra-authenticator.ts";
import { CLIENT_ID, HostileProvider, SUBJECT } from "../../support/hostile-provider.ts";
import * as proxied from "./proxied-support.ts";
import { login, newRequest, setUp, surroundings } from "./support.ts";

const VERIFIED = { email: "ada@lab.example", email_verified: true };
const ADDRESS = { email: "ada@lab.example" };
const LONG = "🔑".repeat(255);

/** [the claims of a token, what it tells] */
const CASES: Readonly<
  Record<string, readonly [claims: Record<string, unknown>, profile: object | undefined]>
> = {
  "nothing without claims": [{}, undefined],
  "nothing by other claims": [
    { preferred_username: "ada", nickname: "ada", email_verified: true },
    undefined,
  ],
  "a name and an address": [
    { name: "Ada Lovelace", ...VERIFIED },
    { name: "Ada Lovelace", ...ADDRESS },
  ],
  "a name alone": [{ name: "Ada Lovelace" }, { name: "Ada Lovelace" }],
  "an address alone": [VERIFIED, ADDRESS],
  "ORCID's name, which has two parts": [
    { name: null, given_name: "Ada", family_name: "Lovelace" },
    { name: "Ada Lovelace" },
  ],
  "ORCID's name, if it has one part": [{ given_name: "Ada", family_name: null }, { name: "Ada" }],
  "the whole name before its parts": [
    { name: "Countess Ada", given_name: "Ada", family_name: "Lovelace" },
    { name: "Countess Ada" },
  ],
  "the parts of a name that is empty": [
    { name: " ", given_name: " Ada ", family_name: "Lovelace" },
    { name: "Ada Lovelace" },
  ],
  "a name without the spaces around it": [{ name: " Ada\u00a0" }, { name: "Ada" }],
  "a name of 255 characters": [{ name: LONG }, { name: LONG }],
  "no longer name": [{ name: `${LONG}!` }, {}],
  "no parts that are too long together": [{ given_name: LONG, family_name: "x" }, {}],
  "no name with a control character": [{ name: "Ada\u0000" }, {}],
  "no name with half a character": [{ name: "Ada\ud800" }, {}],
  "no name that is not a text": [{ name: { formatted: "Ada" } }, {}],
  "an address that is not verified: none": [{ ...VERIFIED, email_verified: false }, {}],
  "an address of which nothing is said: none": [ADDRESS, {}],
  'an address that is verified in words, as Apple does ("true")': [
    { ...VERIFIED, email_verified: "true" },
    ADDRESS,
  ],
  "no address that is verified in other words": [{ ...VERIFIED, email_verified: "True" }, {}],
  "no address that is not verified in words": [{ ...VERIFIED, email_verified: "false" }, {}],
  "no address that is verified by a number": [{ ...VERIFIED, email_verified: 1 }, {}],
  "no address without a domain": [{ ...VERIFIED, email: "ada@" }, {}],
  "no address that is a list": [{ ...VERIFIED, email: ["ada@lab.example"] }, {}],
  "no address that is too long": [{ ...VERIFIED, email: `ada@${LONG}` }, {}],
};

describe("a provider tells", () => {
  for (const [what, [claims, profile]] of Object.entries(CASES)) {
    test(what, async (t) => {
      const { authenticator, provider } = await setUp((step) => t.after(step));
      Object.assign(provider.claims, claims);
      const expected = profile === undefined ? { id: SUBJECT } : { id: SUBJECT, profile };
      assert.deepEqual(await login(authenticator, provider), expected);
    });
  }

  test("no scope is requested for it: that is the operator's", async (t) => {
    const scope = async (args: { readonly scopes?: string[] }) => {
      const { authenticator } = await setUp((step) => t.after(step), args);
      return (await authenticator.begin(newRequest())).searchParams.get("scope");
    };
    assert.equal(await scope({}), "openid");
    assert.equal(await scope({ scopes: ["profile", "email"] }), "openid profile email");
  });

  test("a proxied access token, too", async (t) => {
    const { verify } = await proxied.setUp(t);
    assert.deepEqual((await verify({ name: "Ada Lovelace", ...VERIFIED })).profile, {
      name: "Ada Lovelace",
      ...ADDRESS,
    });
    assert.equal((await verify({})).profile, undefined);
  });

  test("Entra's address counts only if Entra has verified its domain", async (t) => {
    const around = surroundings();
    const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
    const authenticator = new EntraAuthenticator(
      {
        audience: "api://tiled",
        client_id: CLIENT_ID,
        device_flow_client_id: "tiled-cli",
        well_known_uri: provider.wellKnown,
      },
      around.context,
      around.options,
    );
    await authenticator.start();
    t.after(() => authenticator.stop());
    const told = async (claims: object) => {
      const token = await provider.sign({ ...provider.accessClaims("api://tiled"), scp: "user", ...claims });
      return (await authenticator.verify(token)).profile;
    };
    const person = { preferred_username: "ada@lab.example", name: "Ada Lovelace", ...ADDRESS };
    assert.deepEqual(await told(person), { name: "Ada Lovelace" });
    assert.deepEqual(await told({ ...person, xms_edov: true }), { name: "Ada Lovelace", ...ADDRESS });
    assert.deepEqual(await told({ ...person, email_verified: true }), { name: "Ada Lovelace", ...ADDRESS });
    assert.equal(await told({}), undefined);
  });
});
