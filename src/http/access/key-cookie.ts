/**
 * The cookie in which a browser keeps an API key: the weakest credential, since a browser sends it by itself.
 * `people/key-from-url.ts` decides how a key of a URL becomes one, `csrf.ts` what a request with it may change.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Links } from "../links.ts";
import { OwnCookie } from "./cookies.ts";

type Where = Pick<Links, "isHttps">;

export const API_KEY_COOKIE = "tiled_api_key";
const COOKIE = new OwnCookie(API_KEY_COOKIE);

/** Null without the cookie, or with an empty one. */
export function keyInCookie(request: FastifyRequest, links: Where): string | null {
  return COOKIE.read(request, links) || null;
}

/** Whether the cookie is there, even an empty one. */
export function hasKeyCookie(request: FastifyRequest, links: Where): boolean {
  return COOKIE.read(request, links) !== undefined;
}

export function hasTwoKeyCookies(request: FastifyRequest, links: Where): boolean {
  return COOKIE.timesGiven(request, links) > 1;
}

export function keepKey(request: FastifyRequest, reply: FastifyReply, links: Where, key: string): void {
  COOKIE.set(request, reply, links, key);
}

export function dropKey(request: FastifyRequest, reply: FastifyReply, links: Where): void {
  COOKIE.drop(request, reply, links);
}
