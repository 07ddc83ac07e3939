/**
 * The cookie that tells one browser from another while it is on its way to a provider and back. All tabs share it. It is no
 * credential: a login also needs its own state or token.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { readBrowserSecret, stateDigest } from "../../domain/login/binding.ts";
import { BROWSER_LOGIN_MAX_AGE } from "../../domain/login/browser-login.ts";
import type { Links } from "../links.ts";
import { OwnCookie } from "./cookies.ts";

type Where = Pick<Links, "isHttps">;

const NAME = "tiled_browser";
const COOKIE = new OwnCookie(NAME);
/** Seconds; longer than any login takes. */
const MAX_AGE = 3600;

export function browserOf(request: FastifyRequest, links: Where): string | null {
  return readBrowserSecret(COOKIE.read(request, links));
}

/** Gives the browser its secret, or more time with the one that it has. */
export function keepBrowser(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Where,
  secret: string,
): void {
  COOKIE.set(request, reply, links, secret, MAX_AGE);
}

/**
 * Tabs that a browser without a secret opens at once get one each, and the browser keeps the last. So each tab keeps its own
 * under the state of its login, too.
 */
export function keepForLogin(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Where,
  { secret, state }: { readonly secret: string; readonly state: string },
): void {
  cookieOfLogin(state).set(request, reply, links, secret, BROWSER_LOGIN_MAX_AGE);
}

/** The secret that a login with this state began with; else the browser's. */
export function browserOfLogin(request: FastifyRequest, links: Where, state: string): string | null {
  const own = readBrowserSecret(cookieOfLogin(state).read(request, links));
  return own ?? browserOf(request, links);
}

function cookieOfLogin(state: string): OwnCookie {
  return new OwnCookie(`${NAME}_${stateDigest(state).slice(0, 16)}`);
}
