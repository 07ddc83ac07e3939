import assert from "node:assert/strict";
import { test } from "node:test";
import type { PasswordAuthenticator } from "../../../src/domain/ports/authenticator.ts";
import { testApp } from "../../support/app.ts";

test("readiness names a directory that does not answer; its reasons reach the log only", async () => {
  let problem: string | null = "no answer";
  const lab: PasswordAuthenticator = {
    kind: "password",
    confirmationMessage: "",
    authenticate: () => Promise.resolve({ refused: "account_locked", log: "the account is locked" }),
    problem: () => problem,
  };
  await using served = await testApp({ authenticators: new Map([["lab", lab]]) });
  const { app, logLines } = served;
  const ready = async () => (await app.inject("/healthz/ready")).json();
  assert.deepEqual(await ready(), { status: "ready", providers: { lab: "unavailable" } });
  problem = null;
  assert.deepEqual(await ready(), { status: "ready", providers: { lab: "ok" } });
  const payload = { grant_type: "password", username: "ada", password: "secret" };
  const answer = await app.inject({
    method: "POST",
    url: "/api/v1/auth/provider/lab/token",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams(payload).toString(),
  });
  assert.equal(answer.statusCode, 401);
  assert.equal(answer.json().detail, "Incorrect username or password");
  assert.match(logLines.join(""), /refused a login: the account is locked/);
});
