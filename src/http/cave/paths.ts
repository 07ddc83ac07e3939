/** The two prefixes of CAVE's API. The reference routes the second to one replica; both have the same routes. */

/** The first is the documented one. */
export const PREFIXES = ["/auth/api/v1", "/sticky_auth/api/v1"] as const;

/** Never passed on to a service behind this server, whatever a newer CAVE may have there. */
export const OWN_PATHS = ["/auth", "/sticky_auth"] as const;

export const AUTH_INFO = "/auth_info";

const API = /^\/(?:sticky_)?auth\/api\/v1(?:[/?]|$)/;

/** Whether a request's target is a path of the API, of a route or not. */
export function isApiPath(url: string): boolean {
  return API.test(url);
}
