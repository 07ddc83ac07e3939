/**
 * A server that takes the provider's own access tokens, with nothing replaced: the real Python client logs in at a real
 * provider by itself, and tokens that the provider issued for others are refused.
 */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT } from "jose";
import { withoutChromium } from "../support/chromium.ts";
import { deviceProgram } from "../support/device-program.ts";
import { freePort } from "../support/free-port.ts";
import { type RealProvider, startProvider } from "../support/oidc-provider.ts";
import { ADA, GRACE } from "../support/oidc-provider-pages.ts";
import { tokensOf } from "../support/provider-tokens.ts";
import { client, withoutTiled } from "../support/python.ts";
import { serve, submitLogin, visit } from "../support/real-scene.ts";

const TIMEOUT = { timeout: 180_000 };
const AUDIENCE = "https://tiled.lab.example";
const PROGRAM = "tiled-cli";
const SECRET = "of tests only";

function lab(cleanup: Parameters<typeof startProvider>[0], redirectUris: readonly string[] = []) {
  return startProvider(cleanup, {
    clients: [
      {
        id: "tiled",
        secret: SECRET,
        redirectUris: redirectUris.length > 0 ? redirectUris : ["http://127.0.0.1/cb"],
      },
      { id: PROGRAM, redirectUris: [] },
      { id: "another-program", redirectUris: [] },
    ],
    resource: { audience: AUDIENCE, scopes: ["tiled.metrics"] },
  });
}

async function scene(t: TestContext) {
  const cleanup = t.after.bind(t);
  const port = await freePort();
  const provider = await lab(cleanup, [`http://127.0.0.1:${port}/api/v1/auth/provider/lab/code`]);
  const args = {
    audience: AUDIENCE,
    client_id: "tiled",
    client_secret: SECRET,
    device_flow_client_id: PROGRAM,
    well_known_uri: provider.wellKnown,
    scopes_map: { "tiled.metrics": ["metrics"] },
  };
  const served = await serve(cleanup, port, {
    provider: { provider: "lab", authenticator: "tiled.authenticators:ProxiedOIDCAuthenticator", args },
  });
  const ask = async (path: string, token: string) => {
    const response = await fetch(`${served.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { ...served, provider, ask };
}

/** With the provider's own key, as no client ever gets it. */
function signedThere({ key }: RealProvider, like: string, change: JWTPayload): Promise<string> {
  const { alg = "", ...header } = decodeProtectedHeader(like);
  return new SignJWT({ ...decodeJwt(like), ...change })
    .setProtectedHeader({ ...header, alg })
    .sign(key.privateKey);
}

describe("a proxied server", { skip: withoutTiled() || withoutChromium() }, () => {
  test("the Python client logs in at the provider, refreshes and logs out there", TIMEOUT, async (t) => {
    const { url, browser, env, provider } = await scene(t);
    const program = deviceProgram(t.after.bind(t), url, env);
    const prompt = await program.prompt();
    assert.ok(prompt.url.startsWith(`${provider.url}/device?user_code=`), prompt.url);
    const page = await (await browser.newContext()).newPage();
    await page.goto(prompt.url);
    await page.getByRole("button", { name: "Continue" }).click();
    await submitLogin(page);
    await page.getByRole("heading", { name: "Logged in" }).waitFor();
    const { report } = await program.end();
    assert.deepEqual(report, { identities: [["lab", ADA.id]], nodes: ["A", "B", "C", "D"] });

    const next = (await client("automatic", [url], [], env)) as { authenticated: boolean };
    assert.equal(next.authenticated, true, "the next process");
    const refreshed = await client("expiry", [url, "0"], [], env);
    const forced = ["access_token", "refresh_token"];
    assert.partialDeepStrictEqual(refreshed, { forced, whoami: [{ provider: "lab", id: ADA.id }] });
    const logout = (await client("logout", [url], [], env)) as Record<string, unknown>;
    assert.deepEqual([logout["authenticated"], logout["automatic"], logout["files"]], [false, false, {}]);
  });

  test("a browser logs in as the same person that its programs are", TIMEOUT, async (t) => {
    const { url, browser, provider, ask } = await scene(t);
    const { access_token: token } = await tokensOf(provider, { client: PROGRAM, scope: "openid" });
    const sessions = async () =>
      (JSON.parse((await ask("/api/v1/auth/whoami", token)).body) as { sessions: object[] }).sessions.length;
    assert.equal(await sessions(), 0, "a program has none here");
    const page = await visit(browser, `${url}/api/v1/auth/provider/lab/authorize?next=/account`);
    await page.waitForURL(`${url}/account`);
    await page.getByText(`You are logged in as ${ADA.id} with lab.`).waitFor();
    assert.equal(await sessions(), 1, "of the same principal");
  });

  test(
    "tokens that are for others, expired, changed or not access tokens are refused",
    TIMEOUT,
    async (t) => {
      const { provider, ask, output } = await scene(t);
      const elsewhere = await lab(t.after.bind(t));
      const wanted = { client: PROGRAM, scope: "openid tiled.metrics" };
      const good = (await tokensOf(provider, wanted)).access_token;
      const { iat = 0 } = decodeJwt(good);
      const [head = "", , signature = ""] = good.split(".");
      const payload = Buffer.from(JSON.stringify({ ...decodeJwt(good), sub: GRACE.id })).toString(
        "base64url",
      );
      const other = "https://other.lab.example";
      const refused = {
        "for another audience": [
          (await tokensOf(provider, { ...wanted, resource: other })).access_token,
          /args\.audience/,
        ],
        "of another issuer": [(await tokensOf(elsewhere, wanted)).access_token, /signature/],
        "that names another issuer": [await signedThere(provider, good, { iss: elsewhere.url }), /\(iss\)/],
        "of another client": [
          (await tokensOf(provider, { ...wanted, client: "another-program" })).access_token,
          /args\.allowed_clients/,
        ],
        "another's name in it": [[head, payload, signature].join("."), /signature/],
        "without its signature": [`${head}.${payload}.`, /signature/],
        "an id_token": [(await tokensOf(provider, wanted)).id_token, /id_token|args\.audience/],
        over: [await signedThere(provider, good, { iat: iat - 400, exp: iat - 100 }), /expired/],
      } as const;
      for (const [what, [token, log]] of Object.entries(refused)) {
        await t.test(what, async () => {
          const before = output().length;
          for (const path of ["/api/v1/auth/whoami", "/api/v1/metadata/", "/api/v1/metrics"]) {
            const { status, headers, body } = await ask(path, token);
            assert.equal(status, 401, `${path}: ${body}`);
            assert.match(headers.get("www-authenticate") ?? "", /^Bearer/);
          }
          assert.match(output().slice(before), log);
          assert.ok(!output().includes(token), "it is in the log");
        });
      }
      await t.test("and the good one does, with the scopes that it was given", async () => {
        assert.equal((await ask("/api/v1/metrics", good)).status, 200);
        const plain = (await tokensOf(provider, { client: PROGRAM, scope: "openid" })).access_token;
        assert.equal((await ask("/api/v1/metadata/", plain)).status, 200);
        assert.equal((await ask("/api/v1/metrics", plain)).status, 401);
      });
    },
  );
});
