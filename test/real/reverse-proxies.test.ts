/** The reverse proxies of `example_configs/reverse-proxy`, run by the real ones in front of ours. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import {
  type ReverseProxy,
  type ReverseScene,
  startReverseProxy,
  withoutReverseProxy,
} from "../support/reverse-proxies.ts";
import { PASSWORDS } from "../support/toy.ts";

const TIMEOUT = { timeout: 120_000 };
const FORM = { "content-type": "application/x-www-form-urlencoded" };

const scene = (t: TestContext, name: ReverseProxy, checks?: string): Promise<ReverseScene> =>
  startReverseProxy(t.after.bind(t), name, checks);

for (const name of ["nginx", "caddy", "haproxy"] as const) {
  describe(name, { skip: withoutReverseProxy(name) }, () => {
    test(
      "logins, links and cookies are those of HTTPS, and nothing forged is believed",
      TIMEOUT,
      async (t) => {
        const { url, plain, direct, ask } = await scene(t, name);
        const forged = {
          "x-forwarded-for": "203.0.113.9",
          "x-forwarded-host": "evil.example.org",
          "x-forwarded-proto": "http",
          forwarded: "for=203.0.113.9;host=evil.example.org",
        };
        const login = await ask(
          "/api/v1/auth/provider/toy/token",
          { method: "POST", headers: { ...forged, ...FORM } },
          `username=alice&password=${PASSWORDS.alice}`,
        );
        assert.equal(login.status, 200, login.body);
        const { access_token } = JSON.parse(login.body) as { access_token: string };
        const authorization = `Bearer ${access_token}`;
        assert.equal(
          (await ask("/api/v1/auth/whoami", { headers: { ...forged, authorization } })).status,
          200,
        );
        const about = await ask("/api/v1/", { headers: forged });
        assert.match(about.body, new RegExp(url));
        const page = await ask("/login", { headers: { ...forged, accept: "text/html" } });
        assert.match(String(page.headers["set-cookie"]), /Secure/);
        for (const said of [about.body, page.body, direct.output()])
          assert.doesNotMatch(said, /evil\.example|203\.0\.113\.9/);

        // As long as other applications' cookies make them.
        const cookie = `theme=${"x".repeat(20_000)}`;
        assert.equal((await ask("/api/v1/auth/whoami", { headers: { cookie, authorization } })).status, 200);

        if (name === "caddy") return;
        const led = await fetch(`${plain}/login?next=%2F`, { redirect: "manual" });
        assert.equal(led.status, 301);
        assert.match(led.headers.get("location") ?? "", /^https:\/\/[^/]+\/login\?next=%2F$/);
      },
    );
  });
}

test("HAProxy gives a request to the next server before a check has found the first one down", {
  ...TIMEOUT,
  skip: withoutReverseProxy("haproxy"),
}, async (t) => {
  // The second of the example's two servers is not there, and no further check is made.
  const { ask } = await scene(t, "haproxy", "1h");
  const statuses: number[] = [];
  for (let count = 0; count < 6; count++) statuses.push((await ask("/healthz")).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200]);
});

test("HAProxy passes over a server that is away, and says so where none is left", {
  ...TIMEOUT,
  skip: withoutReverseProxy("haproxy"),
}, async (t) => {
  const { direct, ask } = await scene(t, "haproxy", "1s");
  const statuses = new Set<number>();
  const found = async () => (await ask("/healthz")).status;
  // The second of the example's two servers is not there.
  assert.ok(await eventually(20, async () => (await found()) === 200 && (await found()) === 200));
  for (let count = 0; count < 20; count++) statuses.add(await found());
  assert.deepEqual([...statuses], [200]);
  await direct.stop();
  assert.ok(await eventually(20, async () => (await found()) === 503));
});
