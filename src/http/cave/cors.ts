/**
 * Which pages may read CAVE's API (CORS protocol of the Fetch standard): those of origins that may be handed a token, without
 * cookies. `allow_origins`, which is for Tiled's clients and allows cookies, does not count here.
 */
import type { PathOrigins } from "../cors.ts";
import { AUTH_INFO, isApiPath } from "./paths.ts";

export class CaveOrigins implements PathOrigins {
  readonly #allows: (origin: string) => boolean;

  /** `allows`: asked once per request, since the configuration may be replaced. */
  constructor(allows: (origin: string) => boolean) {
    this.#allows = allows;
  }

  fields(url: string, origin: string | undefined) {
    if (isAuthInfo(url)) return ANY;
    if (!isOwn(url)) return undefined;
    // No answer that differs by origin is kept in a cache, so programs, which send none, need no Vary.
    if (origin === undefined) return NONE;
    if (!isApiPath(url) || !this.#allows(origin)) return VARY;
    return {
      ...VARY,
      "access-control-allow-origin": origin,
      "access-control-expose-headers": "WWW-Authenticate",
    };
  }

  preflight(url: string, origin: string) {
    if (isAuthInfo(url)) return ALLOWED;
    if (!isOwn(url)) return undefined;
    if (!isApiPath(url) || !this.#allows(origin)) return null;
    return AUTHORIZE.test(url) ? ALLOWED_TO_ASK : ALLOWED;
  }
}

const NONE = {};
const ANY = { "access-control-allow-origin": "*" };
const VARY = { vary: "Origin" };
const ALLOWED = {
  "access-control-allow-methods": "DELETE, GET, HEAD, POST",
  "access-control-allow-headers": "Authorization, Content-Type",
};
/** Viewers ask `authorize` for the address to open like this. The answer is the same with and without a cookie. */
const ALLOWED_TO_ASK = {
  ...ALLOWED,
  "access-control-allow-headers": `${ALLOWED["access-control-allow-headers"]}, X-Requested-With`,
  "access-control-allow-credentials": "true",
};

const AUTHORIZE = /\/authorize(?:\?|$)/;

/** As `OWN_PATHS`: pages are in no other page's reach either. */
const OWN = /^\/(?:sticky_)?auth(?:[/?]|$)/;

function isAuthInfo(url: string): boolean {
  return url.startsWith(AUTH_INFO) && (url.length === AUTH_INFO.length || url[AUTH_INFO.length] === "?");
}

function isOwn(url: string): boolean {
  return OWN.test(url);
}
