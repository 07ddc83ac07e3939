/**
 * The cookie in which a browser keeps an API key: the weakest credential, since a browser sends it by itself. How a key
 * of a URL becomes one is decided in `people/key-from-url.ts`; what a request with it may change, in `csrf.ts`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Links } from "../links.ts";
import { cookieOf, hostCookie } from "./cookies.ts";

type Where = Pick<Links, "isHttps">;

export const API_KEY_COOKIE = "tiled_api_key";

/** Null where there is none. An empty one counts as none. */
export function keyInCookie(request: FastifyRequest, links: Where): string | null {
  // Most requests carry none, and need not know by which way they came.
  if (request.raw.headers.cookie?.includes(API_KEY_COOKIE) !== true) return null;
  return cookieOf(request, hostCookie(API_KEY_COOKIE, request, links)) || null;
}

/** Whether there is one, even an empty one. */
export function hasKeyCookie(request: FastifyRequest, links: Where): boolean {
  if (request.raw.headers.cookie?.includes(API_KEY_COOKIE) !== true) return false;
  return cookieOf(request, hostCookie(API_KEY_COOKIE, request, links)) !== undefined;
}

export function keepKey(request: FastifyRequest, reply: FastifyReply, links: Where, key: string): void {
  send(request, reply, links, key, {});
}

export function dropKey(request: FastifyRequest, reply: FastifyReply, links: Where): void {
  send(request, reply, links, "", { maxAge: 0 });
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Where,
  value: string,
  lifetime: { readonly maxAge?: number },
): void {
  const attributes = {
    httpOnly: true,
    path: "/",
    sameSite: "lax",
    secure: links.isHttps(request),
    ...lifetime,
  } as const;
  const name = hostCookie(API_KEY_COOKIE, request, links);
  // At once: an answer that is passed on from another server is not put together here.
  reply.header("set-cookie", request.server.serializeCookie(name, value, attributes));
}
