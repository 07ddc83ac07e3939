/** What CAVE's API routes answer: each row of the contract's table, in the shapes that its clients read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaveSettings } from "../../../../src/domain/model/cave.ts";
import { bearer, type UserName } from "../../../support/app.ts";
import { ADDRESS, alice, type CaveApp, caveApp, RULES } from "../../../support/cave-app.ts";

const API = "/auth/api/v1";
/** HTTP date. */
const TIME = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;

async function acceptTerms(t: CaveApp, user: UserName): Promise<void> {
  const { access_token } = await t.login(user);
  const { uuid } = (await t.whoami(`Bearer ${access_token}`)).json<{ uuid: string }>();
  const [person] = (await t.store?.cave.peopleByIdentity([{ provider: "toy", id: user }])) ?? [];
  assert.ok(person, uuid);
  await t.store?.cave.acceptTerms({
    principal: person.uuid,
    tos: 2,
    now: new Date(t.clock.now()),
    context: { address: null, requestId: null, actor: null },
  });
  t.clock.advance(1);
}

test("a token's user object: groups, levels, and what waits for terms of service", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("bob");
  for (const path of ["/user/cache", "/my_permissions"]) {
    const response = await t.get(path, token);
    assert.equal(response.headers["content-type"], "application/json");
    assert.equal(response.headers["cache-control"], "no-store");
    assert.deepEqual(response.json(), {
      id: 2,
      parent_id: null,
      service_account: false,
      name: "bob",
      email: "",
      admin: false,
      pi: "",
      affiliations: [],
      groups: ["all", "proofreaders"],
      permissions: JSON.parse('{"minnie": 2, "__proto__": 0}'),
      permissions_v2: JSON.parse('{"minnie": ["view", "edit"], "__proto__": ["admire"]}'),
      permissions_v2_ignore_tos: JSON.parse(
        '{"minnie": ["view", "edit"], "closed": ["view"], "__proto__": ["admire"]}',
      ),
      missing_tos: [{ dataset_id: 2, dataset_name: "closed", tos_id: 2, tos_name: "microns" }],
      datasets_admin: ["minnie"],
      groups_admin: ["proofreaders"],
    });
  }
  await acceptTerms(t, "bob");
  const accepted = (await t.get("/user/cache", token)).json<Record<string, object>>();
  assert.deepEqual(Object.entries(accepted["permissions"] ?? {}), [
    ["minnie", 2],
    ["closed", 1],
    ["__proto__", 0],
  ]);
  assert.deepEqual(accepted["missing_tos"], []);
});

test("a superadmin has no permission for that, and a service is in no group of everyone", async () => {
  await using t = await caveApp({ cave: { ...RULES, groups: [] } });
  const root = (await t.get("/user/cache", await t.apiToken("alice"))).json<Record<string, unknown>>();
  assert.deepEqual([root["admin"], root["groups"], root["permissions"]], [true, [], {}]);
  await using usual = await caveApp();
  const { token, uuid } = await usual.serviceToken();
  const service = (await usual.get("/user/cache", token)).json<Record<string, unknown>>();
  assert.deepEqual([service["service_account"], service["admin"], service["groups"]], [true, false, []]);
  assert.equal(service["parent_id"], null);
  assert.equal(service["email"], "");
  assert.ok(uuid);
});

test("permissions are those of the rules in force, also for a token in use", async () => {
  const settings: Partial<CaveSettings> = { ...RULES };
  await using t = await caveApp({ cave: settings });
  const token = await t.apiToken("cara");
  const groups = async () => (await t.get("/user/cache", token)).json<{ groups: string[] }>().groups;
  assert.deepEqual(await groups(), ["all"]);
  t.rules.replace({ ...t.rules.current.settings, groups: [] });
  assert.deepEqual(await groups(), []);
});

