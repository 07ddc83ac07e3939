import assert from "node:assert/strict";
import { test } from "node:test";
import { apikey, bearer, type TestApp, testApp } from "../../support/app.ts";

const APIKEY = "/api/v1/auth/apikey";

function create(t: TestApp, headers: Record<string, string>, key: Record<string, unknown> = {}) {
  return t.call({
    method: "POST",
    url: APIKEY,
    headers,
    payload: { expires_in: null, scopes: null, ...key },
  });
}

const remove = (t: TestApp, headers: Record<string, string>, firstEight: string) =>
  t.call({ method: "DELETE", url: `${APIKEY}?first_eight=${firstEight}`, headers });

test("a key is made, shown once, used in any case, listed without its secret, and revoked at once", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const made = await create(t, bearer(bob.access_token), { note: "laptop", expires_in: 600 });
  assert.equal(made.statusCode, 200);
  assert.equal(made.headers["cache-control"], "no-store");
  const { secret, ...key } = made.json<Record<string, unknown> & { secret: string }>();
  assert.match(secret, /^[0-9a-f]{72}$/);
  assert.deepEqual(key, {
    first_eight: secret.slice(0, 8),
    expiration_time: "2026-01-31T12:10:00+00:00",
    note: "laptop",
    scopes: ["inherit"],
    access_tags: null,
    latest_activity: null,
  });
  for (const form of [secret, secret.toUpperCase()])
    assert.equal((await t.whoami(`Apikey ${form}`)).statusCode, 200);
  const listed = (await t.whoami(`Apikey ${secret}`)).body;
  assert.match(listed, new RegExp(secret.slice(0, 8)));
  assert.ok(!listed.includes(secret.slice(8)));
  assert.equal((await remove(t, apikey(secret), secret.slice(0, 8))).statusCode, 204);
  const gone = await t.whoami(`Apikey ${secret}`);
  assert.deepEqual([gone.statusCode, gone.json()], [401, { detail: "Invalid API key" }]);
});

test("a key has the scopes that it and its principal have at the time of use; without any it can still call whoami", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const metadata = await t.makeKey(bob.access_token, { scopes: ["read:metadata"] });
  const empty = await t.makeKey(bob.access_token, { scopes: [] });
  const refused = await create(t, apikey(metadata));
  assert.equal(refused.statusCode, 401);
  assert.match(refused.body, /Request had scopes \['read:metadata'\]/);
  assert.equal((await create(t, apikey(empty))).statusCode, 401);
  assert.equal((await t.whoami(`Apikey ${empty}`)).statusCode, 200);
  assert.equal((await t.call({ url: APIKEY, headers: apikey(empty) })).statusCode, 200);
});

test("the key's own description: only with an API key, and reading it does not count as use", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const secret = await t.makeKey(bob.access_token);
  const key = await t.call({ url: APIKEY, headers: apikey(secret) });
  assert.equal(key.json<{ latest_activity: null }>().latest_activity, null);
  for (const headers of [bearer(bob.access_token), {}]) {
    const response = await t.call({ url: APIKEY, headers });
    assert.deepEqual(
      [response.statusCode, response.json()],
      [401, { detail: "No API key was provided with this request." }],
    );
  }
  for (const bad of ["xyz", "abcd", "ab".repeat(36)]) {
    const response = await t.call({ url: APIKEY, headers: apikey(bad) });
    assert.deepEqual([response.statusCode, response.json()], [401, { detail: "Invalid API key" }], bad);
  }
});

test("a use is noted at once, and written without a request waiting for it", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const secret = await t.makeKey(bob.access_token);
  t.clock.advance(5);
  const first = (await t.whoami(`Apikey ${secret}`)).json<{ api_keys: { latest_activity: string }[] }>();
  assert.equal(first.api_keys[0]?.latest_activity, "2026-01-31T12:00:05+00:00");
  await t.app.close();
  const rows = (await t.store?.audit.read({ limit: 100, events: ["api_key_first_used"] })) ?? [];
  assert.equal(rows.length, 1);
});

