/** Which pages may read CAVE's API, and which may not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer } from "../../support/app.ts";
import { ADDRESS, caveApp, VIEWER } from "../../support/cave-app.ts";

const UI = "https://ui.example.org";
const PATHS = ["/auth/api/v1/user/cache", "/sticky_auth/api/v1/user/cache", "/auth/api/v1/nope"];
const FOREIGN = [
  UI,
  "https://evil.test",
  "null",
  `${VIEWER}.evil.test`,
  VIEWER.replace("https", "http"),
  `${VIEWER}:8443`,
];

const preflight = (url: string, origin: string) => ({
  method: "OPTIONS" as const,
  url,
  headers: {
    origin,
    "access-control-request-method": "GET",
    "access-control-request-headers": "authorization",
  },
});

test("pages of the allowed origins and of the server itself may send a token, without cookies", async () => {
  await using t = await caveApp({ allowOrigins: [UI] });
  const token = await t.apiToken("bob");
  for (const origin of [VIEWER, ADDRESS]) {
    for (const url of PATHS) {
      const asked = await t.call(preflight(url, origin));
      assert.equal(asked.statusCode, 200);
      assert.equal(asked.headers["access-control-allow-origin"], origin);
      assert.equal(asked.headers["access-control-allow-headers"], "Authorization, Content-Type");
      assert.equal(asked.headers["access-control-allow-methods"], "DELETE, GET, HEAD, POST");
      for (const headers of [bearer(token), {}, bearer("0".repeat(32))]) {
        const response = await t.call({ url, headers: { ...headers, origin } });
        assert.equal(response.headers["access-control-allow-origin"], origin);
        assert.equal(response.headers["access-control-expose-headers"], "WWW-Authenticate");
        assert.equal(response.headers["access-control-allow-credentials"], undefined);
        assert.match(String(response.headers.vary), /Origin/);
      }
    }
  }
});

test("pages of other origins get no header, those of allow_origins neither", async () => {
  for (const allowOrigins of [[UI], ["*"]]) {
    await using t = await caveApp({ allowOrigins });
    const token = await t.apiToken("bob");
    for (const origin of FOREIGN) {
      for (const url of [...PATHS, "/sticky_auth/settings/tokens", "/sticky_auth/api/v1/authorize"]) {
        for (const request of [preflight(url, origin), { url, headers: { ...bearer(token), origin } }]) {
          const { headers } = await t.call(request);
          const names = Object.keys(headers).filter((name) => name.startsWith("access-control"));
          assert.deepEqual(names, [], `${origin} ${url}`);
        }
      }
      assert.equal((await t.call(preflight(PATHS[0] ?? "", origin))).statusCode, 400);
    }
  }
});

test("an origin that a reload adds counts at once, and one that it removes no more", async () => {
  await using t = await caveApp();
  const { settings } = t.rules.current;
  t.rules.replace({ ...settings, origins: [UI] });
  const allowed = async (origin: string) => (await t.call(preflight(PATHS[0] ?? "", origin))).statusCode;
  assert.deepEqual([await allowed(UI), await allowed(VIEWER)], [200, 400]);
});

test("the rules for Tiled's clients stay as they are on all other paths", async () => {
  await using t = await caveApp({ allowOrigins: [UI] });
  for (const url of ["/healthz", "/authx/api/v1/user/cache", "/auth_information"]) {
    const response = await t.call({ url, headers: { origin: UI } });
    assert.equal(response.headers["access-control-allow-origin"], UI, url);
    assert.equal(response.headers["access-control-allow-credentials"], "true");
    const viewer = await t.call({ url, headers: { origin: VIEWER } });
    assert.equal(viewer.headers["access-control-allow-origin"], undefined);
  }
});

test("any page may ask where people log in", async () => {
  await using t = await caveApp({ allowOrigins: [UI] });
  for (const origin of FOREIGN) {
    for (const request of [preflight("/auth_info", origin), { url: "/auth_info?x", headers: { origin } }]) {
      const response = await t.call(request);
      assert.equal(response.statusCode, 200);
      assert.equal(response.headers["access-control-allow-origin"], "*");
      assert.equal(response.headers["access-control-allow-credentials"], undefined);
    }
  }
});

test("only the question for the address to open may be asked with cookies, by allowed origins", async () => {
  await using t = await caveApp({ allowOrigins: [UI] });
  for (const prefix of ["/auth", "/sticky_auth"]) {
    const url = `${prefix}/api/v1/authorize?redirect=${encodeURIComponent(`${VIEWER}/`)}`;
    const { headers } = await t.call(preflight(url, VIEWER));
    assert.equal(headers["access-control-allow-headers"], "Authorization, Content-Type, X-Requested-With");
    assert.equal(headers["access-control-allow-credentials"], "true");
    const opened = await t.call({ url, headers: { origin: VIEWER } });
    assert.equal(opened.headers["access-control-allow-credentials"], undefined);
    const other = await t.call({ url, headers: { origin: UI, "x-requested-with": "Fetch" } });
    assert.equal(other.headers["access-control-allow-origin"], undefined);
    assert.equal(other.headers["access-control-allow-credentials"], undefined);
    assert.equal((await t.call(preflight(url, UI))).statusCode, 400);
  }
});