test("the dataset of a service's table; other names are unknown tables", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("cara");
  const found = await t.get("/service/pychunkedgraph/table/minnie3_v1/dataset", token);
  assert.deepEqual([found.statusCode, found.body], [200, '"minnie"']);
  const spaced = await t.get("/service/datastack/table/odd%20table/dataset", token);
  assert.deepEqual([spaced.statusCode, spaced.body], [200, '"__proto__"']);
  const names = [
    "__proto__",
    "constructor",
    "..",
    "%2e%2e",
    "%00",
    "minnie",
    "a%2Fb",
    "%F0%9F%90%99",
    "x".repeat(500),
  ];
  for (const name of names) {
    for (const path of [
      `/service/datastack/table/${name}/dataset`,
      `/service/${name}/table/minnie65/dataset`,
    ]) {
      const response = await t.get(path, token);
      assert.equal(response.statusCode, 404, path);
      assert.equal(response.json<{ error: string }>().error, "not_found");
    }
  }
});

test("another person's permissions, for an admin or a service", async () => {
  await using t = await caveApp();
  const { token } = await t.serviceToken();
  const bob = await t.apiToken("bob");
  const own = (await t.get("/user/cache", bob)).json<{ id: number }>();
  assert.deepEqual((await t.get(`/user/${own.id}/permissions`, token)).json(), own);
  const service = (await t.get("/user/me", token)).json<{ id: number }>();
  for (const id of [
    "0",
    "99",
    "-1",
    "1.5",
    "x",
    "__proto__",
    "%00",
    "9".repeat(30),
    "1".repeat(600),
    service.id,
  ]) {
    const response = await t.get(`/user/${id}/permissions`, token);
    assert.deepEqual(
      [response.statusCode, response.json<{ error: string }>().error],
      [404, "not_found"],
      String(id),
    );
  }
});

test("names by number: the known ones, people and services", async () => {
  await using t = await caveApp();
  const bob = await t.apiToken("bob");
  const { token } = await t.serviceToken();
  const { id, name } = (await t.get("/user/me", token)).json<{ id: number; name: string }>();
  const found = await t.get(`/username?id=2,1,2,999,${id},99999999999999999999`, bob);
  assert.deepEqual(found.json(), [
    { id: 1, name: "alice" },
    { id: 2, name: "bob" },
    { id, name },
  ]);
  for (const query of ["", "?id=", "?id=,", "?id=77"])
    assert.deepEqual((await t.get(`/username${query}`, bob)).json(), []);
  const many = Array.from({ length: 1001 }, (_, index) => index + 1);
  assert.equal((await t.get(`/username?id=${many.slice(1)}`, bob)).statusCode, 200);
  for (const query of [`id=${many}`, "id=1,x", "id=-1", "id=1&id=2", "id=1%00"]) {
    const refused = await t.get(`/username?${query}`, bob);
    assert.deepEqual(
      [refused.statusCode, refused.json<{ error: string }>().error],
      [400, "bad_request"],
      query.slice(0, 20),
    );
  }
});

test("people by number, for an admin; anything but a number is skipped", async () => {
  await using t = await caveApp();
  const bob = await t.apiToken("bob");
  const found = (await t.get("/user?id=1,x,2,,__proto__,1.5", bob)).json<Record<string, unknown>[]>();
  assert.deepEqual(
    found.map(({ id, name, email }) => [id, name, email]),
    [
      [1, "alice", undefined],
      [2, "bob", ""],
    ],
  );
  assert.deepEqual((await t.get("/user?id=", bob)).json(), []);
  for (const query of ["", "?email=a@b.test", "?name=alice", "?from=0", `?id=${"1,".repeat(1001)}`]) {
    assert.equal((await t.get(`/user${query}`, bob)).statusCode, 400, query.slice(0, 20));
  }
});

test("a person: all fields for oneself, superadmins and services, else without address and rights", async () => {
  await using t = await caveApp();
  const bob = await t.apiToken("bob");
  const cara = await t.apiToken("cara");
  const { token: service } = await t.serviceToken();
  const me = (await t.get("/user/me", bob)).json<Record<string, unknown>>();
  assert.match(String(me["created"]), TIME);
  const shown = {
    id: 2,
    service_account: false,
    name: "bob",
    created: me["created"],
    pi: "",
    affiliations: [],
  };
  const more = { email: "", admin: false, admin_datasets: [{ id: 1, name: "minnie" }], gdpr_consent: false };
  assert.deepEqual(me, { ...shown, ...more });
  for (const token of [bob, service, await t.apiToken("alice")])
    assert.deepEqual((await t.get("/user/2", token)).json(), { ...shown, ...more });
  assert.deepEqual((await t.get("/user/2", cara)).json(), shown);
  for (const id of ["0", "99", "x", "%00", "..%2f1"])
    assert.equal((await t.get(`/user/${id}`, cara)).statusCode, 404, id);
});

