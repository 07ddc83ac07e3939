/**
 * The cookie that tells one browser from another while it is on its way to a provider and back. All tabs share it; it
 * is no credential, and whoever has it still needs the login's own state or token.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { readBrowserSecret, stateDigest } from "../../domain/login/binding.ts";
import { BROWSER_LOGIN_MAX_AGE } from "../../domain/login/browser-login.ts";
import type { Links } from "../links.ts";
import { cookieOf, hostCookie } from "./cookies.ts";

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
  set(request, reply, links, { name: NAME, secret, maxAge: MAX_AGE });
}

/**
 * Tabs that a browser opens at once when it has no secret yet get one each, and keep the last only: each keeps its own for
 * the login, too.
 */
export function keepForLogin(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Links,
  { secret, state }: { readonly secret: string; readonly state: string },
): void {
  set(request, reply, links, { name: nameFor(state), secret, maxAge: BROWSER_LOGIN_MAX_AGE });
}

/** The secret that a login with this state began with; else the browser's. */
export function browserOfLogin(request: FastifyRequest, links: Links, state: string): string | null {
  const own = readBrowserSecret(cookieOf(request, hostCookie(nameFor(state), request, links)));
  return own ?? browserOf(request, links);
}

function nameFor(state: string): string {
  return `${NAME}_${stateDigest(state).slice(0, 16)}`;
}

function set(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Links,
  { name, secret, maxAge }: { readonly name: string; readonly secret: string; readonly maxAge: number },
): void {
  reply.setCookie(hostCookie(name, request, links), secret, {
    httpOnly: true,
    // Lax: it must come along when the provider sends the browser back.
    sameSite: "lax",
    secure: links.isHttps(request),
    path: "/",
    maxAge,
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
