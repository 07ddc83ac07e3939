/**
 * Logins at a real Keycloak, and its own access tokens as credentials: the authenticator alone, and the tutorial with
 * nothing of it replaced. One Keycloak serves all of these tests; each starts a server of ours on the same port.
 */
import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { OIDCAuthenticator } from "../../src/authenticators/oidc/authenticator.ts";
import { ProxiedOIDCAuthenticator } from "../../src/authenticators/oidc/proxied-authenticator.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { fails, newRequest, surroundings } from "../authenticators/oidc/support.ts";
import { withoutChromium } from "../support/chromium.ts";
import { deviceProgram } from "../support/device-program.ts";
import { freePort } from "../support/free-port.ts";
import { startKeycloak, withoutKeycloak } from "../support/keycloak.ts";
import {
  ALICE,
  ASKING,
  AUDIENCE,
  CLIENT,
  PROGRAM,
  realm,
  SAML_SP,
  SECRET,
} from "../support/keycloak-realm.ts";
import { client, withoutTiled } from "../support/python.ts";
import { serve, typeCode } from "../support/real-scene.ts";
import { SP_CERT, SP_KEY } from "../support/saml-keys.ts";
import { type Page as VisitedPage, Visitor } from "../support/visitor.ts";

const REDIRECT = newRequest().redirectUri;
const TIMEOUT = { timeout: 180_000 };
const NODES = ["A", "B", "C", "D"];

