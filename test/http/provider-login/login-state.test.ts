/** A person in many groups: whoami stays small, and what is too much grants nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PasswordAuthenticator } from "../../../src/domain/ports/authenticator.ts";
import { bearer, testApp } from "../../support/app.ts";

const groups = (count: number) => ({
  groups: Array.from({ length: count }, (_, index) => `cn=group-${index},ou=groups,dc=example,dc=org`),
});

/** The number of groups is the password. */
const directory: PasswordAuthenticator = {
  kind: "password",
  confirmationMessage: "",
  authenticate: async (id, password) => ({ id, state: groups(Number(password)) }),
};

const served = { authenticators: new Map([["toy", directory]]), authentication: { admins: [] } };

test("200 sessions of a person in 500 groups: whoami lists the groups once", async () => {
  await using t = await testApp(served);
  let token = "";
  for (let session = 0; session < 200; session++) {
    token = (await t.loginAttempt("mallory", "500")).json<{ access_token: string }>().access_token;
  }
  assert.ok(token.length < 4000);
  const answer = await t.call({ url: "/api/v1/auth/whoami", headers: bearer(token) });
  const { sessions } = answer.json<{ sessions: { state: object }[] }>();
  assert.equal(sessions.length, 200);
  assert.deepEqual(
    sessions.filter(({ state }) => Object.keys(state).length > 0),
    [sessions.at(-1)],
  );
  assert.deepEqual(sessions.at(-1)?.state, groups(500));
  assert.ok(answer.rawPayload.length < 80_000, `${answer.rawPayload.length}`);
});

test("beyond 64 kB nothing of it is kept, and the operator reads so", async () => {
  await using t = await testApp(served);
  const login = await t.loginAttempt("mallory", "5000");
  assert.equal(login.statusCode, 200);
  const { principal } = login.json<{ principal: string }>();
  const found = await t.store?.principals.summaryOfIdentity({ provider: "toy", id: "mallory" });
  assert.equal(found?.uuid.replaceAll("-", ""), principal);
  assert.ok(found && t.store);
  assert.deepEqual(await t.store.accounts.latestState(found.uuid, "toy"), {});
  assert.match(t.logLines.join(""), /longer than 65536 characters and was dropped/);
});
