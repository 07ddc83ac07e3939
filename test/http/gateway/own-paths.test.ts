import assert from "node:assert/strict";
import { test } from "node:test";
import Fastify from "fastify";
import { OwnPaths } from "../../../src/http/gateway/own-paths.ts";

function collected(): OwnPaths {
  const app = Fastify();
  const own = new OwnPaths();
  const answer = () => "";
  app.get("/api/v1/metadata/*", answer);
  own.collect(app);
  app.get("/", answer);
  app.get("/login", answer);
  app.get("/account/keys/:id/delete", answer);
  app.get("/assets/*", answer);
  own.close();
  app.get("/later", answer);
  return own;
}

for (const [path, owned, below] of [
  ["/", true, false],
  ["/login", true, false],
  ["/login/", false, false],
  ["/logins", false, false],
  ["/account/keys/1/delete", true, false],
  ["/account/keys", true, false],
  ["/account", false, false],
  ["/assets/x/y", true, false],
  ["/assetsx", false, false],
  ["/later", false, false],
  ["/api/v1/metadata/A", false, false],
  ["/api/v1/auth", true, true],
  ["/api/v1/auth/whatever", true, true],
  ["/api/v1/authority", false, false],
  ["/api/v1/", false, true],
  ["/api/v1", false, true],
  ["/Login", false, false],
  ["/API/v1/auth/x", false, false],
] as const) {
  test(`${path} is ${owned ? "" : "not "}ours, ${below ? "" : "not "}below a prefix`, () => {
    const own = collected();
    assert.equal(own.has(path, false), owned);
    assert.equal(own.has(path, true), below);
  });
}

test("case-insensitive readers get the same names", () => {
  const own = collected();
  for (const path of ["/login", "/api/v1/auth/x", "/account/keys/1"]) assert.ok(own.hasLower(path, false));
  for (const path of ["/api/v1", "/api/v1/auth"]) assert.ok(own.hasLower(path, true));
  assert.ok(!own.hasLower("/ui", false));
});