test("an expired key is refused from its second on", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const secret = await t.makeKey(bob.access_token, { expires_in: 60 });
  t.clock.advance(59);
  assert.equal((await t.whoami(`Apikey ${secret}`)).statusCode, 200);
  t.clock.advance(1);
  const refused = await t.whoami(`Apikey ${secret}`);
  assert.deepEqual(
    [refused.statusCode, refused.json()],
    [401, { detail: "This API key has expired. Create a new one." }],
  );
  // Only to a caller who has it: its first characters are in lists and logs.
  const guess = await t.whoami(`Apikey ${secret.slice(0, 8)}${"0".repeat(secret.length - 8)}`);
  assert.deepEqual([guess.statusCode, guess.json()], [401, { detail: "Invalid API key" }]);
  t.clock.advance(29 * 86_400);
  await t.store?.maintenance.purge({ now: new Date(t.clock.now()), batch: 100, auditBefore: null });
  assert.match((await t.whoami(`Apikey ${secret}`)).body, /has expired/);
  t.clock.advance(2 * 86_400);
  await t.store?.maintenance.purge({ now: new Date(t.clock.now()), batch: 100, auditBefore: null });
  t.clock.advance(1);
  assert.match((await t.whoami(`Apikey ${secret}`)).body, /Invalid API key/);
});

test("no key creates a key with more scopes, more tags or a longer life", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const makes = ["create:apikeys", "read:data"];
  const narrow = await t.makeKey(bob.access_token, { scopes: makes });
  const tagged = await t.makeKey(bob.access_token, { scopes: makes, access_tags: ["a"] });
  const short = await t.makeKey(bob.access_token, { scopes: makes, expires_in: 600 });
  const refused: [string, Record<string, unknown>][] = [
    [narrow, { scopes: null }],
    [narrow, { scopes: ["inherit"] }],
    [narrow, { scopes: ["read:metadata"] }],
    [tagged, { scopes: ["read:data"] }],
    [tagged, { scopes: ["read:data"], access_tags: ["a", "b"] }],
    [short, { scopes: ["read:data"] }],
    [short, { scopes: ["read:data"], expires_in: 601 }],
  ];
  for (const [secret, key] of refused) {
    assert.equal((await create(t, apikey(secret), key)).statusCode, 403, JSON.stringify(key));
  }
  const allowed: [string, Record<string, unknown>][] = [
    [narrow, { scopes: ["read:data"] }],
    [tagged, { scopes: ["read:data"], access_tags: ["a"] }],
    [tagged, { scopes: ["read:data"], access_tags: [] }],
    [short, { scopes: makes, expires_in: 600 }],
  ];
  for (const [secret, key] of allowed) {
    assert.equal((await create(t, apikey(secret), key)).statusCode, 200, JSON.stringify(key));
  }
});

test("a Bearer token that had fewer scopes than its principal now has cannot hand out the rest", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const origin = { address: null, requestId: null, actor: null };
  await t.store?.principals.ensureAdmins({
    identities: [{ provider: "toy", id: "bob" }],
    now: new Date(t.clock.now()),
    context: origin,
  });
  t.clock.advance(1);
  assert.equal((await create(t, bearer(bob.access_token), { scopes: ["metrics"] })).statusCode, 403);
  assert.equal((await create(t, bearer(bob.access_token), { scopes: null })).statusCode, 403);
  assert.equal((await create(t, bearer(bob.access_token), { scopes: ["read:data"] })).statusCode, 200);
});

test("scopes beyond the principal's, unknown scopes and tags beside inherit are refused, and unknown ones named", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  for (const scopes of [["metrics"], ["read:nonsense"], ["read:data", "inherit", "admin:apikeys"]]) {
    assert.equal((await create(t, bearer(bob.access_token), { scopes })).statusCode, 403, String(scopes));
  }
  assert.match(
    (await create(t, bearer(bob.access_token), { scopes: ["read:nonsense"] })).body,
    /Unknown: \['read:nonsense'\]/,
  );
  assert.equal((await create(t, bearer(bob.access_token), { access_tags: ["a"] })).statusCode, 403);
  assert.equal(
    (await create(t, bearer(alice.access_token), { scopes: ["admin:apikeys"], access_tags: ["a"] }))
      .statusCode,
    403,
  );
});

