import assert from "node:assert/strict";
import { test } from "node:test";
import { apikey, bearer, type TestApp, type Tokens, testApp } from "../../support/app.ts";

const REVOKE = "/api/v1/auth/session/revoke";

function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<
    string,
    unknown
  >;
}

const sessionOf = (tokens: Tokens) => String(payloadOf(tokens.access_token)["sid"]);

async function refreshed(t: TestApp, token: string): Promise<Tokens> {
  const response = await t.refresh(token);
  assert.equal(response.statusCode, 200, response.body);
  return response.json<Tokens>();
}

const status = async (t: TestApp, token: string) => (await t.refresh(token)).statusCode;
const revoke = (t: TestApp, token: string) =>
  t.call({ method: "POST", url: REVOKE, payload: { refresh_token: token } });

test("a refresh rotates the token; however many retries follow, they get the same next one", async () => {
  await using t = await testApp();
  const first = await t.login("alice");
  const second = await refreshed(t, first.refresh_token);
  assert.equal((await t.whoami(`Bearer ${second.access_token}`)).statusCode, 200);
  for (let retry = 0; retry < 20; retry++) {
    t.clock.advance(3);
    const again = await refreshed(t, first.refresh_token);
    assert.equal(again.refresh_token, second.refresh_token);
    assert.equal((await t.whoami(`Bearer ${again.access_token}`)).statusCode, 200);
  }
  const events = (await t.store?.audit.read({ limit: 100 })) ?? [];
  assert.deepEqual(
    events.filter(({ event }) => event.startsWith("session_")).map(({ event }) => event),
    ["session_refresh_retried"],
  );
  await refreshed(t, second.refresh_token);
});

test("of programs that share a login, the one that goes first leaves none of the others two tokens behind", async () => {
  await using t = await testApp();
  const first = await t.login("alice");
  const second = await refreshed(t, first.refresh_token);
  // A retry: from now on the server knows that they share it.
  await refreshed(t, first.refresh_token);
  t.clock.advance(5);
  const answer = (await t.refresh(second.refresh_token)).json();
  const left = Number(payloadOf(second.refresh_token)["exp"]) - Math.floor(t.clock.now() / 1000);
  assert.deepEqual([answer.refresh_token, answer.refresh_token_expires_in], [second.refresh_token, left]);
  const ahead = answer as Tokens;
  assert.equal((await t.whoami(`Bearer ${ahead.access_token}`)).statusCode, 200);
  const behind = await refreshed(t, first.refresh_token);
  assert.equal(behind.refresh_token, second.refresh_token);
  // After the grace period it is exchanged again.
  t.clock.advance(60);
  assert.notEqual((await refreshed(t, second.refresh_token)).refresh_token, second.refresh_token);
});

test("a refresh token that was exchanged longer ago than the grace period ends the session", async () => {
  await using t = await testApp({ authentication: { refreshTokenGrace: 5 } });
  const first = await t.login("alice");
  const second = await refreshed(t, first.refresh_token);
  t.clock.advance(5);
  await refreshed(t, first.refresh_token);
  t.clock.advance(1);
  assert.equal(await status(t, first.refresh_token), 401);
  assert.equal(await status(t, second.refresh_token), 401);
  const events = (await t.store?.audit.read({ limit: 100 }))?.map(({ event }) => event) ?? [];
  assert.ok(events.includes("session_refresh_reuse"), String(events));
});

test("an empty refresh token is 422, for the client deletes its login at a 401", async () => {
  await using t = await testApp();
  const answers = [await t.refresh(""), await revoke(t, "")];
  for (const { statusCode, body } of answers) {
    assert.equal(statusCode, 422);
    assert.match(body, /refresh_token/);
  }
});

test("reuse of an old token after its successor was used ends the session for all, and is audited", async () => {
  await using t = await testApp();
  const first = await t.login("alice");
  const second = await refreshed(t, first.refresh_token);
  const third = await refreshed(t, second.refresh_token);
  assert.equal(await status(t, first.refresh_token), 401);
  assert.equal(await status(t, third.refresh_token), 401);
  assert.equal((await t.whoami(`Bearer ${third.access_token}`)).statusCode, 401);
  const events = (await t.store?.audit.read({ limit: 100 }))?.map(({ event }) => event) ?? [];
  assert.ok(events.includes("session_refresh_reuse"), String(events));
});

test("of two tokens of one generation, the one that was not exchanged is reuse once the other was", async () => {
  // Only a server without rotation gives two.
  await using t = await testApp({ authentication: { refreshTokenRotation: false } });
  const first = await t.login("alice");
  const honest = await refreshed(t, first.refresh_token);
  const thief = await refreshed(t, first.refresh_token);
  assert.notEqual(honest.refresh_token, thief.refresh_token);
  assert.ok(t.store);
  await using rotating = await testApp({ store: t.store, clock: t.clock });
  await refreshed(rotating, honest.refresh_token);
  assert.equal(await status(rotating, thief.refresh_token), 401);
  assert.equal(await status(rotating, honest.refresh_token), 401);
});

