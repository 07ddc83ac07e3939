import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompiledQuery } from "kysely";
import { parseUuid } from "../../../src/lib/uuid.ts";
import { SqliteConnection } from "../../../src/store/sqlite/connection.ts";
import { PASSWORDS, testApp } from "../../support/app.ts";

const TOKEN = "/api/v1/auth/provider/toy/token";

test("a right password gets a pair of tokens, the identity and the principal", async () => {
  await using t = await testApp();
  const response = await t.loginAttempt("alice", PASSWORDS.alice);
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers["content-type"], "application/json");
  assert.equal(response.headers["cache-control"], "no-store");
  const body = response.json<Record<string, unknown>>();
  assert.deepEqual(Object.keys(body).sort(), [
    "access_token",
    "expires_in",
    "identity",
    "principal",
    "refresh_token",
    "refresh_token_expires_in",
    "token_type",
  ]);
  assert.deepEqual(body["identity"], { id: "alice", provider: "toy" });
  assert.match(String(body["principal"]), /^[0-9a-f]{32}$/);
});

test("an unknown user and a wrong password get one and the same answer", async () => {
  await using t = await testApp();
  const answers = await Promise.all([
    t.loginAttempt("alice", "wrong"),
    t.loginAttempt("nobody", "secret1"),
    t.loginAttempt("__proto__", "secret1"),
    t.loginAttempt("ALICE", "secret1"),
    t.loginAttempt("alice", "s\u00e9cret1"),
    t.loginAttempt("alice", "secret1\0"),
  ]);
  for (const response of answers) {
    assert.equal(response.statusCode, 401);
    assert.deepEqual(response.json(), { detail: "Incorrect username or password" });
    assert.equal(response.headers["www-authenticate"], "Bearer");
  }
});

test("a malformed form is reported by field, and never repeats a value", async () => {
  await using t = await testApp();
  const cases: [Record<string, string>, string, string][] = [
    [{ username: "alice" }, "missing", "password"],
    [{ username: "alice", password: "" }, "missing", "password"],
    [{ password: "hunter2" }, "missing", "username"],
    [
      { username: "alice", password: "hunter2", grant_type: "client_credentials" },
      "string_pattern_mismatch",
      "grant_type",
    ],
  ];
  for (const [fields, type, field] of cases) {
    const response = await t.form(TOKEN, fields);
    assert.equal(response.statusCode, 422, field);
    const [problem] = response.json<{ detail: { type: string; loc: string[] }[] }>().detail;
    assert.deepEqual([problem?.type, problem?.loc], [type, ["body", field]]);
    assert.doesNotMatch(response.body, /hunter2|client_credentials/);
  }
});

test("a name that no database can store is refused before any authenticator is called", async () => {
  await using t = await testApp();
  for (const name of ["u".repeat(256), "alice\0", "\0"]) {
    const response = await t.loginAttempt(name, "secret1");
    assert.equal(response.statusCode, 422);
    assert.deepEqual(response.json<{ detail: { loc: string[] }[] }>().detail[0]?.loc, ["body", "username"]);
  }
  assert.equal((await t.loginAttempt("\u{1F600}".repeat(255), "secret1")).statusCode, 401);
});

test("no body, JSON, text, a field twice and a huge body: each has its status", async () => {
  await using t = await testApp();
  const post = (payload: string | undefined, type?: string) =>
    t.call({
      method: "POST",
      url: TOKEN,
      ...(payload === undefined ? {} : { payload }),
      ...(type === undefined ? {} : { headers: { "content-type": type } }),
    });
  const form = "application/x-www-form-urlencoded";
  assert.equal((await post(undefined)).statusCode, 422);
  assert.equal((await post('{"username":"alice","password":"secret1"}', "application/json")).statusCode, 415);
  assert.equal((await post("username=alice&password=secret1", "text/plain")).statusCode, 415);
  assert.equal((await post("username=alice&username=bob&password=secret1", form)).statusCode, 400);
  assert.equal((await post(`username=alice&password=${"x".repeat(65_536)}`, form)).statusCode, 413);
  assert.equal((await post("username=alice&password=secret1", `${form}; charset=utf-8`)).statusCode, 200);
});

