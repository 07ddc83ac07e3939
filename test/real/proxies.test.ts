/**
 * The example configurations of nginx and Caddy, run by the real ones in front of an application that knows of no logins.
 */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { Api, apikey, bearer } from "../support/api.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import { type ProxyName, type ProxyScene, startProxy, withoutProxy } from "../support/proxies.ts";
import { PASSWORDS } from "../support/toy.ts";

const TIMEOUT = { timeout: 120_000 };

async function scene(t: TestContext, name: ProxyName): Promise<ProxyScene & { readonly api: Api }> {
  const proxy = await startProxy(t.after.bind(t), name);
  return { ...proxy, api: new Api(proxy.direct.url) };
}

function claims(authorization: string | undefined): Record<string, unknown> {
  const [, payload = ""] = /^Bearer [^.]+\.([^.]+)\./.exec(authorization ?? "") ?? [];
  return JSON.parse(Buffer.from(payload, "base64url").toString());
}

for (const name of ["nginx", "caddy"] as const) {
  describe(name, { skip: withoutProxy(name) }, () => {
    test("tells the application the caller, and nothing forged", TIMEOUT, async (t) => {
      const { api, ask, shown } = await scene(t, name);
      const login = bearer(await api.login("alice"));
      const key = await api.makeKey(login, { scopes: ["read:metadata", "read:data"] });
      const forged = {
        "x-tiled-principal": "evil",
        "x-tiled-identity": "toy:evil",
        "x-tiled-scopes": "admin:apikeys",
        "x-tiled-token": "evil",
        X_Tiled_Identity: "evil",
        x_tiled_scopes: "evil",
        "x-original-url": "https://evil.example.org/",
        "x-forwarded-method": "GET",
        cookie: "theme=dark; tiled_session=x",
      };
      await ask("/assets/index-abc123.js", { headers: { authorization: login } });
      assert.equal(shown.shift()?.url, "/assets/index-abc123.js");
      for (const credential of [login, apikey(key)]) {
        const answer = await ask("/x/y?z=1", { headers: { ...forged, authorization: credential } });
        assert.equal(answer.status, 200);
        const [seen] = shown.splice(0);
        assert.equal(seen?.url, "/x/y?z=1");
        assert.equal(seen?.headers["x-tiled-identity"], "toy:alice");
        assert.match(String(seen?.headers["x-tiled-principal"]), /^[0-9a-f-]{36}$/);
        assert.doesNotMatch(JSON.stringify(seen), /evil|tiled_session/);
        const { scp, use } = claims(seen?.headers.authorization);
        assert.equal(use, "upstream");
        assert.equal((scp as string[]).includes("admin:apikeys"), credential === login);
        assert.ok(!JSON.stringify(seen).includes(credential.split(" ")[1] ?? ""));
      }
    });

    test("no client can make the proxy remove our header fields", TIMEOUT, async (t) => {
      const { api, ask, shown } = await scene(t, name);
      const authorization = bearer(await api.login("alice"));
      for (const named of ["X-Tiled-Identity", "close, x-tiled-scopes", "keep-alive,Authorization"]) {
        const { status } = await ask("/x", { headers: { authorization, connection: named } });
        if (status === 400) continue;
        assert.equal(status, 200, named);
        const { headers } = shown.pop() ?? {};
        for (const field of ["x-tiled-principal", "x-tiled-identity", "x-tiled-scopes", "authorization"])
          assert.ok(headers?.[field], `${field} after ${named}`);
      }
      assert.equal(shown.length, 0);
    });

    test(
      "refuses who has no credential, or not enough of it, before the application hears of it",
      TIMEOUT,
      async (t) => {
        const { api, ask, shown } = await scene(t, name);
        const nobody = await ask("/x");
        assert.equal(nobody.status, 401);
        assert.match(nobody.body, /Not authenticated/);
        assert.equal(nobody.headers["www-authenticate"], "Bearer");
        const headers = (authorization: string) => ({ headers: { authorization } });
        assert.equal((await ask("/x", headers("Apikey 00"))).status, 401);
        const login = bearer(await api.login("alice"));
        const blind = await api.makeKey(login, { scopes: ["read:data"] });
        assert.equal((await ask("/x", headers(apikey(blind)))).status, 403);
        assert.equal(shown.length, 0);
        // A key restricted to tags is a valid credential, but gets no token.
        const narrowed = await api.makeKey(login, { scopes: ["read:metadata"], access_tags: ["chem"] });
        assert.equal((await ask("/x", headers(apikey(narrowed)))).status, 200);
        assert.equal(shown[0]?.headers.authorization, undefined);
        assert.equal(shown[0]?.headers["x-tiled-identity"], "toy:alice");
      },
    );

    test(
      "passes bodies, and asks for the double submit where a cookie is all that is sent",
      TIMEOUT,
      async (t) => {
        const { api, ask, shown } = await scene(t, name);
        const { secret } = await api.makeKey(bearer(await api.login("alice")));
        const body = "x".repeat(100_000);
        const post = (headers: Record<string, string>) => ask("/x", { method: "POST", headers }, body);
        assert.equal((await post({ authorization: `Apikey ${secret}` })).status, 200);
        assert.deepEqual([shown[0]?.method, shown[0]?.body], ["POST", body]);
        const cookie = `__Host-tiled_api_key=${secret}; tiled_csrf=abc`;
        assert.equal((await post({ cookie })).status, 403);
        assert.equal((await post({ cookie, "x-forwarded-method": "GET" })).status, 403);
        assert.equal(shown.length, 1);
        assert.equal((await post({ cookie, "x-csrf": "abc" })).status, 200);
      },
    );

    test("passes WebSockets of authenticated callers", TIMEOUT, async (t) => {
      const { api, url, application } = await scene(t, name);
      const sockets = new WebSocketServer({ server: application });
      sockets.on("connection", (socket, request) => {
        // Caddy 2.6 ends with a frame that is none.
        socket.on("error", () => undefined).send(String(request.headers["x-tiled-identity"]));
      });
      const key = apikey(await api.makeKey(bearer(await api.login("alice"))));
      const open = (headers: Record<string, string>) =>
        new Promise((resolve) => {
          const socket = new WebSocket(`${url.replace("https", "wss")}/ws`, {
            rejectUnauthorized: false,
            headers,
          });
          t.after(() => socket.terminate());
          socket.on("message", (data) => resolve(String(data))).on("error", () => undefined);
          socket.on("unexpected-response", (_request, response) => resolve(response.statusCode));
        });
      assert.equal(await open({ authorization: key }), "toy:alice");
      assert.equal(await open({}), 401);
    });

    test("leads a browser to the login and back to where it was", {
      ...TIMEOUT,
      skip: withoutChromium(),
    }, async (t) => {
      const { url, shown } = await scene(t, name);
      const browser = await startChromium(t.after.bind(t));
      const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
      const wanted = `${url}/report?from=1&to=%20x`;
      await page.goto(wanted);
      assert.equal(new URL(page.url()).pathname, "/login");
      assert.equal(shown.length, 0);
      await page.getByLabel("User name").fill("alice");
      await page.getByLabel("Password").fill(PASSWORDS.alice);
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("heading", { name: "The application" }).waitFor();
      assert.equal(page.url(), wanted);
      const seen = shown.find(({ url: target }) => target === "/report?from=1&to=%20x");
      assert.equal(seen?.headers["x-tiled-identity"], "toy:alice");
      assert.doesNotMatch(JSON.stringify(shown), /tiled_session/);
      await page.goto(`${url}/logout`);
      await page.getByRole("button", { name: "Log out" }).click();
      await page.waitForLoadState("networkidle");
      await page.goto(wanted);
      assert.equal(new URL(page.url()).pathname, "/login");
    });
  });
}
