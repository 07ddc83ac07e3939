import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JWTPayload } from "jose";
import type { EntraArgs } from "../../../src/authenticators/oidc/args.ts";
import { EntraAuthenticator } from "../../../src/authenticators/oidc/entra-authenticator.ts";
import { checkArgs } from "../../../src/plugins/class-args.ts";
import { CLIENT_ID, CLIENT_SECRET, HostileProvider, SUBJECT } from "../../support/hostile-provider.ts";
import { fails, login, newRequest, surroundings } from "./support.ts";

const AUDIENCE = "api://tiled";
const ARGS = { audience: AUDIENCE, client_id: CLIENT_ID, device_flow_client_id: "tiled-cli" };
const TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47";

async function setUp(t: { after(step: () => Promise<unknown>): void }, args: Partial<EntraArgs> = {}) {
  const around = surroundings();
  const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
  const authenticator = new EntraAuthenticator(
    { ...ARGS, client_secret: CLIENT_SECRET, well_known_uri: provider.wellKnown, ...args },
    around.context,
    around.options,
  );
  await authenticator.start();
  t.after(() => authenticator.stop());
  const verify = async (change: Record<string, unknown> = {}) => {
    const claims = { ...provider.accessClaims(AUDIENCE), scope: undefined, scp: "user", ...change };
    return authenticator.verify(await provider.sign(claims as JWTPayload));
  };
  return { ...around, provider, authenticator, verify };
}

describe("EntraAuthenticator", () => {
  for (const [name, claims] of [
    ["ada", { preferred_username: "ada@lab.example" }],
    ["ada", { preferred_username: "LAB\\ada" }],
    ["ada", { preferred_username: " ada " }],
    ["ada", { upn: "ada@lab.example" }],
    ["ada", { nameID: "ada", preferred_username: "other@lab.example" }],
    ["lovelace", { preferred_username: "lovelace@lab.example", upn: "ada@lab.example" }],
    ["ada", { email: "ada@lab.example", xms_edov: true }],
    ["ada", { email: "ada@lab.example", email_verified: true }],
    [SUBJECT, { email: "ada@lab.example" }],
    [SUBJECT, { email: "ada@lab.example", email_verified: "true" }],
    [SUBJECT, {}],
    [SUBJECT, { preferred_username: "" }],
    [SUBJECT, { preferred_username: 7 }],
    ["ada", { preferred_username: "ada@lab.example", idp: `https://sts.example/${TENANT}/`, tid: TENANT }],
  ] as const) {
    test(`${JSON.stringify(claims)} is ${name}`, async (t) => {
      const { verify, provider, authenticator } = await setUp(t);
      assert.equal((await verify(claims)).id, name);
      Object.assign(provider.claims, claims);
      assert.equal((await login(authenticator, provider)).id, name, "in a browser, too");
    });
  }

  for (const claims of [
    { preferred_username: "ada@elsewhere.example", acct: 1 },
    { preferred_username: "ada@elsewhere.example", idp: "https://sts.example/another/", tid: TENANT },
    { preferred_username: "ada@elsewhere.example", idp: "live.com" },
    { upn: "ada_elsewhere.example#EXT#@lab.onmicrosoft.example" },
  ]) {
    test(`a guest is not the tenant's own: ${JSON.stringify(claims)}`, async (t) => {
      const { verify } = await setUp(t);
      assert.equal((await verify(claims)).id, claims.preferred_username ?? claims.upn);
    });
  }

  test("an address without a local part is not a user name", async (t) => {
    const { verify } = await setUp(t);
    await fails(verify({ preferred_username: "@lab.example" }), "invalid_token", /has no name/);
    await fails(verify({ preferred_username: "LAB\\" }), "invalid_token", /has no name/);
  });

  test("allowed_domains, which is warned for where it is missing", async (t) => {
    const { verify, warnings } = await setUp(t, { allowed_domains: ["Lab.example", "LAB"] });
    assert.deepEqual(warnings, []);
    assert.equal((await verify({ preferred_username: "ada@lab.example" })).id, "ada");
    assert.equal((await verify({ preferred_username: "lab\\ada" })).id, "ada");
    for (const name of ["ada@elsewhere.example", "ada@lab.example@elsewhere.example", "ada", undefined]) {
      await fails(verify({ preferred_username: name }), "invalid_token", /args\.allowed_domains/);
    }
    const open = await setUp(t);
    assert.match(open.warnings.join(), /alice@one\.example.*args\.allowed_domains/);
  });

  test("clients ask for the extra scopes; a browser does not", async (t) => {
    const { authenticator } = await setUp(t, { extra_scopes: ["api://tiled/access_as_user"] });
    assert.deepEqual(authenticator.links()?.extraScopes, ["api://tiled/access_as_user"]);
    const { searchParams } = await authenticator.begin(newRequest());
    assert.equal(searchParams.get("scope"), "openid profile");
  });

  test("scopes are mapped from scp", async (t) => {
    const { verify } = await setUp(t, { scopes_map: { access_as_user: ["read:data"] } });
    assert.deepEqual((await verify({ scp: "access_as_user other" })).scopes, ["read:data"]);
    assert.deepEqual((await verify({ scp: undefined, roles: ["x"] })).scopes, []);
  });

  test("no token of the provider is stored", async (t) => {
    const { provider, authenticator, verify } = await setUp(t);
    assert.deepEqual(Object.keys(await login(authenticator, provider)), ["id"]);
    assert.deepEqual(Object.keys(await verify()).sort(), ["expires", "id", "scopes"]);
  });

  test("the reference's arguments", () => {
    const checked = checkArgs(EntraAuthenticator.args, {
      ...ARGS,
      well_known_uri: "https://login.example/tenant/v2.0/.well-known/openid-configuration",
      extra_scopes: ["api://tiled/access_as_user"],
      scopes_map: { access_as_user: ["read:data"] },
      confirmation_message: "",
      client_secret: "",
      redirect_on_success: null,
    });
    assert.equal(checked.kind, "valid");
  });
});
