/**
 * Cross-site request forgery: a request that changes something and carries the cookie `tiled_api_key` must repeat the
 * value of the cookie `tiled_csrf` (double submit). Other credentials are not sent by a browser on its own. What needs no
 * credential, such as a login, is begun by no page of a foreign origin either.
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
    /** The route looks at no key, and its form carries a token that only this browser's page has. */
    formToken?: true;
    /** What goes wrong counts against the caller's address: no page of a foreign origin may cause it there. */
    counted?: true;
    /** A cache may keep the answer for everybody: it carries no cookie. */
    shared?: true;
  }
}

/** Under this name, without a prefix, the Python client looks for it. A planted one is of no use: see `checkSource`. */
const CSRF_COOKIE = "tiled_csrf";

/** `trusted`: origins whose pages may use the cookie. A star allows any page to read, and trusts none with the cookie. */
export function protectFromForgery(app: FastifyInstance, links: Links, trusted: readonly string[]): void {
  const newToken = uniqueNames(24);
  const anyMayLogIn = trusted.includes("*");
  const trusts: Trust = (origin) => trusted.includes(origin);
  app.addHook("onRequest", (request, reply, done) => {
    const { counted = false, formToken = false, shared = false } = routeOf(request);
    if (!shared && !hasCookie(request, CSRF_COOKIE)) {
      const secure = links.isHttps(request) ? "; Secure" : "";
      reply.header("set-cookie", `${CSRF_COOKIE}=${newToken()}; HttpOnly; Path=/; SameSite=lax${secure}`);
    }
    if (SAFE_METHODS.has(request.method) || formToken) done();
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

/** Fails where the value of `tiled_csrf` is not repeated; `cookie`: the credential that a browser sends by itself. */
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
