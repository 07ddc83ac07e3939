/**
 * Cross-origin requests (CORS protocol of the Fetch standard) from the origins that the operator allows. @fastify/cors cannot
 * give Tiled's answers: a preflight is 200 with the body "OK", and 400 "Disallowed CORS origin" for another origin, where it
 * sends an empty answer in both cases. Its hooks also miss requests that no route sees, whose errors a page must be able to read.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import { Failure } from "../errors.ts";
import { METHODS } from "./methods.ts";

/** The header fields that a page may read beside the safelisted ones; Tiled exposes the request's id only. */
const EXPOSED = "ETag, Retry-After, Server-Timing, WWW-Authenticate, X-Tiled-Request-ID, X-Tiled-Root";

export class Cors {
  readonly #allowed: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#allowed = new Set(origins);
  }

  allows(origin: string): boolean {
    return this.#allowed.has("*") || this.#allowed.has(origin);
  }

  /** The CORS fields of an answer to a page of this origin. */
  fields(origin: string | undefined): Readonly<Record<string, string>> {
    // Without allowed origins all answers are the same.
    if (this.#allowed.size === 0) return NONE;
    if (origin === undefined || !this.allows(origin)) return VARY;
    return {
      ...VARY,
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": EXPOSED,
    };
  }

  /** To call before any hook that may refuse a request. */
  answerPages(app: FastifyInstance): void {
    app.addHook("onRequest", (request, reply, done) => {
      if (this.#allowed.size > 0) reply.headers(this.fields(request.raw.headers.origin));
      done();
    });
  }

  /** To call after the hooks that set the fields of every answer. */
  answerPreflights(app: FastifyInstance): void {
    app.addHook("onRequest", (request, reply, done) => {
      const { origin, "access-control-request-method": wanted } = request.raw.headers;
      if (origin === undefined || request.method !== "OPTIONS" || wanted === undefined) done();
      else this.#answerPreflight(reply, origin, request.headers["access-control-request-headers"]);
    });
  }

  #answerPreflight(reply: FastifyReply, origin: string, headers: string | undefined): void {
    reply.header("content-type", "text/plain; charset=utf-8");
    if (!this.allows(origin)) {
      const { status, detail } = new Failure("origin_refused");
      reply.code(status).send(detail);
      return;
    }
    reply.removeHeader("access-control-expose-headers");
    reply.header("access-control-allow-methods", METHODS.join(", "));
    reply.header("access-control-max-age", "600");
    if (headers !== undefined) reply.header("access-control-allow-headers", headers);
    reply.code(200).send("OK");
  }
}

const NONE = {};
const VARY = { vary: "Origin" };
