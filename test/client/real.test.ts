/** The client library against our server and the real Tiled: keys, sessions, administration, and reading an array. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Context, fromUri, MemoryStore, type Prompt, passwordGrant } from "../../src/client/index.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs } from "../support/ours.ts";
import { withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { PASSWORDS, singleUser, toy } from "../support/toy.ts";

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

    test("a single user's server", { timeout: 120_000 }, async (t) => {
      const { url } = await start(t.after.bind(t), singleUser());
      const { context } = await Context.fromAnyUri(`${url}/api/v1/metadata/A?api_key=secret`);
      assert.equal((await context.fetch("metadata/A")).status, 200);
      assert.equal(await context.whoami(), null);
      await assert.rejects(context.createApiKey(), { code: "ERR_NO_KEYS" });
    });
  });
}
