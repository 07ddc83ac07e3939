/** The client library against our server and the real Tiled: keys, sessions, administration, and reading an array. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import {
  Context,
  deviceCodeGrant,
  fromUri,
  MemoryStore,
  type Prompt,
  passwordGrant,
} from "../../src/client/index.ts";
import { temporaryFolder } from "../support/folders.ts";
import { CLIENT_ID, CLIENT_SECRET, HostileProvider, SUBJECT } from "../support/hostile-provider.ts";
import { startOurs } from "../support/ours.ts";
import { withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { PASSWORDS, singleUser, toy } from "../support/toy.ts";
import { Visitor } from "../support/visitor.ts";

const as =
  (username: keyof typeof PASSWORDS): Prompt =>
  (context) =>
    passwordGrant(context, { username, password: PASSWORDS[username] });

for (const [name, start] of [
  ["ours", startOurs],
  ["the real Tiled", startReference],
] as const) {
  const serve = async (t: TestContext, authentication: object = {}) => {
    const cleanup = t.after.bind(t);
    const database = { uri: `sqlite:///${await temporaryFolder(cleanup)}/auth.db`, init_if_not_exists: true };
    return (await start(cleanup, toy({ authentication, database }))).url;
  };

  describe(`the client library against ${name}`, { skip: withoutTiled() }, () => {
    test("a login, its keys and sessions, administration, and its end", { timeout: 120_000 }, async (t) => {
      const url = await serve(t);
      const alice = await fromUri(url, { prompt: as("alice") });
      const { identities, sessions } = (await alice.whoami()) ?? assert.fail();
      assert.deepEqual(
        identities.map(({ id, provider }) => [id, provider]),
        [["alice", "toy"]],
      );
      assert.deepEqual(await alice.forceAuthRefresh(), alice.tokens);

      const made = await alice.createApiKey({ expiresIn: "1h", scopes: ["read:metadata"], note: "mine" });
      const withKey = await fromUri(`${url}/?api_key=${made.secret}`);
      const which = await withKey.whichApiKey();
      assert.deepEqual([which.first_eight, which.note], [made.first_eight, "mine"]);
      await alice.revokeApiKey(made.secret);
      await assert.rejects(withKey.whichApiKey(), { code: "ERR_REFUSED", status: 401 });
      await assert.rejects(alice.revokeApiKey(made.secret), { code: "ERR_REFUSED", status: 404 });
      await assert.rejects(alice.createApiKey({ scopes: ["nonsense"] }), { code: "ERR_REFUSED" });

      const service = await alice.admin.createServicePrincipal({ role: "user" });
      const theirs = await alice.admin.createApiKey(service.uuid, { expiresIn: 600 });
      assert.equal((await (await fromUri(url, { apiKey: theirs.secret })).whoami())?.type, "service");
      await alice.admin.revokeApiKey(service.uuid, theirs.first_eight);
      const shown = await alice.admin.showPrincipal(service.uuid);
      assert.deepEqual([shown.uuid, shown.api_keys], [service.uuid, []]);
      const listed = await alice.admin.listPrincipals({ limit: 300 });
      assert.ok(listed.some(({ uuid }) => uuid === service.uuid));

      const bob = await fromUri(url, { prompt: as("bob") });
      await assert.rejects(bob.admin.listPrincipals(), { code: "ERR_REFUSED", status: 401 });
      await alice.revokeSession(sessions[0]?.uuid ?? "");
      await assert.rejects(alice.forceAuthRefresh(), { code: "ERR_CANNOT_REFRESH" });
      await bob.logout();
      assert.deepEqual([bob.authenticated, bob.tokens], [false, null]);
    });

    test("reading an array goes on through expiries", { timeout: 120_000 }, async (t) => {
      const url = await serve(t, { access_token_max_age: 1 });
      const context = await fromUri(url, { prompt: as("bob"), store: new MemoryStore() });
      const read = async () => {
        const response = await context.fetch("array/full/A?format=application/json");
        return [response.status, ((await response.json()) as unknown[]).length];
      };
      for (let wave = 0; wave < 2; wave++) {
        await new Promise((resolve) => setTimeout(resolve, 2100));
        assert.deepEqual(await Promise.all([read(), read()]), Array(2).fill([200, 100]));
      }
    });

    test("a login with a code, an array, a refresh, a logout", { timeout: 240_000 }, async (t) => {
      const provider = await HostileProvider.start(t.after.bind(t), { alg: "RS256", pkce: "optional" });
      provider.document["id_token_signing_alg_values_supported"] = ["RS256"];
      const args = {
        audience: CLIENT_ID,
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        well_known_uri: provider.wellKnown,
      };
      const orcid = { provider: "orcid", authenticator: "tiled.authenticators:OIDCAuthenticator", args };
      const url = await serve(t, { providers: [orcid], tiled_admins: [] });
      const prompt: Prompt = (context, _providers, { signal }) =>
        deviceCodeGrant(context, {
          onVerification: async ({ verificationUri, userCode }) => {
            const visitor = new Visitor();
            const form = await visitor.open(verificationUri);
            assert.equal((await visitor.submit(form, { user_code: userCode })).status, 200);
          },
          signal,
        });
      const context = await fromUri(url, { prompt });
      assert.deepEqual(
        (await context.whoami())?.identities.map(({ id }) => id),
        [SUBJECT],
      );
      assert.equal((await context.fetch("array/full/A?format=application/json")).status, 200);
      const tokens = { access_token: "", refresh_token: "", ...(await context.forceAuthRefresh()) };
      await context.logout();
      await context.configureAuth(tokens);
      await assert.rejects(context.forceAuthRefresh(), { code: "ERR_CANNOT_REFRESH" });
    });

    test("a public server, without and with logins", { timeout: 240_000 }, async (t) => {
      const open = { allow_anonymous_access: true };
      const { url } = await start(
        t.after.bind(t),
        singleUser({ authentication: { ...open, single_user_api_key: "secret" } }),
      );
      const anyone = await fromUri(url);
      assert.equal((await anyone.fetch("array/full/A?format=application/json")).status, 200);
      assert.deepEqual([anyone.authenticated, await anyone.whoami()], [false, null]);
      await assert.rejects(anyone.createApiKey(), { code: "ERR_NO_KEYS" });

      const reader = await fromUri(await serve(t, open), { prompt: as("bob") });
      assert.equal((await reader.fetch("metadata/A")).status, 200);
      assert.deepEqual([reader.authenticated, await reader.whoami()], [false, null]);
      await reader.authenticate({ prompt: as("bob") });
      assert.equal((await reader.whoami())?.identities[0]?.id, "bob");
      await reader.logout();
      assert.equal((await reader.fetch("metadata/A")).status, 200);
    });

    test("a single user's server", { timeout: 120_000 }, async (t) => {
      const { url } = await start(t.after.bind(t), singleUser());
      const { context } = await Context.fromAnyUri(`${url}/api/v1/metadata/A?api_key=secret`);
      assert.equal((await context.fetch("metadata/A")).status, 200);
      assert.equal(await context.whoami(), null);
      await assert.rejects(context.createApiKey(), { code: "ERR_NO_KEYS" });
    });
  });
}