describe("Keycloak", { skip: withoutKeycloak(), timeout: 900_000 }, () => {
  let keycloak = "";
  let port = 0;
  const endings: (() => Promise<unknown>)[] = [];
  before(async () => {
    port = await freePort();
    const ours = `http://127.0.0.1:${port}/api/v1/auth/provider/keycloak`;
    const saml = `http://127.0.0.1:${port}/api/v1/auth/provider/lab/code`;
    const uris = [REDIRECT, `${ours}/code`, `${ours}/device_code`, saml];
    keycloak = await startKeycloak((last) => void endings.unshift(last), await freePort(), realm(uris));
  });
  after(async () => {
    for (const end of endings) await end();
  });

  async function ours(t: { after(step: () => Promise<unknown>): void }, secret = SECRET) {
    const around = surroundings({ clock: systemClock });
    const args = {
      ...CLIENT,
      client_secret: secret,
      well_known_uri: `${keycloak}/.well-known/openid-configuration`,
      user_id_claim: "preferred_username",
      scopes: ["profile"],
    };
    const authenticator = new OIDCAuthenticator(args, around.context, around.options);
    await authenticator.start();
    t.after(() => authenticator.stop());
    assert.equal(authenticator.problem(), null);
    const begun = async (visitor: Visitor) => {
      const request = newRequest();
      const page = await visitor.open(await authenticator.begin(request), REDIRECT);
      return { page, finish: (end: VisitedPage) => authenticator.finish({ ...request, callback: end.url }) };
    };
    return { begun };
  }

  /** The address is not verified. */
  const ALICE_IDENTITY = { id: "alice", profile: { name: "Alice Lab" } };

  test("a wrong password, the right one, a browser that is known, and one that is logged out", async (t) => {
    const { begun } = await ours(t);
    const visitor = new Visitor();
    const first = await begun(visitor);
    const wrong = await visitor.submit(first.page, { ...ALICE, password: "wrong" }, REDIRECT);
    assert.deepEqual([wrong.status, /Invalid username or password/.test(wrong.text)], [200, true]);
    const back = await visitor.submit(wrong, ALICE, REDIRECT);
    assert.equal(back.status, 0, back.text);
    assert.deepEqual(await first.finish(back), ALICE_IDENTITY);
    await assert.rejects(first.finish(back), "its code is good once");

    const again = await begun(visitor);
    assert.equal(again.page.status, 0, "Keycloak knows the browser");
    assert.deepEqual(await again.finish(again.page), ALICE_IDENTITY);

    await visitor.submit(await visitor.open(`${keycloak}/protocol/openid-connect/logout`), {
      confirmLogout: "Logout",
    });
    assert.equal((await begun(visitor)).page.status, 200, "it asks for the password");
  });

  test("a wrong client secret refuses every login, and the log names the setting", async (t) => {
    const { begun } = await ours(t, "wrong");
    const visitor = new Visitor();
    const { page, finish } = await begun(visitor);
    await fails(finish(await visitor.submit(page, ALICE, REDIRECT)), "login_refused", /client_secret/);
  });

  test("its own access tokens are credentials of their person, its id_tokens are not", async (t) => {
    const around = surroundings({ clock: systemClock });
    const args = {
      ...CLIENT,
      audience: AUDIENCE,
      device_flow_client_id: PROGRAM,
      well_known_uri: `${keycloak}/.well-known/openid-configuration`,
      user_id_claim: "preferred_username",
      scopes_map: { email: ["read:metadata"] },
    };
    const authenticator = new ProxiedOIDCAuthenticator(args, around.context, around.options);
    await authenticator.start();
    t.after(() => authenticator.stop());
    const links = authenticator.links();
    assert.ok(links !== null, String(authenticator.problem()));
    const device = await fetch(links.deviceAuthorizationEndpoint, {
      method: "POST",
      body: new URLSearchParams({ client_id: links.clientId, scope: "openid offline_access" }),
    });
    assert.equal(device.status, 200, "what the Python client asks for");
    const answer = await fetch(links.tokenEndpoint, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "password",
        client_id: links.clientId,
        scope: "openid",
        ...ALICE,
      }),
    });
    const tokens = (await answer.json()) as { access_token: string; id_token: string };
    assert.partialDeepStrictEqual(await authenticator.verify(tokens.access_token), {
      id: "alice",
      scopes: ["read:metadata"],
    });
    await fails(() => authenticator.verify(tokens.id_token), "invalid_token", /audience|another token/);
  });

  describe("our server, the real Python client and a browser", {
    skip: withoutTiled() || withoutChromium(),
  }, () => {
    const ARGS = {
      ...CLIENT,
      user_id_claim: "preferred_username",
      scopes: ["profile"],
      confirmation_message: "You have logged in with Keycloak as {id}.",
    };

    async function scene(t: TestContext, args: object, authenticator = "OIDCAuthenticator") {
      const served = await serve(t.after.bind(t), port, {
        provider: {
          provider: "keycloak",
          authenticator: `tiled.authenticators:${authenticator}`,
          args: { ...ARGS, ...args },
        },
      });
      return { ...served, program: () => deviceProgram(t.after.bind(t), served.url, served.env) };
    }
    const issuer = () => ({ well_known_uri: `${keycloak}/.well-known/openid-configuration` });

    /** Keycloak's public keys as an operator copies them, here without the name of their algorithm. */
    async function firstGeneration(): Promise<object> {
      const answer = await fetch(`${keycloak}/protocol/openid-connect/certs`);
      const { keys } = (await answer.json()) as { keys: Record<string, unknown>[] };
      return {
        token_uri: `${keycloak}/protocol/openid-connect/token`,
        authorization_endpoint: `${keycloak}/protocol/openid-connect/auth`,
        public_keys: keys.filter(({ use }) => use === "sig").map(({ alg, ...key }) => key),
      };
    }

    for (const [generation, args] of [
      ["issuer", issuer],
      ["endpoints and keys", firstGeneration],
    ] as const) {
      test(`the tutorial, args by ${generation}`, TIMEOUT, async (t) => {
        const { url, browser, env, program } = await scene(t, await args());
        const running = program();
        const prompt = await running.prompt();
        assert.ok(prompt.url.startsWith(`${keycloak}/protocol/openid-connect/auth?`), prompt.url);
        assert.match(prompt.userCode, /^[0-9A-F]{4}-[0-9A-F]{4}$/);
        const page = await signIn(browser, prompt.url, "wrong");
        await page.getByText("Invalid username or password").waitFor();
        await submitPassword(page, ALICE.password);
        await page.getByText("You are signed in as alice with keycloak.").waitFor();
        assert.ok(page.url().startsWith(`${url}/api/v1/auth/provider/keycloak/device_code?`), page.url());

        await typeCode(page, "2222-2222");
        await page.getByRole("alert").waitFor();
        await typeCode(page, prompt.userCode);
        await page.getByText("Return to your program.").waitFor();
        const { report, printed } = await running.end();
        assert.deepEqual(report, { identities: [["keycloak", "alice"]], nodes: NODES });
        assert.ok(printed.includes("You have logged in with Keycloak as alice."), printed);

        const next = (await client("automatic", [url], [], env)) as { authenticated: boolean };
        assert.equal(next.authenticated, true, "the next process");
        const logout = (await client("logout", [url], [], env)) as Record<string, unknown>;
        assert.deepEqual([logout["authenticated"], logout["automatic"]], [false, false]);
      });
    }

    for (const secured of [false, true])
      test(
        `SAML, with ${secured ? "signed requests and encrypted" : "plain"} assertions: a program and a browser`,
        TIMEOUT,
        async (t) => {
          const descriptor = await (await fetch(`${keycloak}/protocol/saml/descriptor`)).text();
          const [, x509cert] = /<ds:X509Certificate>([^<]*)</.exec(descriptor) ?? [];
          const saml_settings = {
            idp: {
              entityId: keycloak,
              singleSignOnService: { url: `${keycloak}/protocol/saml` },
              x509cert,
            },
            sp: {
              entityId: secured ? `${SAML_SP}/secured` : SAML_SP,
              assertionConsumerService: { url: `http://127.0.0.1:${port}/api/v1/auth/provider/lab/code` },
              x509cert: SP_CERT,
              privateKey: SP_KEY,
            },
            security: { authnRequestsSigned: secured, wantAssertionsEncrypted: secured },
          };
          const { url, browser, env } = await serve(t.after.bind(t), port, {
            provider: {
              provider: "lab",
              authenticator: "tiled.authenticators:SAMLAuthenticator",
              args: { saml_settings, attribute_name: "uid" },
            },
          });
          const running = deviceProgram(t.after.bind(t), url, env);
          const prompt = await running.prompt();
          const page = await signIn(browser, prompt.url);
          await page.getByText("You are signed in as alice with lab.").waitFor();
          await typeCode(page, prompt.userCode);
          await page.getByText("Return to your program.").waitFor();
          const { report } = await running.end();
          assert.deepEqual(report, { identities: [["lab", "alice"]], nodes: NODES });
          const person = await signIn(browser, `${url}/api/v1/auth/provider/lab/authorize?next=/account`);
          await person.getByRole("heading", { name: "Your account" }).waitFor();
        },
      );

    test("denied at Keycloak: the page says so, and the program ends at once", TIMEOUT, async (t) => {
      const { browser, program } = await scene(t, { ...issuer(), ...ASKING });
      const running = program();
      const page = await signIn(browser, (await running.prompt()).url);
      await page.getByRole("button", { name: "No" }).click();
      await page.getByRole("heading", { name: "keycloak did not log you in" }).waitFor();
      const { report } = await running.end();
      assert.deepEqual(
        [report["raised"], /access_denied/.test(String(report["text"]))],
        ["ClientError", true],
      );
    });

    test(
      "an account that is not admitted, and a wrong secret: no login, the log names the setting",
      TIMEOUT,
      async (t) => {
        for (const [args, heading, log] of [
          [{ allowed_users: ["bob"] }, "keycloak did not log you in", /allowed_users/],
          [{ client_secret: "wrong" }, "keycloak did not log you in", /client_secret/],
        ] as const) {
          await t.test(Object.keys(args).join(), async (t) => {
            const { browser, output, url } = await scene(t, { ...issuer(), ...args });
            const started = await fetch(`${url}/api/v1/auth/provider/keycloak/authorize`, { method: "POST" });
            const { authorization_uri: address } = (await started.json()) as { authorization_uri: string };
            const page = await signIn(browser, address);
            await page.getByRole("heading", { name: heading }).waitFor();
            assert.match(output(), log);
          });
        }
      },
    );

    test(
      "proxied: the program logs in at Keycloak by itself, the next one is logged in, logout",
      TIMEOUT,
      async (t) => {
        const args = { ...issuer(), audience: AUDIENCE, device_flow_client_id: PROGRAM, scopes: undefined };
        const { url, browser, env, program } = await scene(t, args, "ProxiedOIDCAuthenticator");
        const running = program();
        const prompt = await running.prompt();
        const page = await signIn(browser, prompt.url);
        await page.getByRole("button", { name: "Yes" }).click();
        await page.getByText("Device Login Successful").waitFor();
        const { report } = await running.end();
        assert.deepEqual(report, { identities: [["keycloak", "alice"]], nodes: NODES });
        const next = (await client("automatic", [url], [], env)) as { authenticated: boolean };
        assert.equal(next.authenticated, true, "the next process");
        const refreshed = await client("expiry", [url, "0"], [], env);
        const forced = ["access_token", "refresh_token"];
        assert.partialDeepStrictEqual(refreshed, { forced, whoami: [{ provider: "keycloak", id: "alice" }] });
        const logout = (await client("logout", [url], [], env)) as Record<string, unknown>;
        assert.deepEqual([logout["authenticated"], logout["automatic"], logout["files"]], [false, false, {}]);
      },
    );
  });
});

async function signIn(browser: Browser, address: string, password = ALICE.password): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(address);
  await page.getByLabel("Username or email").fill(ALICE.username);
  await submitPassword(page, password);
  return page;
}

async function submitPassword(page: Page, password: string): Promise<void> {
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign In" }).click();
}
