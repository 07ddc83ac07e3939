/**
 * The cookie that keeps the secret of an invitation or a reset, so that no later address of the browser holds it. It goes to
 * the pages below `/login` only.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { readLinkSecret } from "../../domain/login/account-links.ts";
import type { Links } from "../links.ts";
import { cookieOf, sendCookie, timesGiven } from "./cookies.ts";

type Where = Pick<Links, "isHttps" | "rootPath">;

/** Seconds. */
const MAX_AGE = 3600;

/** Null without one, and for two of them: a neighbour of our host name may have planted one. */
export function linkOf(request: FastifyRequest, links: Where): string | null {
  const name = nameOf(request, links);
  return timesGiven(request, name) === 1 ? readLinkSecret(cookieOf(request, name)) : null;
}

export function keepLink(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Where,
  secret: string,
  maxAge = MAX_AGE,
): void {
  const path = `${links.rootPath}/login`;
  sendCookie(reply, nameOf(request, links), secret, { path, secure: links.isHttps(request), maxAge });
}

export function dropLink(request: FastifyRequest, reply: FastifyReply, links: Where): void {
  keepLink(request, reply, links, "", 0);
}

/** `__Host-` would demand the path `/` (RFC 6265bis, section 4.1.3.2). */
function nameOf(request: FastifyRequest, links: Where): string {
  return links.isHttps(request) ? "__Secure-tiled_link" : "tiled_link";
}
