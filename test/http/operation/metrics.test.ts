import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, testApp } from "../../support/app.ts";

test("requests are counted by route, never by path, and timed", async () => {
  await using t = await testApp();
  const alice = await t.login("alice");
  const metrics = async () =>
    (await t.call({ url: "/api/v1/metrics", headers: bearer(alice.access_token) })).body;
  await t.call("/healthz");
  await t.call("/healthz");
  await t.call("/api/v1/auth/session/revoke/an-unknown-session");
  await t.call('/nope"}\n1');
  const text = await metrics();
  assert.match(text, /^tiled_auth_requests_total\{method="GET",route="\/healthz",code="200"\} 2$/m);
  assert.match(text, /^tiled_auth_request_duration_seconds_count\{route="\/healthz"\} 2$/m);
  assert.match(text, /^tiled_auth_request_duration_seconds_bucket\{route="\/healthz",le="\+Inf"\} 2$/m);
  assert.match(text, /^process_cpu_user_seconds_total /m);
  assert.doesNotMatch(text, /an-unknown-session|nope/);
  assert.match(await metrics(), /route="\/api\/v1\/metrics",code="200"\} 1$/m);
});

test("metrics need the scope metrics", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  assert.equal((await t.call({ url: "/api/v1/metrics", headers: bearer(bob.access_token) })).statusCode, 401);
});
