/**
 * A request's cookies, parsed when a route asks for one that may be there, and the names of our own. Setting them is
 * @fastify/cookie's.
 */
import type { FastifyRequest } from "fastify";
import type { Links } from "../links.ts";

type Cookies = Readonly<Record<string, string | undefined>>;

const NONE: Cookies = {};

const EQUALS = 61;

/**
 * The name under which a cookie of ours counts. Under HTTPS its prefix keeps neighbours of our host name from planting
 * one of theirs (RFC 6265bis, section 4.1.3.2).
 */
export function hostCookie(name: string, request: FastifyRequest, links: Pick<Links, "isHttps">): string {
  return links.isHttps(request) ? `__Host-${name}` : name;
}

export function cookieOf(request: FastifyRequest, name: string): string | undefined {
  return request.raw.headers.cookie?.includes(name) ? cookiesOf(request)[name] : undefined;
}

/** What stands around a name counts as white space, and no other: as for the parser (RFC 6265, section 5.2). */
const AROUND = /^[ \t]+|[ \t]+$/g;

/** How often a cookie is given: a second one of the name comes from another path or another host. */
export function timesGiven(request: FastifyRequest, name: string): number {
  const { cookie } = request.raw.headers;
  if (cookie === undefined || !cookie.includes(name)) return 0;
  return cookie.split(";").filter((pair) => pair.split("=", 1)[0]?.replaceAll(AROUND, "") === name).length;
}

/** Whether a cookie is there, whatever its value; told without parsing where it is the first one, as programs send it. */
export function hasCookie(request: FastifyRequest, name: string): boolean {
  const { cookie } = request.raw.headers;
  if (cookie?.startsWith(name) && cookie.charCodeAt(name.length) === EQUALS) return true;
  return cookieOf(request, name) !== undefined;
}

function cookiesOf(request: FastifyRequest): Cookies {
  const { cookie } = request.raw.headers;
  if (cookie === undefined) return NONE;
  // Null until then, whatever its type says.
  request.cookies ??= request.server.parseCookie(cookie) as typeof request.cookies;
  return request.cookies;
}
