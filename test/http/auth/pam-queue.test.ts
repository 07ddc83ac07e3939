/** Many logins at once before a slow PAM stack: those from one address do not keep others out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { PAMAuthenticator } from "../../../src/authenticators/pam/authenticator.ts";
import type { Helper } from "../../../src/authenticators/pam/process.ts";
import { testApp } from "../../support/app.ts";

/** Slow for every login, and knows bob. */
function slowHelper(): Helper {
  return {
    ask: async (request) => {
      await delay(20);
      const bob = request.kind === "login" && Buffer.from(request.username).toString() === "bob\0";
      const outcome = { code: bob ? 0 : 7, text: "pam_authenticate", asked: true, delay: 0 };
      return { kind: "outcome", outcome, elapsed: 20 };
    },
    alive: () => true,
    kill: async () => undefined,
  };
}

test("one address sends all the logins it can; a login from another address succeeds at once", async () => {
  const pam = new PAMAuthenticator(
    { service: "login" },
    { provider: "toy", directory: "/", warn: () => {} },
    { startHelper: slowHelper, sleep: async () => undefined },
  );
  await using t = await testApp({
    authenticators: new Map([["toy", pam]]),
    authentication: { loginThrottle: false },
  });
  const answered: number[] = [];
  const flood = Array.from({ length: 150 }, async (_, index) => {
    const response = await t.loginAttempt(`nobody${index}`, "x", { remoteAddress: "10.0.0.1" });
    answered.push(response.statusCode);
    if (response.statusCode === 503) {
      assert.equal(response.headers["retry-after"], "5");
      assert.match(response.json<{ detail: string }>().detail, /Too many logins are waiting/);
    }
  });
  // All of them have come in: the queue is full.
  while (!answered.includes(503)) await delay(1);
  const bob = await t.loginAttempt("bob", "secret2", { remoteAddress: "10.0.0.2" });
  assert.equal(bob.statusCode, 200, bob.body);
  const before = answered.filter((status) => status === 401).length;
  assert.ok(before < 30, `${before} others were answered before`);
  await Promise.all(flood);
  assert.ok(answered.filter((status) => status === 503).length >= 150 - 64 - 8);
});