test("a group's people who have logged in, with its admins marked", async () => {
  await using t = await caveApp();
  const bob = await t.apiToken("bob");
  const itsAdmin = { id: 2, name: "bob", admin: true };
  assert.deepEqual((await t.get("/group/2/user", bob)).json(), [itsAdmin]);
  await t.login("alice");
  assert.deepEqual((await t.get("/group/2/user", bob)).json(), [
    { id: 1, name: "alice", admin: false },
    itsAdmin,
  ]);
  await t.apiToken("cara");
  const { uuid } = await t.serviceToken();
  const { settings } = t.rules.current;
  const [all, proofreaders] = settings.groups;
  assert.ok(all && proofreaders);
  const { admins } = proofreaders;
  t.rules.replace({ ...settings, groups: [{ ...all, admins, members: [{ service: uuid }] }, proofreaders] });
  const everyone = (await t.get("/group/1/user", bob)).json<{ name: string; admin: boolean }[]>();
  assert.deepEqual(
    everyone.map(({ name, admin }) => [name, admin]),
    [
      ["alice", false],
      ["bob", true],
      ["cara", false],
    ],
  );
  for (const id of ["3", "0", "99999999999"])
    assert.deepEqual((await t.get(`/group/${id}/user`, bob)).json(), [], id);
  for (const id of ["x", "-1", "%00", "__proto__", "1.5"])
    assert.equal((await t.get(`/group/${id}/user`, bob)).statusCode, 404, id);
});

test("one's tokens are listed, newest first and masked, made, and revoked", async () => {
  await using t = await caveApp();
  const first = await t.apiToken("bob");
  t.clock.advance(5);
  const post = (url: string, payload?: object) =>
    t.call({ method: "POST", url: API + url, headers: bearer(first), ...(payload && { payload }) });
  const made = await post("/user/token", { description: "for the laptop" });
  assert.match(made.body, /^"[0-9a-f]{32}"$/);
  assert.deepEqual(
    [made.headers["content-type"], made.headers["cache-control"]],
    ["application/json", "no-store"],
  );
  t.clock.advance(5);
  const second = made.json<string>();
  assert.equal((await t.get("/user/cache", second)).statusCode, 200);
  const third = (await t.get("/create_token", second)).json<string>();
  t.clock.advance(5);
  const fourth = (await post("/create_token")).json<string>();
  const list = (await t.get("/user/token", first)).json<Record<string, unknown>[]>();
  assert.deepEqual(
    list.map(({ token, description }) => [token, description]),
    [
      [fourth, null],
      [third, null],
      [second, "for the laptop"],
      [first, null],
    ].map(([token, description]) => [`${String(token).slice(0, 8)}${"*".repeat(24)}`, description]),
  );
  for (const { id, user_id, token, created, updated, last_used, ...rest } of list) {
    assert.equal(id, Number.parseInt(String(token).slice(0, 8), 16));
    assert.equal(user_id, 2);
    assert.match(String(created), TIME);
    assert.match(String(updated), TIME);
    assert.ok(last_used === null || TIME.test(String(last_used)));
    assert.deepEqual(Object.keys(rest), ["description"]);
    assert.equal((await t.get("/user/cache", String(token))).statusCode, 401);
  }
  const url = `${API}/user/token/${list[2]?.["id"]}`;
  const revoke = () => t.call({ method: "DELETE", url, headers: bearer(first) });
  const revoked = await revoke();
  assert.deepEqual([revoked.statusCode, revoked.body], [200, '"success"']);
  assert.equal((await t.get("/user/cache", second)).statusCode, 401);
  assert.equal((await revoke()).statusCode, 404);
});

