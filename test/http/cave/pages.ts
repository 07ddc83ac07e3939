/** A server that speaks CAVE, and people at its pages: for tests of `http/cave/browser`. */
import assert from "node:assert/strict";
import type { LightMyRequestResponse } from "fastify";
import type { Authenticator } from "../../../src/domain/ports/authenticator.ts";
import {
  PASSWORDS,
  type TestApp,
  type TestAppOptions,
  testApp,
  toy,
  type UserName,
} from "../../support/app.ts";
import { Browser } from "../../support/browser.ts";
import { ScriptedProvider } from "../../support/scripted-provider.ts";

export const SERVER = "https://cave.example.org";
export const VIEWER = "https://ng.example.org";
export const SERVICE = "https://pcg.example.org:8443";
export const COOKIE = "__Secure-cave_session";
export const AUTHORIZE = "/sticky_auth/api/v1/authorize";
export const TOKENS = `${SERVER}/sticky_auth/settings/tokens`;

/** A password provider and one elsewhere; a browser comes with the name of CAVE's host. */
export async function caveApp(options: TestAppOptions = {}) {
  const orcid = new ScriptedProvider();
  const authenticators = new Map<string, Authenticator>([
    ["toy", toy()],
    ["orcid", orcid],
  ]);
  const t = await testApp({
    authenticators,
    ...options,
    cave: { serverAddress: SERVER, origins: [VIEWER, SERVICE], ...options.cave },
  });
  return { t, orcid, [Symbol.asyncDispose]: () => t.close() };
}

export function authorizePath(redirect?: string): string {
  return redirect === undefined ? AUTHORIZE : `${AUTHORIZE}?${new URLSearchParams({ redirect })}`;
}

export async function logInToCave(
  t: TestApp,
  user: UserName,
  browser = new Browser(t),
  redirect?: string,
): Promise<Browser> {
  const page = await browser.open(authorizePath(redirect));
  const response = await browser.submit(page, { username: user, password: PASSWORDS[user] });
  assert.equal(response.statusCode, 303, response.body);
  return browser;
}

export function locationOf({ headers }: LightMyRequestResponse): URL {
  return new URL(String(headers.location));
}

/** The token in an answer that hands one over; null without one. */
export function tokenIn(response: LightMyRequestResponse): string | null {
  if (response.headers.location !== undefined) {
    return locationOf(response).searchParams.get("middle_auth_token");
  }
  return handOverIn(response)?.message.token ?? null;
}

interface HandedOver {
  readonly message: { readonly token: string; readonly app_urls: readonly string[] };
  readonly origins: readonly string[];
}

export function handOverIn({ body }: LightMyRequestResponse): HandedOver | null {
  const text = /<script type="application\/json" id="handover">(.*?)<\/script>/s.exec(body)?.[1];
  return text === undefined ? null : (JSON.parse(text) as HandedOver);
}