test("unknown providers are 404, other methods 405 with Allow", async () => {
  await using t = await testApp();
  assert.equal(
    (await t.form("/api/v1/auth/provider/nope/token", { username: "alice", password: "secret1" })).statusCode,
    404,
  );
  const get = await t.call(TOKEN);
  assert.deepEqual([get.statusCode, get.headers.allow], [405, "POST"]);
});

test("only live sessions count against the limit", async () => {
  await using t = await testApp({ authentication: { sessionLimit: 3, sessionMaxAge: 3600 } });
  const first = await t.login("bob");
  await t.login("bob");
  await t.login("bob");
  const refused = await t.loginAttempt("bob", PASSWORDS.bob);
  assert.equal(refused.statusCode, 400);
  assert.match(refused.json<{ detail: string }>().detail, /3 sessions/);
  await t.call({
    method: "POST",
    url: "/api/v1/auth/session/revoke",
    payload: { refresh_token: first.refresh_token },
  });
  await t.login("bob");
  assert.equal((await t.loginAttempt("bob", PASSWORDS.bob)).statusCode, 400);
  t.clock.advance(3601);
  await t.login("bob");
});

test("guessing is throttled for one account from one address; Retry-After says for how long", async () => {
  await using t = await testApp();
  for (let attempt = 0; attempt < 10; attempt += 1) {
    assert.equal((await t.loginAttempt("alice", `guess ${attempt}`)).statusCode, 401);
  }
  const throttled = await t.loginAttempt("alice", PASSWORDS.alice);
  assert.equal(throttled.statusCode, 429);
  assert.ok(Number(throttled.headers["retry-after"]) > 0);
  assert.equal((await t.loginAttempt("bob", PASSWORDS.bob)).statusCode, 200);
  const elsewhere = await t.loginAttempt("alice", PASSWORDS.alice, { remoteAddress: "10.1.1.1" });
  assert.equal(elsewhere.statusCode, 200);
});

test("an address that keeps sending wrong passwords gets 429, whatever it sends then", async () => {
  const loginThrottle = { account: { failures: 10, per: 300 }, address: { failures: 1, per: 300 } };
  await using t = await testApp({ authentication: { loginThrottle } });
  for (let attempt = 0; attempt < 50; attempt += 1) await t.loginAttempt(`nobody ${attempt}`, "guess");
  const flooded = await t.loginAttempt("alice", PASSWORDS.alice);
  assert.equal(flooded.statusCode, 429);
  assert.ok(Number(flooded.headers["retry-after"]) > 0);
  const elsewhere = await t.loginAttempt("alice", PASSWORDS.alice, { remoteAddress: "10.1.1.1" });
  assert.equal(elsewhere.statusCode, 200);
});

test("every login is audited with user, address and outcome, without the password", async () => {
  await using t = await testApp();
  await t.loginAttempt("alice", "hunter2");
  await t.login("alice");
  const rows = (await t.store?.audit.read({ limit: 100 })) ?? [];
  const events = rows.map(({ event, identity, address, requestId }) => [
    event,
    identity?.id ?? null,
    address,
    typeof requestId,
  ]);
  assert.ok(
    events.some((row) => String(row) === "login_failed,alice,127.0.0.1,string"),
    String(events),
  );
  assert.ok(
    events.some((row) => String(row) === "login,alice,127.0.0.1,string"),
    String(events),
  );
  assert.doesNotMatch(JSON.stringify(rows), /hunter2|secret1/);
  await t.loginAttempt("hunter2", "alice");
  const after = (await t.store?.audit.read({ limit: 100, newest: true })) ?? [];
  assert.equal(after.filter(({ event }) => event === "login_failed").length, 2);
  assert.doesNotMatch(JSON.stringify(after), /hunter2/);
});

