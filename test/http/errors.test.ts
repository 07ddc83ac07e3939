import assert from "node:assert/strict";
import { test } from "node:test";
import { testApp } from "../support/app.ts";

test("a path that cannot be decoded is 400 in the usual shape, and is not repeated", async () => {
  await using t = await testApp();
  for (const path of ["/api/v1/metadata/%zz", "/%", "/api/v1/auth/session/revoke/%c3%28"]) {
    const response = await t.call(path);
    assert.ok([400, 404, 405].includes(response.statusCode), `${path}: ${response.statusCode}`);
    assert.match(String(response.headers["content-type"]), /^application\/json/);
    assert.deepEqual(Object.keys(response.json<object>()), ["detail"]);
    assert.doesNotMatch(response.body, /%zz/);
  }
});

test("every answer has its request's id, also where something was refused", async () => {
  await using t = await testApp();
  for (const path of ["/healthz", "/nope", "/api/v1/metadata/%zz", "/api/v1/auth/principal"]) {
    assert.match(String((await t.call(path)).headers["x-tiled-request-id"]), /^[0-9a-f]{16}$/, path);
  }
});

test("an unexpected error is 500 without details, and is in the log", async () => {
  await using t = await testApp({
    authenticators: new Map([
      [
        "toy",
        {
          kind: "password",
          confirmationMessage: "",
          authenticate: () => Promise.reject(new Error("secret detail of the backend")),
        },
      ],
    ]),
  });
  const response = await t.loginAttempt("alice", "hunter2");
  assert.deepEqual([response.statusCode, response.json()], [500, { detail: "Internal server error" }]);
  const log = t.logLines.join("");
  assert.match(log, /secret detail of the backend/);
  assert.doesNotMatch(log, /hunter2/);
});
