/** A service behind this server gets none of CAVE's requests, which carry tokens, whether or not their route exists. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { RULES } from "../../support/cave-app.ts";
import { startBoth } from "../../support/upstream.ts";

const PATHS = [
  "/auth/api/v1/user/cache",
  "/auth/api/v1/nope",
  "/auth/version",
  "/auth",
  "/sticky_auth/api/v1/user/cache?middle_auth_token=0",
  "/sticky_auth/nope",
  "/sticky_auth/settings/nope",
  "/auth_info",
  "/AUTH/api/v1/user/cache",
  "/x/../auth/api/v1/nope",
];

/** The service gets requests without credentials. */
const OPEN = { authentication: { allowAnonymousAccess: true } };

test("CAVE's paths are answered here", async (t: TestContext) => {
  const { url, upstream } = await startBoth((work) => t.after(work), { cave: RULES, ...OPEN });
  upstream.asked.length = 0;
  for (const path of PATHS) {
    const response = await fetch(url + path, { redirect: "manual" });
    assert.ok([200, 302, 400, 401, 404].includes(response.status), `${path}: ${response.status}`);
  }
  assert.deepEqual(
    upstream.asked.map(({ url: path }) => path),
    [],
  );
  await fetch(`${url}/authors`);
  assert.deepEqual(
    upstream.asked.map(({ url: path }) => path),
    ["/authors"],
  );
});

test("without the section cave they belong to the service", async (t: TestContext) => {
  const { url, upstream } = await startBoth((work) => t.after(work), OPEN);
  upstream.asked.length = 0;
  await fetch(`${url}/auth/api/v1/user/cache`);
  assert.deepEqual(
    upstream.asked.map(({ url: path }) => path),
    ["/auth/api/v1/user/cache"],
  );
});
