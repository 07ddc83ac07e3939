/**
 * Which addresses may be handed a token: those of the server itself and of the origins in `cave.origins`, by scheme, host and
 * port (RFC 9700, section 4.11). The text of an address has to name its host plainly, since services, proxies and browsers
 * read spellings beyond that differently. `server-address.ts` has our own addresses.
 */
import { withoutParameters } from "../query.ts";
import type { CaveLinks } from "./server-address.ts";

/** `own`: a page of ours, which needs no token. `handed`: an address that is handed one. */
export type Redirect =
  | { readonly kind: "none" }
  | { readonly kind: "refused" }
  | { readonly kind: "own" | "handed"; readonly url: URL };

/** All origins that may be handed a token, our own first. */
export function handedOrigins(links: CaveLinks, allowed: readonly string[]): readonly string[] {
  return [...new Set([links.origin, ...allowed])];
}

export interface AllowedOrigins {
  /** The origins of `cave.origins`. */
  allowsOrigin(origin: string): boolean;
}

/** Bytes. */
export const LONGEST_REDIRECT = 4096;
/** Control characters, spaces and backslashes: browsers drop the first and take the last for slashes (URL standard, 4.4). */
const STRANGE = /[\p{Cc}\p{Cs}\p{Z}\\]/u;
const AUTHORITY = /^(https?):\/\/([^/?#]+)/i;
const TOKEN_PARAMETERS: ReadonlySet<string> = new Set(["middle_auth_token", "token", "middle_auth_url"]);

/** `given`: the parameter `redirect` as it was parsed; a list if it came more than once. */
export function readRedirect(given: unknown, links: CaveLinks, allowed: AllowedOrigins): Redirect {
  if (given === undefined) return { kind: "none" };
  if (typeof given !== "string" || Buffer.byteLength(given) > LONGEST_REDIRECT || STRANGE.test(given))
    return REFUSED;
  const [, scheme = "", authority = ""] = AUTHORITY.exec(given) ?? [];
  const url = authority === "" ? null : URL.parse(given);
  // Encoding makes an address longer, and the encoded one is read again after the login.
  if (url === null || url.href.length > LONGEST_REDIRECT || !isPlain(url, scheme, authority)) return REFUSED;
  if (links.isOwnPage(url)) return { kind: "own", url };
  const isAllowed = url.origin === links.origin || allowed.allowsOrigin(url.origin);
  return isAllowed ? { kind: "handed", url } : REFUSED;
}

const REFUSED: Redirect = { kind: "refused" };

/** The text names the host and port that were parsed: no user info, nothing encoded, no other script, no number of an address. */
function isPlain(url: URL, scheme: string, authority: string): boolean {
  const port = scheme.toLowerCase() === "https" ? ":443" : ":80";
  const named = authority.toLowerCase();
  return url.username === "" && url.password === "" && (named === url.host || named === url.host + port);
}

/** The address with the token; other parameters and the fragment stay as they came. */
export function withToken(url: URL, token: string, links: CaveLinks): string {
  const kept = withoutParameters(url.search, TOKEN_PARAMETERS);
  const given = new URLSearchParams({
    middle_auth_token: token,
    token,
    middle_auth_url: links.authUrl,
  });
  const target = new URL(url);
  target.search = kept.length > 1 ? `${kept}&${given}` : `${given}`;
  return target.href;
}
