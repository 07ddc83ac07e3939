import assert from "node:assert/strict";
import { test } from "node:test";
import { testApp } from "../support/app.ts";

const ORIGIN = "https://ui.example.org";

function preflight(origin: string) {
  return {
    method: "OPTIONS" as const,
    url: "/any/path",
    headers: {
      origin,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "authorization,x-csrf",
    },
  };
}

test("an origin that is allowed may send credentials, from any path on", async () => {
  await using t = await testApp({ allowOrigins: [ORIGIN] });
  const response = await t.call(preflight(ORIGIN));
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers["access-control-allow-origin"], ORIGIN);
  assert.equal(response.headers["access-control-allow-credentials"], "true");
  assert.match(String(response.headers["access-control-allow-methods"]), /PUT/);
  assert.equal(response.headers["access-control-allow-headers"], "authorization,x-csrf");
  const get = await t.call({ url: "/healthz", headers: { origin: ORIGIN } });
  assert.equal(get.headers["access-control-allow-origin"], ORIGIN);
  assert.equal(get.headers["access-control-expose-headers"], "X-Tiled-Request-ID");
  const refused = await t.call({ url: "/nope", headers: { origin: ORIGIN } });
  assert.equal(refused.headers["access-control-allow-origin"], ORIGIN);
});

test("any other origin gets nothing", async () => {
  await using t = await testApp({ allowOrigins: [ORIGIN] });
  for (const origin of ["https://evil.test", "null", `${ORIGIN}.evil.test`, "http://ui.example.org"]) {
    const response = await t.call(preflight(origin));
    assert.deepEqual([response.statusCode, response.body], [400, "Disallowed CORS origin"], origin);
    assert.equal(response.headers["access-control-allow-origin"], undefined);
    const get = await t.call({ url: "/healthz", headers: { origin } });
    assert.deepEqual([get.statusCode, get.headers["access-control-allow-origin"]], [200, undefined]);
    assert.match(String(get.headers.vary), /Origin/);
  }
});

test("a star allows every origin", async () => {
  await using t = await testApp({ allowOrigins: ["*"] });
  assert.equal((await t.call(preflight("https://any.test"))).statusCode, 200);
});
