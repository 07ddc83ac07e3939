/**
 * Tokens of the provider of `oidc-provider.ts` for a program that logs in there by itself (RFC 8628), as the clients of
 * a proxied server do.
 */
import assert from "node:assert/strict";
import type { RealProvider } from "./oidc-provider.ts";
import { type Account, ADA } from "./oidc-provider-pages.ts";
import { Visitor } from "./visitor.ts";

export interface Wanted {
  readonly client: string;
  readonly scope: string;
  readonly account?: Account;
  /** RFC 8707: another server than the provider's own choice. */
  readonly resource?: string;
}

export interface ProviderTokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token?: string;
}

/** The program asks, a person confirms and logs in, the program collects. */
export async function tokensOf({ url }: RealProvider, wanted: Wanted): Promise<ProviderTokens> {
  const { client: client_id, scope, account = ADA, resource } = wanted;
  const started = await post(`${url}/device/auth`, { client_id, scope, ...(resource && { resource }) });
  const visitor = new Visitor();
  let page = await visitor.open(started["verification_uri_complete"] ?? assert.fail(JSON.stringify(started)));
  const { username, password } = account;
  for (let step = 0; step < 5 && !page.text.includes("Logged in"); step++) {
    page = await visitor.submit(page, { username, password, answer: "yes", confirm: "yes" });
  }
  const answer = await post(`${url}/token`, {
    client_id,
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: started["device_code"] ?? "",
    ...(resource && { resource }),
  });
  const { access_token, id_token, refresh_token } = answer;
  assert.ok(access_token !== undefined && id_token !== undefined, JSON.stringify(answer));
  return { access_token, id_token, ...(refresh_token !== undefined && { refresh_token }) };
}

async function post(url: string, fields: Record<string, string>): Promise<Record<string, string>> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
  return (await response.json()) as Record<string, string>;
}
