/**
 * The tutorial, with nothing of it replaced: the real Python client, a real OpenID Connect provider, a real browser, and
 * our server in a process of its own.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { assertAccessible, startChromium, withoutChromium } from "../support/chromium.ts";
import { deviceProgram, withoutClient } from "../support/device-program.ts";
import { type ProviderOptions, startProvider } from "../support/oidc-provider.ts";
import { ADA } from "../support/oidc-provider-pages.ts";
import { TILED } from "../support/ours.ts";
import { configurationFile, startServer, temporaryFolder } from "../support/process.ts";
import { client, withoutTiled } from "../support/python.ts";
import { TREE } from "../support/toy.ts";

const TIMEOUT = { timeout: 180_000 };
const NODES = ["A", "B", "C", "D"];

interface Scene {
  readonly url: string;
  readonly browser: Browser;
  readonly env: Readonly<Record<string, string>>;
}

/** Our server must know the provider's address, and the provider ours: so ours is chosen beforehand. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function scene(t: TestContext, options: Partial<ProviderOptions> = {}): Promise<Scene> {
  const cleanup = t.after.bind(t);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const routes = `${url}/api/v1/auth/provider/orcid`;
  const provider = await startProvider(cleanup, {
    clients: [
      { id: "tiled", secret: "of tests only", redirectUris: [`${routes}/code`, `${routes}/device_code`] },
    ],
    flavour: "orcid",
    ...options,
  });
  const args = {
    audience: "tiled",
    client_id: "tiled",
    client_secret: "of tests only",
    well_known_uri: provider.wellKnown,
    confirmation_message: "You have logged in with ORCID as {id}.",
  };
  const file = await configurationFile(cleanup, {
    authentication: {
      providers: [{ provider: "orcid", authenticator: "tiled.authenticators:OIDCAuthenticator", args }],
      secret_keys: ["of tests only"],
      allow_anonymous_access: true,
    },
    trees: [{ path: "/", tree: TREE }],
  });
  const command = [...TILED, "serve", "config", file, "--port", String(port)];
  await startServer(cleanup, command, /(http:\/\/[0-9.]+:[0-9]+)/);
  const folder = await temporaryFolder(cleanup);
  const env = { TILED_CACHE_DIR: `${folder}/cache`, TILED_PROFILES: `${folder}/profiles` };
  return { url, browser: await startChromium(cleanup), env };
}

/** A person follows the address that the program shows, and logs in at the provider. */
async function visit(browser: Browser, address: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(address);
  await page.getByLabel("User name").fill(ADA.username);
  await page.getByLabel("Password").fill(ADA.password);
  await page.getByRole("button", { name: "Log in" }).click();
  return page;
}

async function typeCode(page: Page, userCode: string): Promise<void> {
  const field = page.getByLabel("The code that your program shows");
  assert.equal(await page.locator(":focus").getAttribute("id"), "user_code", "autofocus");
  await field.fill(userCode);
  await field.press("Enter");
}

describe("a device login", { skip: withoutTiled() || withoutChromium() }, () => {
  test("the tutorial: login, a wrong code first, the next process, logout", TIMEOUT, async (t) => {
    const { url, browser, env } = await scene(t);
    const program = deviceProgram(t.after.bind(t), url, env);
    const prompt = await program.prompt();
    assert.match(prompt.userCode, /^[0-9A-F]{4}-[0-9A-F]{4}$/);
    const page = await visit(browser, prompt.url);
    await page.getByText(`You are signed in as ${ADA.id} with orcid.`).waitFor();
    await page.getByText(/^Tiled for Python 0\.2\.20$/).waitFor();
    await assertAccessible(page);

    await typeCode(page, "2222-2222");
    await page.getByRole("alert").waitFor();
    await assertAccessible(page);
    await typeCode(page, prompt.userCode.toLowerCase().replace("-", ""));
    await page.getByText("Return to your program.").waitFor();
    await assertAccessible(page);

    const { report, printed } = await program.end();
    assert.deepEqual(report, { identities: [["orcid", ADA.id]], nodes: NODES });
    assert.ok(printed.includes(`You have logged in with ORCID as ${ADA.id}.`), printed);

    const automatic = (await client("automatic", [url], [], env)) as { whoami: { identities: unknown[] } };
    assert.equal(automatic.whoami.identities.length, 1);
    const logout = (await client("logout", [url], [], env)) as { authenticated: boolean; automatic: boolean };
    assert.deepEqual([logout.authenticated, logout.automatic], [false, false]);
  });

  test("denied consent, and a login that is cancelled: the program is told at once", TIMEOUT, async (t) => {
    const { url, browser, env } = await scene(t, { consent: true });
    const denied = deviceProgram(t.after.bind(t), url, env);
    const page = await visit(browser, (await denied.prompt()).url);
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByRole("heading", { name: "orcid did not log you in" }).waitFor();
    await assertAccessible(page);
    const { report } = await denied.end();
    assert.deepEqual([report["raised"], /access_denied/.test(String(report["text"]))], ["ClientError", true]);

    const cancelled = deviceProgram(t.after.bind(t), url, env);
    const other = await visit(browser, (await cancelled.prompt()).url);
    await other.getByRole("button", { name: "Allow" }).click();
    await other.getByRole("button", { name: "Cancel" }).click();
    await other.getByRole("heading", { name: "Cancelled" }).waitFor();
    await assertAccessible(other);
    assert.match(String((await cancelled.end()).report["text"]), /cancelled in the browser/);
  });

  for (const version of ["0.1.6", "0.2.9", "0.2.14"]) {
    test(`the client ${version}`, { ...TIMEOUT, skip: withoutClient(version) }, async (t) => {
      const { url, browser, env } = await scene(t);
      const program = deviceProgram(t.after.bind(t), url, env, version);
      const prompt = await program.prompt();
      const page = await visit(browser, prompt.url);
      await page.getByText(`Tiled for Python ${version}`).waitFor();
      await typeCode(page, prompt.userCode);
      await page.getByText("Return to your program.").waitFor();
      const { report, printed } = await program.end();
      assert.deepEqual(report["identities"], [["orcid", ADA.id]]);
      assert.ok(printed.includes(`You have logged in with ORCID as ${ADA.id}.`), printed);
    });
  }
});
