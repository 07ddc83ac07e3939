/**
 * Cross-site request forgery: a request that changes something and carries the cookie `tiled_api_key` must repeat the
 * value of the cookie `tiled_csrf` (double submit). A browser does not send other credentials by itself. A page of a foreign
 * origin cannot begin a login either, although that needs no credential.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Failure } from "../../errors.ts";
import { equalSecrets, uniqueNames } from "../../lib/secrets.ts";
import type { Links } from "../links.ts";
import { SAFE_METHODS } from "../methods.ts";
import { routeOf } from "../route.ts";
import { cookieOf, hasCookie, timesGiven } from "./cookies.ts";
import { hasKeyCookie, hasTwoKeyCookies } from "./key-cookie.ts";
import { crossOrigin, isForeign, type Trust } from "./same-origin.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The route ignores the cookies of keys; its form, if it has one, carries a token that only this browser's page has. */
    formToken?: true;
    /**
     * A form that the pages of a provider post, so from any origin and without our cookies. The route reads no credential; the
     * form carries its own proof.
     */
    crossSite?: true;
    /** Failures count against the caller's address, so no page of a foreign origin may cause them. */
    counted?: true;
    /** Caches may share the answer, so it sets no cookie. */
    shared?: true;
  }
}

/** The Python client looks for this name, without a prefix. `checkSource` makes a planted one useless. */
const CSRF_COOKIE = "tiled_csrf";

/** `trusted`: origins whose pages may use the cookie. A star allows any page to read, and trusts none with the cookie. */
export function protectFromForgery(app: FastifyInstance, links: Links, trusted: readonly string[]): void {
  const newToken = uniqueNames(24);
  const anyMayLogIn = trusted.includes("*");
  const trusts: Trust = (origin) => trusted.includes(origin);
  app.addHook("onRequest", (request, reply, done) => {
    const { counted = false, formToken = false, shared = false, crossSite = false } = routeOf(request);
    if (!shared && !hasCookie(request, CSRF_COOKIE)) {
      const secure = links.isHttps(request) ? "; Secure" : "";
      reply.header("set-cookie", `${CSRF_COOKIE}=${newToken()}; HttpOnly; Path=/; SameSite=lax${secure}`);
    }
    if (SAFE_METHODS.has(request.method) || formToken || crossSite) done();
    else if (hasKeyCookie(request, links)) done(checkSource(request, links, trusts) ?? checkToken(request));
    else if (counted && !anyMayLogIn && isForeign(request, links, trusts)) {
      done(crossOrigin("The request comes from a page whose origin is not in allow_origins."));
    } else done();
  });
}

function checkSource(request: FastifyRequest, links: Links, trusts: Trust): Failure | undefined {
  if (isForeign(request, links, trusts)) return crossOrigin();
  const isTwice = timesGiven(request, CSRF_COOKIE) > 1 || hasTwoKeyCookies(request, links);
  return isTwice ? new Failure("csrf", { detail: "A cookie of ours is given twice." }) : undefined;
}

/** Fails with `csrf` unless the value of `tiled_csrf` is repeated. `cookie`: the credential that a browser sent by itself. */
export function checkDoubleSubmit(request: FastifyRequest, cookie: string): void {
  const failure = checkToken(request);
  if (failure === undefined) return;
  throw new Failure("csrf", {
    detail: `The request carries the cookie ${cookie}. ${String(failure.detail)}`,
  });
}

function checkToken(request: FastifyRequest): Failure | undefined {
  const expected = cookieOf(request, CSRF_COOKIE);
  if (expected === undefined) return new Failure("csrf", { detail: "Expected the cookie tiled_csrf." });
  const header = request.headers["x-csrf"];
  const query = (request.query as Readonly<Record<string, unknown>>)["csrf"];
  const given = header ?? query;
  if (typeof given !== "string" || given === "") {
    return new Failure("csrf", { detail: "Expected the header x-csrf or the query parameter csrf." });
  }
  if (!equalSecrets(given, expected)) {
    return new Failure("csrf", { detail: "The CSRF token does not match the cookie tiled_csrf." });
  }
  return undefined;
}
