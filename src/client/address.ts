/**
 * Turns an address as people copy it (a node's page, with or without `/api/v1`, with an API key in the query) into the
 * address of the API, by the Python client's rules.
 */

export interface ApiAddress {
  /** With a slash at its end, without query. */
  readonly apiUri: string;
  /** From `?api_key=`. */
  readonly apiKey: string | null;
  readonly nodePathParts: readonly string[];
}

/** @throws TypeError if it is not an http or https address, or has a password or two keys. The message never contains a key. */
export function apiAddressOf(uri: string | URL): ApiAddress {
  const url = httpUrlOf(uri);
  const keys = url.searchParams.getAll("api_key");
  if (keys.length > 1) throw new TypeError("The address has two API keys.");
  const { path, nodePathParts } = apiPathOf(url.pathname);
  return {
    apiUri: `${url.origin}${path.endsWith("/") ? path : `${path}/`}`,
    apiKey: keys[0] || null,
    nodePathParts,
  };
}

/** @throws TypeError */
export function httpUrlOf(uri: string | URL): URL {
  let url: URL;
  try {
    url = new URL(uri);
  } catch {
    // The platform's own error would repeat the text, and with it an API key.
    throw new TypeError("Invalid address. Use one such as https://tiled.example.org.");
  }
  if (!/^https?:$/.test(url.protocol))
    throw new TypeError("The address must begin with http:// or https://.");
  if (url.password !== "") throw new TypeError("The address must not contain a password. Log in instead.");
  // `fetch` refuses an address with one.
  url.username = "";
  return url;
}

/** The server's address, which the paths in its OpenAPI document start from. No slash at the end. */
export function baseOf(apiUri: string): string {
  return apiUri.replace(/(?:\/api\/v1)?\/$/, "");
}

/** A name or UUID in a path. @throws TypeError for one that would lead to another path. */
export function segmentOf(text: string): string {
  if (/^\.{0,2}$/.test(text)) throw new TypeError(`Invalid name or UUID: ${JSON.stringify(text)}.`);
  return encodeURIComponent(text);
}

/** For errors, since a query may contain a secret. */
export function withoutQuery(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

function apiPathOf(pathname: string): { readonly path: string; readonly nodePathParts: readonly string[] } {
  const at = pathname.indexOf("/metadata");
  if (at >= 0) {
    const parts = pathname.slice(at + "/metadata".length).split("/");
    return { path: pathname.slice(0, at), nodePathParts: parts.filter(Boolean).map(decoded) };
  }
  const path = pathname.replace(/\/$/, "");
  if (!path.includes("/api")) return { path: `${path}/api/v1`, nodePathParts: [] };
  if (!path.includes("/v1")) return { path: `${path}/v1`, nodePathParts: [] };
  return { path, nodePathParts: [] };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
