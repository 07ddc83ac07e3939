/**
 * The cookie that tells one browser from another while it is on its way to a provider and back. All tabs share it; it
 * is no credential, and whoever has it still needs the login's own state or token.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { readBrowserSecret } from "../domain/browser.ts";
import { cookieOf, hostCookie } from "./cookies.ts";
import type { Links } from "./links.ts";

const NAME = "tiled_browser";
/** Seconds; longer than any login takes. */
const MAX_AGE = 3600;

export function browserOf(request: FastifyRequest, links: Links): string | null {
  return readBrowserSecret(cookieOf(request, hostCookie(NAME, request, links)));
}

/** Gives the browser its secret, or some more time with it. */
export function keepBrowser(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Links,
  secret: string,
): void {
  reply.setCookie(hostCookie(NAME, request, links), secret, {
    httpOnly: true,
    // Lax: it must come along when the provider sends the browser back.
    sameSite: "lax",
    secure: links.isHttps(request),
    path: "/",
    maxAge: MAX_AGE,
  });
}

/** Whether a person looks at the answer. */
export function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? "").includes("text/html");
}

/** The request's query as it came. */
export function queryOf(request: FastifyRequest): string {
  const start = request.url.indexOf("?");
  return start === -1 ? "" : request.url.slice(start);
}