test("attacks on a known user are audited under their principal, others under none", async () => {
  await using t = await testApp({ authentication: { sessionLimit: 1 } });
  const { principal } = await t.login("alice");
  const bob = (await t.login("bob")).principal;
  for (let attempt = 0; attempt < 10; attempt += 1) {
    assert.equal((await t.loginAttempt("alice", `guess ${attempt}`)).statusCode, 401);
    assert.equal((await t.loginAttempt("nobody", `guess ${attempt}`)).statusCode, 401);
  }
  assert.equal((await t.loginAttempt("bob", PASSWORDS.bob)).statusCode, 400);
  const store = t.store ?? assert.fail();
  const uuid = (hex: string) => parseUuid(hex) ?? assert.fail(hex);
  const origin = { address: null, requestId: null, actor: null };
  await store.principals.ensureAdmins({
    identities: [{ provider: "toy", id: "admin" }],
    now: new Date(t.clock.now()),
    context: origin,
  });
  await store.principals.setDisabled({
    principal: uuid(bob),
    disabled: true,
    now: new Date(t.clock.now()),
    context: origin,
  });
  assert.equal((await t.loginAttempt("bob", PASSWORDS.bob)).statusCode, 401);
  const events = ["login_failed", "login_throttled"] as const;
  const told = async (of: string) =>
    (await store.audit.read({ limit: 100, events, principal: uuid(of) })).map(({ event, detail }) =>
      event === "login_failed" ? detail["reason"] : event,
    );
  const wrong = Array.from({ length: 10 }, () => "unknown_user_or_wrong_password");
  assert.deepEqual(await told(principal), [...wrong, "login_throttled"]);
  assert.deepEqual(await told(bob), ["session_limit", "principal_disabled"]);
  const rows = await store.audit.read({ limit: 100, events });
  const others = rows.filter((row) => row.principal === null);
  assert.deepEqual(
    others.map(({ identity }) => identity),
    [...Array.from({ length: 10 }, () => null), { provider: "toy", id: "nobody" }],
  );
  assert.ok(others.every(({ detail }) => detail["provider"] === "toy"));
});

test("the audit of an account that has never logged in, and is guessed at, shows its name and provider", async () => {
  await using t = await testApp();
  await t.loginAttempt("cara", "hunter2");
  const [row] = (await t.store?.audit.read({ limit: 100, events: ["login_failed"] })) ?? [];
  assert.deepEqual([row?.identity, row?.principal], [{ provider: "toy", id: "cara" }, null]);
});

test("a wrong password costs the database the same for a name that is known and one that is not", async (context) => {
  await using t = await testApp();
  await t.login("bob");
  const original = SqliteConnection.prototype.executeQuery;
  const ran: string[] = [];
  context.mock.method(
    SqliteConnection.prototype,
    "executeQuery",
    function (this: SqliteConnection, query: CompiledQuery) {
      ran.push(query.sql);
      return original.call(this, query);
    },
  );
  const statements = async (name: string) => {
    ran.length = 0;
    assert.equal((await t.loginAttempt(name, "wrong")).statusCode, 401);
    return [...ran];
  };
  const known = await statements("bob");
  assert.ok(known.length >= 2);
  for (const name of ["cara", "nobody", "__proto__"]) assert.deepEqual(await statements(name), known, name);
  // Also at the one that reaches the limit.
  for (let guess = 2; guess < 10; guess++) for (const name of ["bob", "nobody"]) await statements(name);
  assert.deepEqual(await statements("nobody"), await statements("bob"));
});

test("no password, token or key reaches the log", async () => {
  await using t = await testApp();
  await t.loginAttempt("alice", "hunter2");
  const alice = await t.login("alice");
  const key = await t.makeKey(alice.access_token);
  await t.whoami(`Bearer ${alice.access_token}`);
  await t.call(`/api/v1/auth/whoami?api_key=${key}`);
  await t.call(`/api/v1/auth/whoami?api_key=${key}x`);
  await t.refresh(alice.refresh_token);
  await t.refresh(`${alice.refresh_token}x`);
  await t.call({
    method: "POST",
    url: "/api/v1/auth/session/refresh",
    headers: { "content-type": "application/json" },
    payload: `{"refresh_token": "${alice.refresh_token}`,
  });
  const log = t.logLines.join("");
  assert.match(log, /"path":"\/api\/v1\/auth\/whoami"/);
  for (const secret of [
    "hunter2",
    PASSWORDS.alice,
    alice.access_token,
    alice.refresh_token,
    key,
    key.slice(8),
  ]) {
    assert.ok(!log.includes(secret), `${secret.slice(0, 12)}… is in the log`);
  }
});
