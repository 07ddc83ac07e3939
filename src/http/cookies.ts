/** A request's cookies, parsed when somebody asks for the first time. Setting them is @fastify/cookie's. */
import type { FastifyRequest } from "fastify";

type Cookies = Readonly<Record<string, string | undefined>>;

const NONE: Cookies = {};

export function cookiesOf(request: FastifyRequest): Cookies {
  const { cookie } = request.raw.headers;
  if (cookie === undefined) return NONE;
  // Null until then, whatever its type says.
  request.cookies ??= request.server.parseCookie(cookie) as typeof request.cookies;
  return request.cookies;
}
