import assert from "node:assert/strict";
import { test } from "node:test";
import { apikey, bearer, type TestApp, testApp } from "../../support/app.ts";

const PRINCIPAL = "/api/v1/auth/principal";

interface View {
  readonly uuid: string;
  readonly type: string;
  readonly roles: readonly { readonly name: string }[];
}

const get = (t: TestApp, token: string, path = "") =>
  t.call({ url: PRINCIPAL + path, headers: bearer(token) });
const post = (t: TestApp, token: string, path: string, payload?: object) =>
  t.call({
    method: "POST",
    url: PRINCIPAL + path,
    headers: bearer(token),
    ...(payload === undefined ? {} : { payload }),
  });

async function service(t: TestApp, token: string): Promise<string> {
  const response = await post(t, token, "?role=user");
  assert.equal(response.statusCode, 200, response.body);
  return response.json<View>().uuid;
}

test("an admin lists principals page by page, under both spellings of the parameters", async () => {
  await using t = await testApp();
  const alice = await t.login("alice");
  await t.login("bob");
  await t.login("cara");
  const names = async (query: string) =>
    (await get(t, alice.access_token, query))
      .json<{ identities: { id: string }[] }[]>()
      .map(({ identities }) => identities[0]?.id);
  assert.deepEqual(await names(""), ["alice", "bob", "cara"]);
  assert.deepEqual(await names("?page[offset]=1&page[limit]=1"), ["bob"]);
  assert.deepEqual(await names("?offset=2&limit=10"), ["cara"]);
  assert.deepEqual(await names("?offset=99"), []);
  for (const query of [
    "?page[limit]=301",
    "?page[offset]=-1",
    "?page[offset]=x",
    "?page[offset]=99999999999999999999",
    "?limit=1.5",
  ]) {
    assert.equal((await get(t, alice.access_token, query)).statusCode, 422, query);
  }
});

test("an admin shows one principal; unknown ones are 404, malformed UUIDs 422", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  const shown = await get(t, alice.access_token, `/${bob.principal}`);
  assert.equal(shown.statusCode, 200);
  assert.equal(shown.headers["cache-control"], "no-store");
  assert.equal((await get(t, alice.access_token, "/00000000-0000-0000-0000-000000000000")).statusCode, 404);
  for (const odd of ["xyz", "%00", "'%20OR%201=1", "..%2f"]) {
    assert.equal((await get(t, alice.access_token, `/${odd}`)).statusCode, 422, odd);
  }
  assert.equal((await get(t, bob.access_token, `/${bob.principal}`)).statusCode, 401);
});

test("a service is made with a role that exists and that its maker may grant", async () => {
  await using t = await testApp();
  const alice = await t.login("alice");
  const made = (await post(t, alice.access_token, "?role=user")).json<View>();
  assert.deepEqual([made.type, made.roles.map(({ name }) => name)], ["service", ["user"]]);
  assert.equal((await post(t, alice.access_token, "?role=nope")).statusCode, 422);
  assert.equal((await post(t, alice.access_token, "")).statusCode, 422);
  const key = await t.makeKey(alice.access_token, { scopes: ["write:principals"] });
  const byKey = await t.call({ method: "POST", url: `${PRINCIPAL}?role=admin`, headers: apikey(key) });
  assert.equal(byKey.statusCode, 403);
  assert.match(byKey.body, /admin:apikeys/);
});

test("keys for others: within their scopes and within the admin's own", async () => {
  await using t = await testApp();
  const alice = await t.login("alice");
  const uuid = await service(t, alice.access_token);
  const make = (key: object) =>
    post(t, alice.access_token, `/${uuid}/apikey`, { expires_in: null, scopes: null, ...key });
  const made = (await make({ scopes: ["read:data"], note: "robot" })).json<{
    secret: string;
    first_eight: string;
  }>();
  const who = (await t.whoami(`Apikey ${made.secret}`)).json<View>();
  assert.deepEqual([who.uuid, who.type], [uuid, "service"]);
  assert.equal((await make({ scopes: ["metrics"] })).statusCode, 403);
  assert.equal((await make({ scopes: null })).statusCode, 200);
  assert.equal(
    (
      await post(t, alice.access_token, "/00000000-0000-0000-0000-000000000000/apikey", {
        expires_in: null,
        scopes: null,
      })
    ).statusCode,
    404,
  );
  const only = await t.makeKey(alice.access_token, { scopes: ["admin:apikeys"] });
  const narrow = await t.call({
    method: "POST",
    url: `${PRINCIPAL}/${uuid}/apikey`,
    headers: apikey(only),
    payload: { expires_in: null, scopes: null },
  });
  assert.equal(narrow.statusCode, 403);

  const remove = (firstEight: string) =>
    t.call({
      method: "DELETE",
      url: `${PRINCIPAL}/${uuid}/apikey?first_eight=${firstEight}`,
      headers: bearer(alice.access_token),
    });
  assert.equal((await remove("ffffffff")).statusCode, 404);
  assert.equal((await remove(made.first_eight)).statusCode, 204);
  assert.equal((await t.whoami(`Apikey ${made.secret}`)).statusCode, 401);
});

