/** A request's cookies, parsed when somebody asks for one that may be there. Setting them is @fastify/cookie's. */
import type { FastifyRequest } from "fastify";

type Cookies = Readonly<Record<string, string | undefined>>;

const NONE: Cookies = {};

const EQUALS = 61;

export function cookieOf(request: FastifyRequest, name: string): string | undefined {
  return request.raw.headers.cookie?.includes(name) ? cookiesOf(request)[name] : undefined;
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
