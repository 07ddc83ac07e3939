/**
 * Refresh and logout requests: to the server, or to the provider if the server accepts the provider's own tokens (OpenID Connect
 * Core §12, RP-Initiated Logout §2).
 */
import { isLogin } from "./documents.ts";
import { ask, type Parts } from "./parts.ts";
import type { StoredTokens } from "./store.ts";
import type { Signal } from "./wait.ts";
import type { Provider, Tokens } from "./wire.ts";

/** New tokens; null: refused. */
export async function refresh(parts: Parts, refreshToken: string): Promise<StoredTokens | null> {
  const answer = await ask(parts, { ...refreshOf(parts, refreshToken), repeat: "always" });
  if (answer.status === 400 || answer.status === 401) return null;
  const document = (await answer.document()) as Partial<Tokens> | null;
  // A provider may keep the refresh token (RFC 6749 §6).
  const fresh = { ...document, refresh_token: document?.refresh_token ?? refreshToken };
  if (!isLogin(fresh)) throw answer.notOurs();
  return fresh;
}

/** Succeeds for a session that has already ended. */
export async function revoke(parts: Parts, tokens: StoredTokens, signal: Signal): Promise<void> {
  const provider = proxiedProviderOf(parts);
  const { refresh_token } = tokens;
  if (provider === null && refresh_token === undefined) return;
  const answer = await ask(parts, {
    ...(provider === null
      ? { path: "auth/session/revoke", json: { refresh_token } }
      : { path: providersLogout(parts, provider, tokens) }),
    repeat: "always",
    signal,
  });
  const { status } = answer;
  // A redirect, e.g. to the login page of a proxy, ended nothing. A browser reports it as 0.
  if ((status < 200 || status > 299) && ![400, 401, 409].includes(status)) throw await answer.refusal();
}

/** The provider whose own tokens the server accepts. Such a provider is the only one. */
function proxiedProviderOf({ serverInfo }: Pick<Parts, "serverInfo">): Provider | null {
  const [provider, ...others] = serverInfo.authentication.providers;
  return provider !== undefined && others.length === 0 && isProxied(provider) ? provider : null;
}

export function isProxied({ links }: Provider): boolean {
  return typeof links.client_id === "string" && typeof links.token_endpoint === "string";
}

/** Space-separated. */
export function scopesOf({ extra_scopes }: Provider): string {
  return [...new Set(["openid", "offline_access", ...(extra_scopes ?? [])])].sort().join(" ");
}

/** A provider's URL. It must have https, unless the API itself has http. */
export function providersUrl({ apiUri }: Pick<Parts, "apiUri">, link: unknown): string {
  const url = typeof link === "string" && URL.canParse(link) ? new URL(link) : null;
  if (url?.protocol === "https:" || (url?.protocol === "http:" && apiUri.startsWith("http:")))
    return url.href;
  throw new TypeError("Unsafe address of a provider: it must begin with https://.");
}

function refreshOf(parts: Parts, refreshToken: string) {
  const provider = proxiedProviderOf(parts);
  if (provider === null) return { path: "auth/session/refresh", json: { refresh_token: refreshToken } };
  const { links, extra_scopes } = provider;
  return {
    path: providersUrl(parts, parts.serverInfo.authentication.links?.refresh_session),
    form: {
      client_id: links.client_id ?? "",
      grant_type: "refresh_token",
      refresh_token: refreshToken,
      ...(extra_scopes?.length && { scope: scopesOf(provider) }),
    },
  };
}

function providersLogout(parts: Parts, { links }: Provider, { id_token }: StoredTokens): string {
  const url = new URL(providersUrl(parts, parts.serverInfo.authentication.links?.logout));
  if (id_token !== undefined) url.searchParams.set("id_token_hint", id_token);
  url.searchParams.set("client_id", links.client_id ?? "");
  return url.href;
}