test("input that cannot be kept is 422 by field, and nothing is stored", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const cases: [string, unknown][] = [
    ["expires_in", -5],
    ["expires_in", 0],
    ["expires_in", 1e12],
    ["expires_in", 1.5],
    ["expires_in", "1y"],
    ["expires_in", true],
    ["scopes", "read:data"],
    ["scopes", [5]],
    ["scopes", Array.from({ length: 100 }, (_, index) => `scope:${index}`)],
    ["note", "n".repeat(256)],
    ["note", 5],
    ["note", "a\0b"],
    ["access_tags", "a"],
    ["access_tags", [5]],
    ["access_tags", ["x".repeat(600)]],
    ["access_tags", ["\u00e9".repeat(90)]],
    ["access_tags", ["a\0"]],
  ];
  for (const [field, value] of cases) {
    const response = await create(t, bearer(bob.access_token), { scopes: ["read:data"], [field]: value });
    assert.equal(response.statusCode, 422, `${field} ${JSON.stringify(value).slice(0, 40)}`);
    const [problem, ...others] = response.json<{ detail: { loc: string[] }[] }>().detail;
    assert.deepEqual(problem?.loc.slice(0, 2), ["body", field]);
    assert.deepEqual(others, [], "one mistake is one problem");
  }
  const missing = await t.call({
    method: "POST",
    url: APIKEY,
    headers: bearer(bob.access_token),
    payload: { expires_in: null },
  });
  assert.deepEqual(missing.json<{ detail: { loc: string[] }[] }>().detail[0]?.loc, ["body", "scopes"]);
  assert.equal(
    (await create(t, bearer(bob.access_token), { note: "\u{1F511}".repeat(255) })).statusCode,
    200,
  );
  assert.equal(
    (await t.whoami(`Bearer ${bob.access_token}`)).json<{ api_keys: unknown[] }>().api_keys.length,
    1,
  );
});

test("only one's own keys can be revoked; a whole secret is accepted; other texts are unknown", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  const secret = await t.makeKey(bob.access_token);
  assert.equal((await remove(t, bearer(alice.access_token), secret.slice(0, 8))).statusCode, 404);
  for (const odd of ["ffffffff", "xyz", "%00", "%25", "a", "' OR 1=1 --"]) {
    assert.equal((await remove(t, bearer(bob.access_token), encodeURIComponent(odd))).statusCode, 404, odd);
  }
  assert.equal(
    (await t.call({ method: "DELETE", url: APIKEY, headers: bearer(bob.access_token) })).statusCode,
    422,
  );
  assert.equal((await remove(t, bearer(bob.access_token), secret.toUpperCase())).statusCode, 204);
  assert.equal((await t.whoami(`Apikey ${secret}`)).statusCode, 401);
});

test("the limit of live keys holds for twenty requests at once", async () => {
  await using t = await testApp({ authentication: { apiKeyLimit: 5 } });
  const bob = await t.login("bob");
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => create(t, bearer(bob.access_token), { expires_in: 60 })),
  );
  assert.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 5);
  assert.equal(answers.filter(({ statusCode }) => statusCode === 400).length, 15);
  t.clock.advance(61);
  assert.equal((await create(t, bearer(bob.access_token))).statusCode, 200);
});

test("what is remembered of a key follows its use, and shows nothing of one that no longer counts", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  const secret = await t.makeKey(bob.access_token, { expires_in: 600 });
  const show = (key = secret) => t.call({ url: APIKEY, headers: apikey(key) });
  const used = async () => (await show()).json<{ latest_activity: string | null }>().latest_activity;
  assert.deepEqual([await used(), await used()], [null, null]);
  for (const time of ["2026-01-31T12:01:01+00:00", "2026-01-31T12:02:02+00:00"]) {
    t.clock.advance(61);
    await t.whoami(`Apikey ${secret}`);
    assert.deepEqual([await used(), await used()], [time, time]);
  }
  // One digit of a key that was just used.
  const last = secret.at(-1) === "0" ? "1" : "0";
  assert.equal((await show(secret.slice(0, -1) + last)).statusCode, 401);

  const principal = `/api/v1/auth/principal/${bob.principal}`;
  const able = (verb: string) =>
    t.call({ method: "POST", url: `${principal}/${verb}`, headers: bearer(alice.access_token) });
  assert.equal((await able("disable")).statusCode, 204);
  assert.equal((await show()).statusCode, 401);
  assert.equal((await able("enable")).statusCode, 204);
  assert.equal((await show()).statusCode, 200);
  const other = await t.makeKey(bob.access_token);
  assert.equal((await show(other)).statusCode, 200);
  assert.equal((await remove(t, apikey(secret), other.slice(0, 8))).statusCode, 204);
  assert.equal((await show(other)).statusCode, 401);
  t.clock.advance(600);
  assert.match((await show()).body, /has expired/);
});
