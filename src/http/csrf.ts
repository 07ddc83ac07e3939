/**
 * Cross-site request forgery: a request that changes something and carries the cookie `tiled_api_key` must repeat the
 * value of the cookie `tiled_csrf` (double submit). Other credentials are not sent by a browser on its own.
 */
import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Failure } from "../errors.ts";
import { equalSecrets } from "../lib/secrets.ts";
import type { Links } from "./links.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The route looks at no key, and its form carries a token that only this browser's page has. */
    formToken?: true;
  }
}

export const API_KEY_COOKIE = "tiled_api_key";
const CSRF_COOKIE = "tiled_csrf";
export const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

export function protectFromForgery(app: FastifyInstance, links: Links): void {
  app.addHook("onRequest", (request, reply, done) => {
    const cookies = request.raw.headers.cookie === undefined ? {} : request.cookies;
    if (cookies[CSRF_COOKIE] === undefined) {
      const secure = links.isHttps(request) ? "; Secure" : "";
      reply.header(
        "set-cookie",
        `${CSRF_COOKIE}=${randomBytes(24).toString("base64url")}; HttpOnly; Path=/; SameSite=lax${secure}`,
      );
    }
    const { formToken = false } = request.routeOptions.config;
    if (SAFE_METHODS.has(request.method) || cookies[API_KEY_COOKIE] === undefined || formToken) {
      done();
      return;
    }
    done(checkToken(request));
  });
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
  const expected = request.cookies[CSRF_COOKIE];
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