test("another person's token, and a key without the scope cave, cannot be revoked", async () => {
  await using t = await caveApp();
  const [bob, cara] = [await t.apiToken("bob"), await t.apiToken("cara")];
  const tiled = await t.makeKey((await t.login("bob")).access_token);
  const ids = [cara, tiled].map((secret) => String(Number.parseInt(secret.slice(0, 8), 16)));
  for (const id of [...ids, "0", "-1", "x", "1e9", "4294967296", "9".repeat(40), "__proto__", "%00"]) {
    const response = await t.call({ method: "DELETE", url: `${API}/user/token/${id}`, headers: bearer(bob) });
    assert.deepEqual([response.statusCode, response.json<{ error: string }>().error], [404, "not_found"], id);
  }
  assert.equal((await t.get("/user/cache", cara)).statusCode, 200);
  assert.equal((await t.whoami(`Apikey ${tiled}`)).statusCode, 200);
});

test("the only token is replaced, and ends at once; of several none is", async () => {
  await using t = await caveApp();
  const first = await t.apiToken("bob");
  const second = (await t.get("/refresh_token", first)).json<string>();
  assert.match(second, /^[0-9a-f]{32}$/);
  assert.equal((await t.get("/user/cache", first)).statusCode, 401);
  const post = () =>
    t.call({
      method: "POST",
      url: `${API}/refresh_token`,
      headers: bearer(second),
      payload: { description: "new" },
    });
  const third = (await post()).json<string>();
  const [only] = (await t.get("/user/token", third)).json<{ description: string }[]>();
  assert.equal(only?.description, "new");
  await t.get("/create_token", third);
  const refused = await t.get("/refresh_token", third);
  assert.deepEqual([refused.statusCode, refused.json<{ error: string }>().error], [400, "several_tokens"]);
  assert.equal((await t.get("/user/token", third)).json<unknown[]>().length, 2);
});

test("a description that is no short text is refused in CAVE's form, and nothing is made", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("bob");
  const send = (payload: unknown, type = "application/json") =>
    t.call({
      method: "POST",
      url: `${API}/user/token`,
      headers: { ...bearer(token), "content-type": type },
      payload: typeof payload === "string" ? payload : JSON.stringify(payload),
    });
  const bad: readonly (readonly [unknown, number, string, string?])[] = [
    [{ description: 5 }, 422, "invalid"],
    [{ description: "x".repeat(121) }, 422, "invalid"],
    [{ description: "a\0b" }, 422, "invalid"],
    [["description"], 422, "invalid"],
    ["{", 400, "bad_request"],
    ['{"__proto__": {"description": "x"}}', 400, "bad_request"],
    ["description=x", 415, "media_type", "application/x-www-form-urlencoded"],
    ["x".repeat(100_000), 413, "too_large"],
  ];
  for (const [payload, status, code, type] of bad) {
    const response = await send(payload, type);
    const name = JSON.stringify(payload).slice(0, 40);
    assert.equal(response.statusCode, status, name);
    const body = response.json<{ error: string; message: string; data: { problems?: unknown[] } }>();
    assert.deepEqual(Object.keys(body), ["error", "message", "data"], name);
    assert.equal(body.error, code, name);
    assert.equal(response.headers["content-type"], "application/json");
    if (status === 422) assert.ok((body.data.problems?.length ?? 0) > 0, name);
  }
  assert.equal((await send({ description: null })).statusCode, 200);
  assert.equal((await send({ description: "🐙".repeat(120) })).statusCode, 200);
  assert.equal((await t.get("/user/token", token)).json<unknown[]>().length, 3);
});

test("a HEAD makes nothing and ends nothing", async () => {
  await using t = await caveApp();
  const [token, login] = [await t.apiToken("bob"), await t.loginToken("bob")];
  for (const path of ["/create_token", "/refresh_token", "/logout"]) {
    const secret = path === "/logout" ? login : token;
    const response = await t.call({ method: "HEAD", url: API + path, headers: bearer(secret) });
    assert.equal(response.statusCode, 405, path);
  }
  assert.equal((await t.get("/user/token", token)).json<unknown[]>().length, 1);
  assert.equal((await t.get("/user/cache", login)).statusCode, 200);
  const head = await t.call({ method: "HEAD", url: `${API}/user/cache`, headers: bearer(token) });
  assert.deepEqual([head.statusCode, head.body], [200, ""]);
});