test("a disabled principal is out at once, with all sessions, tokens and keys, and comes back when enabled", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  const key = await t.makeKey(bob.access_token);
  assert.equal((await t.whoami(`Apikey ${key}`)).statusCode, 200);
  assert.equal((await post(t, alice.access_token, `/${bob.principal}/disable`)).statusCode, 204);
  for (const credential of [`Bearer ${bob.access_token}`, `Apikey ${key}`]) {
    const response = await t.whoami(credential);
    assert.deepEqual(
      [response.statusCode, response.json()],
      [401, { detail: "Principal no longer exists." }],
    );
  }
  assert.equal((await t.refresh(bob.refresh_token)).statusCode, 401);
  assert.equal((await t.loginAttempt("bob", "secret2")).statusCode, 401);
  assert.equal((await post(t, alice.access_token, `/${bob.principal}/enable`)).statusCode, 204);
  assert.equal((await t.whoami(`Apikey ${key}`)).statusCode, 200);
  await t.login("bob");
});

test("no one can disable themselves, the last admin, or a principal with more scopes", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  assert.equal((await post(t, alice.access_token, `/${alice.principal}/disable`)).statusCode, 409);
  const uuid = await service(t, alice.access_token);
  const keyOf = await t.makeKey(alice.access_token, { scopes: ["write:principals"] });
  const byKey = (target: string) =>
    t.call({ method: "POST", url: `${PRINCIPAL}/${target}/disable`, headers: apikey(keyOf) });
  assert.equal((await byKey(uuid)).statusCode, 403);
  assert.equal((await post(t, bob.access_token, `/${uuid}/disable`)).statusCode, 401);
  assert.equal(
    (await post(t, alice.access_token, "/00000000-0000-0000-0000-000000000000/disable")).statusCode,
    404,
  );
});

test("actions of admins are audited with their name", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  await service(t, alice.access_token);
  await post(t, alice.access_token, `/${bob.principal}/disable`);
  const rows = (await t.store?.audit.read({ limit: 100 })) ?? [];
  const by = rows
    .filter(({ actor }) => actor?.replaceAll("-", "") === alice.principal)
    .map(({ event }) => event);
  assert.ok(by.includes("principal_disabled") && by.includes("principal_created"), String(by));
});

test("a service has a note in lists, and in no answer about one without", async () => {
  await using t = await testApp();
  const { access_token: token } = await t.login("alice");
  const made = await post(t, token, "?role=user&note=Beamline%207%20%C3%BC");
  assert.equal(made.json<{ note: string }>().note, "Beamline 7 ü");
  await service(t, token);
  const list = (await t.call({ url: PRINCIPAL, headers: bearer(token) })).json<{ note?: string }[]>();
  assert.deepEqual(
    list.map(({ note }) => note),
    [undefined, "Beamline 7 ü", undefined],
  );
  for (const note of ["", "%00", "x".repeat(256)])
    assert.equal((await post(t, token, `?role=user&note=${note}`)).statusCode, 422, note);
});

test("a service with the role metrics reads metrics and nothing else, and needs no admin's key", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  assert.equal((await post(t, bob.access_token, "?role=metrics")).statusCode, 401);
  for (let times = 0; times < 2; times++) {
    const { uuid, roles } = (await post(t, alice.access_token, "?role=metrics&note=Prometheus")).json<{
      uuid: string;
      roles: object[];
    }>();
    assert.deepEqual(roles, [{ name: "metrics", scopes: ["metrics"] }]);
    const key = await t.call({
      method: "POST",
      url: `${PRINCIPAL}/${uuid}/apikey`,
      headers: bearer(alice.access_token),
      payload: { expires_in: null, scopes: ["inherit"] },
    });
    const headers = apikey(key.json<{ secret: string }>().secret);
    assert.equal((await t.call({ url: "/api/v1/metrics", headers })).statusCode, 200);
    for (const url of ["/api/v1/metadata/", PRINCIPAL]) {
      assert.equal((await t.call({ url, headers })).statusCode, 401, url);
    }
  }
});
