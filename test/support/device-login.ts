/**
 * The program's side of a device login against an application in the test's process, and the application itself with one
 * or two scripted providers.
 */
import type { LightMyRequestResponse } from "fastify";
import type { Authenticator } from "../../src/domain/ports/authenticator.ts";
import { type TestApp, type TestAppOptions, testApp } from "./app.ts";
import type { ScriptedOptions } from "./scripted-provider.ts";
import { ScriptedProvider } from "./scripted-provider.ts";

export const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
export const ADDRESS = "198.51.100.7";

export interface Started {
  readonly authorization_uri: string;
  readonly verification_uri: string;
  readonly device_code: string;
  readonly user_code: string;
  readonly interval: number;
  readonly expires_in: number;
}

export interface Answered {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly identity: { readonly id: string; readonly provider: string };
  readonly principal: string;
}

export interface Scene extends AsyncDisposable {
  readonly t: TestApp;
  readonly orcid: ScriptedProvider;
  readonly other: ScriptedProvider;
}

/** Providers `orcid`, which the options are for, and `other`; no principals yet. */
export async function scene(
  options: ScriptedOptions & { readonly app?: TestAppOptions } = {},
): Promise<Scene> {
  const orcid = new ScriptedProvider(options);
  const other = new ScriptedProvider({ host: "other.example" });
  const providers: readonly (readonly [string, Authenticator])[] = [
    ["orcid", orcid],
    ["other", other],
  ];
  const { authentication, ...app } = options.app ?? {};
  const t = await testApp({
    ...app,
    authentication: { admins: [], ...authentication },
    authenticators: new Map(providers),
  });
  return { t, orcid, other, [Symbol.asyncDispose]: () => t.close() };
}

export async function start(t: TestApp, provider = "orcid", headers: Record<string, string> = {}) {
  const response = await t.call({
    method: "POST",
    url: `/api/v1/auth/provider/${provider}/authorize`,
    headers: { "user-agent": "python-tiled/0.2.20", ...headers },
    remoteAddress: ADDRESS,
  });
  if (response.statusCode !== 200) throw new Error(`start: ${response.statusCode} ${response.body}`);
  return response.json<Started>();
}

export async function poll(
  t: TestApp,
  { device_code }: { readonly device_code: string },
  provider = "orcid",
): Promise<LightMyRequestResponse> {
  return await t.call({
    method: "POST",
    url: `/api/v1/auth/provider/${provider}/token`,
    payload: { device_code, grant_type: GRANT },
    remoteAddress: ADDRESS,
  });
}

/** As RFC 8628 says. */
export async function pollForm(
  t: TestApp,
  { device_code }: { readonly device_code: string },
): Promise<LightMyRequestResponse> {
  return await t.form("/api/v1/auth/provider/orcid/token", {
    device_code,
    grant_type: GRANT,
    client_id: "x",
  });
}

export async function events(t: TestApp): Promise<string[]> {
  const rows = (await t.store?.audit.read({ limit: 1000 })) ?? [];
  return rows.map(({ event, detail }) => (detail["reason"] ? `${event} ${detail["reason"]}` : event));
}
