/** The scope `cave`: a key may have it, it opens nothing of Tiled's, and neither roles nor `inherit` contain it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { apikey, bearer, type TestApp, testApp } from "../../support/app.ts";

const APIKEY = "/api/v1/auth/apikey";

const create = (t: TestApp, url: string, headers: Record<string, string>, scopes: readonly string[]) =>
  t.call({ method: "POST", url, headers, payload: { expires_in: null, scopes } });

test("anyone who may create a key may give it the scope cave, also beside others", async () => {
  await using t = await testApp({ cave: {} });
  const bob = await t.login("bob");
  const alice = await t.login("alice");
  for (const scopes of [["cave"], ["read:metadata", "cave"], ["inherit", "cave"]]) {
    const made = await create(t, APIKEY, bearer(bob.access_token), scopes);
    assert.equal(made.statusCode, 200, made.body);
    const key = made.json<{ secret: string; scopes: string[] }>();
    assert.deepEqual(key.scopes, scopes);
    assert.match(key.secret, /^[0-9a-f]{72}$/);
  }
  const service = await t.call({
    method: "POST",
    url: "/api/v1/auth/principal?role=user",
    headers: bearer(alice.access_token),
  });
  const { uuid } = service.json<{ uuid: string }>();
  const url = `/api/v1/auth/principal/${uuid}/apikey`;
  assert.equal((await create(t, url, bearer(alice.access_token), ["cave"])).statusCode, 200);
  const maker = await t.makeKey(bob.access_token, { scopes: ["create:apikeys"] });
  assert.equal((await create(t, APIKEY, apikey(maker), ["cave"])).statusCode, 200);
});

test("a key whose only scope is cave opens nothing of Tiled's, and makes and revokes no keys", async () => {
  await using t = await testApp({ cave: {} });
  const bob = await t.login("bob");
  const key = await t.makeKey(bob.access_token, { scopes: ["cave"] });
  assert.equal((await create(t, APIKEY, apikey(key), ["cave"])).statusCode, 401);
  const url = `${APIKEY}?first_eight=${key.slice(0, 8)}`;
  assert.equal((await t.call({ method: "DELETE", url, headers: apikey(key) })).statusCode, 401);
  const read = await t.call({ url: "/api/v1/metadata/", headers: apikey(key) });
  assert.equal(read.statusCode, 401);
  assert.match(read.body, /Request had scopes \[\]/);
});

test("inherit does not contain it, and no caller of Tiled's has it", async () => {
  await using t = await testApp({ cave: {} });
  const bob = await t.login("bob");
  const both = await t.makeKey(bob.access_token, { scopes: ["inherit", "cave"] });
  const roles = (await t.whoami(`Apikey ${both}`)).json<{ roles: { scopes: string[] }[] }>().roles;
  assert.ok(roles.every(({ scopes }) => !scopes.includes("cave")));
  const denied = await t.call({ url: "/api/v1/auth/principal", headers: apikey(both) });
  assert.equal(denied.statusCode, 401);
  assert.doesNotMatch(denied.body, /cave/);
});

test("without the section cave the scope is refused like any unknown one", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const refused = await create(t, APIKEY, bearer(bob.access_token), ["cave"]);
  assert.equal(refused.statusCode, 403);
  assert.match(refused.body, /Unknown: \['cave'\]/);
});

test("a proxy's question is no route of CAVE's, so a key whose only scope is cave passes no proxy", async () => {
  await using t = await testApp({ cave: {} });
  const bob = await t.login("bob");
  const url = "/api/v1/auth/verify";
  const alone = await t.makeKey(bob.access_token, { scopes: ["cave"] });
  const refused = await t.call({ url, headers: apikey(alone) });
  assert.equal(refused.statusCode, 403, refused.body);
  assert.equal(refused.headers["x-tiled-identity"], undefined);
  for (const scopes of [["cave", "read:data"], ["cave", "inherit"], []]) {
    const key = await t.makeKey(bob.access_token, { scopes });
    assert.equal((await t.call({ url, headers: apikey(key) })).statusCode, 204, String(scopes));
  }
});
