/** The database is unavailable or full while the server runs: the answers, and the recovery afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore, testApp } from "../support/app.ts";
import { breakable } from "../support/breakable-store.ts";
import { ManualClock } from "../support/clock.ts";

test("a database that is away or full is 503 or 507 with a clear text, and comes back without a restart", async () => {
  const clock = new ManualClock();
  const { store, breakWith } = breakable(await memoryStore(clock));
  await using t = await testApp({ store, clock });
  const alice = await t.login("alice");
  for (const [code, status] of [
    ["store_unavailable", 503],
    ["store_full", 507],
  ] as const) {
    breakWith(code);
    const attempts = [
      await t.loginAttempt("alice", "secret1"),
      await t.refresh(alice.refresh_token),
      await t.call({
        method: "POST",
        url: "/api/v1/auth/session/revoke",
        payload: { refresh_token: alice.refresh_token },
      }),
      await t.call({
        method: "POST",
        url: "/api/v1/auth/apikey",
        headers: { authorization: `Bearer ${alice.access_token}` },
        payload: { expires_in: null, scopes: null },
      }),
    ];
    for (const response of attempts) {
      assert.equal(response.statusCode, status, response.body);
      assert.equal(response.headers["content-type"], "application/json");
      assert.match(response.json<{ detail: string }>().detail, /database/i);
    }
  }
  breakWith("store_unavailable");
  assert.equal((await t.call("/healthz")).statusCode, 200);
  assert.equal((await t.call("/healthz/ready")).statusCode, 503);
  breakWith(null);
  clock.advance(1);
  assert.equal((await t.call("/healthz/ready")).statusCode, 200);
  assert.equal((await t.refresh(alice.refresh_token)).statusCode, 200);
  assert.equal((await t.whoami(`Bearer ${alice.access_token}`)).statusCode, 200);
});

test("while the database is away, those who only read go on for a minute", async () => {
  const clock = new ManualClock();
  const { store, breakWith } = breakable(await memoryStore(clock));
  await using t = await testApp({ store, clock });
  const alice = await t.login("alice");
  const key = await t.makeKey(alice.access_token);
  const credentials = [`Bearer ${alice.access_token}`, `Apikey ${key}`];
  for (const credential of credentials) assert.equal((await t.whoami(credential)).statusCode, 200);
  breakWith("store_unavailable");
  clock.advance(30);
  for (const credential of credentials) assert.equal((await t.whoami(credential)).statusCode, 200);
});

test("while the database is unavailable, callers that are not cached are refused", async () => {
  const clock = new ManualClock();
  const { store, breakWith } = breakable(await memoryStore(clock));
  await using t = await testApp({ store, clock });
  const alice = await t.login("alice");
  breakWith("store_unavailable");
  clock.advance(61);
  assert.equal((await t.whoami(`Bearer ${alice.access_token}`)).statusCode, 503);
  assert.equal((await t.whoami(`Apikey ${"ab".repeat(36)}`)).statusCode, 503);
});

test("a busy database does not admit callers that are not cached", async () => {
  const clock = new ManualClock();
  const { store, breakWith } = breakable(await memoryStore(clock));
  await using t = await testApp({ store, clock });
  const alice = await t.login("alice");
  const bearer = `Bearer ${alice.access_token}`;
  assert.equal((await t.whoami(bearer)).statusCode, 200);
  breakWith("store_busy");
  clock.advance(1);
  assert.equal((await t.whoami(bearer)).statusCode, 503);
  breakWith(null);
  assert.equal((await t.whoami(bearer)).statusCode, 200);
});

test("a revocation while the database is unavailable may have succeeded: the credential does not count here meanwhile", async () => {
  const clock = new ManualClock();
  const { store, breakWith } = breakable(await memoryStore(clock));
  await using t = await testApp({ store, clock });
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  const [key, other] = [await t.makeKey(bob.access_token), await t.makeKey(bob.access_token)];
  const credentials = { alice: `Bearer ${alice.access_token}`, bob: `Bearer ${bob.access_token}` };
  for (const credential of [...Object.values(credentials), `Apikey ${key}`, `Apikey ${other}`])
    assert.equal((await t.whoami(credential)).statusCode, 200);
  breakWith("store_unavailable");
  const failed = await Promise.all([
    t.call({
      method: "DELETE",
      url: `/api/v1/auth/apikey?first_eight=${key.slice(0, 8)}`,
      headers: { authorization: credentials.bob },
    }),
    t.call({
      method: "POST",
      url: "/api/v1/auth/session/revoke",
      payload: { refresh_token: alice.refresh_token },
    }),
  ]);
  assert.deepEqual(
    failed.map(({ statusCode }) => statusCode),
    [503, 503],
  );
  assert.equal((await t.whoami(`Apikey ${key}`)).statusCode, 503);
  assert.equal((await t.whoami(credentials.alice)).statusCode, 503);
  const status = async (credential: string) =>
    (await t.call({ url: "/api/v1/", headers: { authorization: credential } })).statusCode;
  assert.equal(await status(credentials.bob), 200);
  breakWith(null);
  assert.equal((await t.whoami(`Apikey ${key}`)).statusCode, 200);
  assert.equal((await t.whoami(credentials.alice)).statusCode, 200);
});
