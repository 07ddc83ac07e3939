/** A program that logs in with each request: it is slowed down, and nothing that it does fills the database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORDS, testApp } from "../../support/app.ts";

test("one account logs in so often and no more; its tokens, others and wrong passwords are as before", async () => {
  await using t = await testApp({ authentication: { loginBudget: { logins: 5, per: 60 } } });
  const attempt = (name: "alice" | "bob", password: string = PASSWORDS[name], remoteAddress = "192.0.2.1") =>
    t.loginAttempt(name, password, { remoteAddress });
  const first = await t.login("bob");
  for (let count = 0; count < 4; count++) {
    const { refresh_token } = await t.login("bob");
    await t.call({ method: "POST", url: "/api/v1/auth/session/revoke", payload: { refresh_token } });
  }
  for (const address of ["192.0.2.1", "192.0.2.2"]) {
    const refused = await attempt("bob", PASSWORDS.bob, address);
    assert.equal(refused.statusCode, 429);
    assert.equal(refused.headers["retry-after"], "60");
    assert.match(refused.body, /Too many recent logins/);
  }
  assert.equal((await attempt("bob", "wrong")).statusCode, 401);
  assert.equal((await t.refresh(first.refresh_token)).statusCode, 200);
  assert.equal((await attempt("alice")).statusCode, 200);
  const told = await t.store?.audit.read({ limit: 100, events: ["login_throttled"] });
  assert.deepEqual(
    told?.map(({ detail, identity }) => [detail, identity?.id]),
    [[{ reason: "too_many_logins" }, "bob"]],
  );
  t.clock.advance(60);
  assert.equal((await attempt("bob")).statusCode, 200);
});

test("logins at the same time count each other", async () => {
  await using t = await testApp({ authentication: { loginBudget: { logins: 5, per: 60 } } });
  const at = (index: number) => ({ remoteAddress: `192.0.2.${index}` });
  const attempts = Array.from({ length: 20 }, (_, index) => t.loginAttempt("bob", PASSWORDS.bob, at(index)));
  const statuses = (await Promise.all(attempts)).map(({ statusCode }) => statusCode);
  assert.equal(statuses.filter((status) => status === 200).length, 5);
  assert.equal(statuses.filter((status) => status === 429).length, 15);
});

test("logins that open nothing do not count", async () => {
  const authentication = { loginBudget: { logins: 3, per: 60 }, sessionLimit: 1 };
  await using t = await testApp({ authentication });
  const { refresh_token } = await t.login("bob");
  for (let count = 0; count < 5; count++)
    assert.equal((await t.loginAttempt("bob", PASSWORDS.bob)).statusCode, 400);
  await t.call({ method: "POST", url: "/api/v1/auth/session/revoke", payload: { refresh_token } });
  await t.login("bob");
});

test("without a budget nothing is counted", async () => {
  await using t = await testApp({ authentication: { loginBudget: false, sessionLimit: 2000 } });
  for (let count = 0; count < 1010; count++) await t.login("bob");
});
