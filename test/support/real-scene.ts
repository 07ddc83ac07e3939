/**
 * Our server in a process of its own with a real provider beside it, and a browser: for tests in which nothing is
 * replaced.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { startChromium } from "./chromium.ts";
import { type Cleanup, configurationFile, temporaryFolder } from "./folders.ts";
import { freePort } from "./free-port.ts";
import { type ProviderOptions, type RealProvider, startProvider } from "./oidc-provider.ts";
import { ADA } from "./oidc-provider-pages.ts";
import { TILED } from "./ours.ts";
import { startServer } from "./process.ts";
import { TREE } from "./toy.ts";

export interface Scene {
  readonly url: string;
  readonly browser: Browser;
  readonly env: Readonly<Record<string, string>>;
}

/** A provider as the configuration names it, and what else is in the file. */
export interface Served {
  readonly provider: { readonly provider: string; readonly authenticator: string; readonly args: object };
  readonly sections?: object;
}

/** Our server on that port, with a public tree, and a browser. */
export async function serve(
  cleanup: Cleanup,
  port: number,
  { provider, sections }: Served,
): Promise<Scene & { readonly output: () => string }> {
  const file = await configurationFile(cleanup, {
    authentication: {
      providers: [provider],
      secret_keys: ["of tests only"],
      allow_anonymous_access: true,
    },
    trees: [{ path: "/", tree: TREE }],
    ...sections,
  });
  const command = [...TILED, "serve", "config", file, "--port", String(port)];
  const { output } = await startServer(cleanup, command, /(http:\/\/[0-9.]+:[0-9]+)/);
  const folder = await temporaryFolder(cleanup);
  const env = { TILED_CACHE_DIR: `${folder}/cache`, TILED_PROFILES: `${folder}/profiles` };
  return { url: `http://127.0.0.1:${port}`, browser: await startChromium(cleanup), env, output };
}

export async function realScene(
  t: TestContext,
  options: Partial<ProviderOptions> = {},
  more: {
    readonly args?: object | ((url: string, provider: RealProvider) => object);
    readonly sections?: object;
  } = {},
): Promise<Scene> {
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
    ...(typeof more.args === "function" ? more.args(url, provider) : more.args),
  };
  return await serve(cleanup, port, {
    provider: { provider: "orcid", authenticator: "tiled.authenticators:OIDCAuthenticator", args },
    sections: more.sections ?? {},
  });
}

/** A person follows the address that the program shows, and logs in at the provider. */
export async function visit(browser: Browser, address: string, account = ADA): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(address);
  await submitLogin(page, account);
  return page;
}

/** The form of `oidc-provider-pages.ts`. */
export async function submitLogin(page: Page, { username, password } = ADA): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Into the form that asks for the code of a program. */
export async function typeCode(page: Page, userCode: string): Promise<void> {
  const field = page.getByLabel("The code that your program shows");
  assert.equal(await page.locator(":focus").getAttribute("id"), "user_code", "autofocus");
  await field.fill(userCode);
  await field.press("Enter");
}
