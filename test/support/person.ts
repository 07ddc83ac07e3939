/**
 * People with a browser, in the test's process: they log in on the login page as the users of `app.ts`, or at a scripted
 * provider, and use the forms of their account.
 */
import assert from "node:assert/strict";
import type { LightMyRequestResponse } from "fastify";
import type { Authenticator } from "../../src/domain/ports/authenticator.ts";
import { PASSWORDS, type TestApp, type TestAppOptions, testApp, toy, type UserName } from "./app.ts";
import { Browser } from "./browser.ts";
import { type ScriptedOptions, ScriptedProvider } from "./scripted-provider.ts";

export const SESSION = "tiled_session";

export async function logIn(t: TestApp, user: UserName, browser = new Browser(t)): Promise<Browser> {
  const response = await tryLogin(browser, user, PASSWORDS[user], "?again=1");
  assert.equal(response.statusCode, 303, response.body);
  return browser;
}

export async function tryLogin(
  browser: Browser,
  username: string,
  password: string,
  query = "",
): Promise<LightMyRequestResponse> {
  return await browser.submit(await browser.open(`/login${query}`), { username, password });
}

/** Whether the browser is logged in, and as whom. */
export async function whoIs(browser: Browser): Promise<string | null> {
  const page = await browser.open("/account");
  if (page.statusCode !== 200) return null;
  return /logged in as <strong>([^<]*)</.exec(page.body)?.[1] ?? null;
}

export function pathOf(response: LightMyRequestResponse): string {
  const url = new URL(String(response.headers.location));
  return url.pathname + url.search;
}

/** A password provider and two that are elsewhere; `at`: how the first of them, orcid, is configured. */
export async function mixedApp(options: TestAppOptions = {}, at: ScriptedOptions = {}) {
  const orcid = new ScriptedProvider(at);
  const other = new ScriptedProvider({ host: "other.example" });
  const authenticators = new Map<string, Authenticator>([
    ["toy", toy()],
    ["orcid", orcid],
    ["other", other],
  ]);
  const t = await testApp({ ...options, authenticators });
  return { t, orcid, other, [Symbol.asyncDispose]: () => t.close() };
}

/** From our login page to the provider and back. */
export async function logInAt(
  browser: Browser,
  provider: ScriptedProvider,
  id: string,
  url = "/api/v1/auth/provider/orcid/authorize?next=/account",
): Promise<LightMyRequestResponse> {
  const away = await browser.open(url);
  return await browser.open(provider.signIn(String(away.headers.location), id));
}

export async function auditOf(t: TestApp): Promise<string[]> {
  return ((await t.store?.audit.read({ limit: 1000 })) ?? []).map(({ event }) => event);
}