test("logout ends a login token at once, and refuses an API token", async () => {
  await using t = await caveApp();
  for (const method of ["GET", "POST"] as const) {
    const login = await t.loginToken("bob");
    assert.equal((await t.get("/user/cache", login)).statusCode, 200);
    const ended = await t.call({ method, url: `${API}/logout`, headers: bearer(login) });
    assert.deepEqual([ended.statusCode, ended.body], [200, '"success"']);
    assert.equal((await t.get("/user/cache", login)).statusCode, 401);
    assert.equal((await t.call({ method, url: `${API}/logout`, headers: bearer(login) })).statusCode, 401);
  }
  const other = await t.loginToken("cara");
  const inQuery = await t.call(`${API}/logout?middle_auth_token=${other}`);
  assert.equal(inQuery.body, '"success"');
  const api = await t.apiToken("bob");
  const refused = await t.call({ method: "POST", url: `${API}/logout`, headers: bearer(api) });
  assert.deepEqual([refused.statusCode, refused.json<{ error: string }>().error], [422, "api_token"]);
  assert.equal((await t.get("/user/cache", api)).statusCode, 200);
});

test("logout without a token is a page for a person, and 401 for programs", async () => {
  await using t = await caveApp();
  const page = await t.call({ url: "/sticky_auth/api/v1/logout", headers: { accept: "text/html" } });
  assert.equal(page.statusCode, 200);
  assert.match(String(page.headers["content-type"]), /^text\/html/);
  for (const request of [
    { method: "GET", headers: { "x-requested-with": "fetch" } },
    { method: "POST", headers: {} },
    { method: "POST", headers: { "content-type": "application/json" }, payload: "{}" },
  ] as const) {
    const response = await t.call({ url: `${API}/logout`, ...request });
    assert.deepEqual([response.statusCode, response.json<{ error: string }>().error], [401, "no_token"]);
  }
});

test("no cell is public", async () => {
  await using t = await caveApp();
  const token = await t.apiToken("cara");
  for (const path of ["/table/minnie3_v1/has_public", "/table/__proto__/root/864691135570676732/is_public"]) {
    const response = await t.get(path, token);
    assert.deepEqual([response.statusCode, response.body], [200, "false"]);
  }
  const url = `${API}/table/minnie3_v1/root_all_public`;
  for (const payload of ["[864691135570676732, 1]", "[]"]) {
    const headers = { ...bearer(token), "content-type": "application/json" };
    const response = await t.call({ method: "POST", url, headers, payload });
    assert.deepEqual([response.statusCode, response.body], [200, "false"]);
  }
});

test("viewers of any origin learn where people log in", async () => {
  await using t = await caveApp();
  for (const origin of ["https://anywhere.test", "null"]) {
    const response = await t.call({ url: "/auth_info", headers: { origin, authorization: "Basic x" } });
    assert.deepEqual(response.json(), { login_url: `${ADDRESS}/sticky_auth` });
    assert.equal(response.headers["content-type"], "application/json");
    assert.equal(response.headers["access-control-allow-origin"], "*");
    assert.equal(response.headers["access-control-allow-credentials"], undefined);
    assert.equal(response.headers["set-cookie"], undefined);
  }
  assert.equal((await t.call({ method: "POST", url: "/auth_info" })).statusCode, 405);
});

test("links come from server_address, also one with a path, never from the request", async () => {
  const serverAddress = "https://cave.example.org/lab";
  await using t = await caveApp({ cave: { ...RULES, admins: [alice], serverAddress } });
  const headers = { host: "cave.example.org", "x-forwarded-host": "evil.test", "x-forwarded-proto": "http" };
  const info = await t.call({ url: "/auth_info", headers });
  assert.deepEqual(info.json(), { login_url: `${serverAddress}/sticky_auth` });
  const person = await t.call({ url: `${API}/create_token`, headers });
  const target = new URL(String(person.headers.location));
  assert.equal(target.origin + target.pathname, `${serverAddress}/sticky_auth/api/v1/authorize`);
  assert.equal(target.searchParams.get("redirect"), `${serverAddress}/sticky_auth/settings/tokens`);
});