test("without rotation an old token stays good, as with the reference", async () => {
  await using t = await testApp({ authentication: { refreshTokenRotation: false } });
  const first = await t.login("alice");
  const second = await refreshed(t, first.refresh_token);
  await refreshed(t, second.refresh_token);
  await refreshed(t, first.refresh_token);
  await refreshed(t, first.refresh_token);
});

test("a revoked session refuses its refresh token and its access token from the next request on", async () => {
  await using t = await testApp();
  const alice = await t.login("alice");
  const other = await t.login("alice");
  assert.equal((await t.whoami(`Bearer ${alice.access_token}`)).statusCode, 200);
  assert.equal((await revoke(t, alice.refresh_token)).statusCode, 204);
  assert.equal((await t.whoami(`Bearer ${alice.access_token}`)).statusCode, 401);
  assert.equal(await status(t, alice.refresh_token), 401);
  assert.equal((await revoke(t, alice.refresh_token)).statusCode, 204);
  assert.equal((await t.whoami(`Bearer ${other.access_token}`)).statusCode, 200);
});

test("lifetimes: the access token, the refresh token (sliding) and the session end in their own time", async () => {
  await using t = await testApp({
    authentication: { accessTokenMaxAge: 10, refreshTokenMaxAge: 100, sessionMaxAge: 250 },
  });
  const first = await t.login("alice");
  t.clock.advance(11);
  const expired = await t.whoami(`Bearer ${first.access_token}`);
  assert.deepEqual(
    [expired.statusCode, expired.json()],
    [401, { detail: "Access token has expired. Refresh token." }],
  );
  t.clock.advance(80);
  const second = await refreshed(t, first.refresh_token);
  t.clock.advance(90);
  const third = await refreshed(t, second.refresh_token);
  assert.equal(payloadOf(third.refresh_token)["exp"], Math.floor(t.clock.now() / 1000) + 69);
  t.clock.advance(70);
  assert.equal(await status(t, third.refresh_token), 401);
  const late = await t.login("alice");
  t.clock.advance(101);
  const refused = await t.refresh(late.refresh_token);
  assert.deepEqual(
    [refused.statusCode, refused.json()],
    [401, { detail: "Session has expired. Please re-authenticate." }],
  );
  assert.equal((await revoke(t, late.refresh_token)).statusCode, 204);
});

test("revocation by id: one's own, with and without dashes, twice; never another person's", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  const remove = (id: string, headers = {}) => t.call({ method: "DELETE", url: `${REVOKE}/${id}`, headers });
  const session = sessionOf(bob);
  assert.equal((await remove(session)).statusCode, 401);
  assert.equal((await remove(session, bearer(alice.access_token))).statusCode, 404);
  assert.equal((await remove("xyz", bearer(bob.access_token))).statusCode, 404);
  assert.equal((await remove("0".repeat(32), bearer(bob.access_token))).statusCode, 404);
  const other = await t.login("bob");
  assert.equal((await remove(session, bearer(other.access_token))).statusCode, 204);
  assert.equal((await remove(session, bearer(other.access_token))).statusCode, 204);
  assert.equal((await t.whoami(`Bearer ${bob.access_token}`)).statusCode, 401);
});

test("a narrow API key ends no session; one that inherits does", async () => {
  await using t = await testApp();
  const alice = await t.login("alice");
  const narrow = await t.makeKey(alice.access_token, { scopes: ["read:data"] });
  const wide = await t.makeKey(alice.access_token);
  const remove = (secret: string) =>
    t.call({ method: "DELETE", url: `${REVOKE}/${sessionOf(alice)}`, headers: apikey(secret) });
  assert.equal((await remove(narrow)).statusCode, 401);
  assert.equal((await remove(wide)).statusCode, 204);
});

test("tokens that are not our refresh tokens", async () => {
  await using t = await testApp();
  const alice = await t.login("alice");
  for (const token of ["garbage", alice.access_token, `${alice.refresh_token}x`, "a.b.c"]) {
    const refresh = await t.refresh(token);
    assert.deepEqual(
      [refresh.statusCode, refresh.json()],
      [401, { detail: "Could not validate credentials" }],
    );
    assert.equal((await revoke(t, token)).statusCode, 401);
  }
  const body = async (payload: string, type = "application/json") =>
    (
      await t.call({
        method: "POST",
        url: "/api/v1/auth/session/refresh",
        headers: { "content-type": type },
        payload,
      })
    ).statusCode;
  assert.equal(await body("{}"), 422);
  assert.equal(await body('{"refresh_token": 5}'), 422);
  assert.equal(await body("[]"), 422);
  assert.equal(await body("{bad"), 400);
  assert.equal(await body(""), 400);
  assert.equal(await body('{"__proto__": {"refresh_token": "x"}}'), 400);
  assert.equal(await body("refresh_token=x", "application/x-www-form-urlencoded"), 415);
  assert.equal(await body(`{"refresh_token": "${"x".repeat(70_000)}"}`), 413);
});

test("thirty refreshes of one token at once all get working tokens", async () => {
  await using t = await testApp();
  const first = await t.login("alice");
  const answers = await Promise.all(Array.from({ length: 30 }, () => refreshed(t, first.refresh_token)));
  for (const { access_token } of answers)
    assert.equal((await t.whoami(`Bearer ${access_token}`)).statusCode, 200);
});
