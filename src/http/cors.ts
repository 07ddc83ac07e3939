/**
 * Cross-origin requests (the Fetch standard's CORS protocol) from the origins that the operator allows, answered as
 * Tiled's web clients expect; a page can read what went wrong, too, where no route has seen the request.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import { Failure } from "../errors.ts";
import { METHODS } from "./methods.ts";

/** Of an answer's fields, those that a page may read beside the safelisted ones; Tiled's own has the request's id only. */
const EXPOSED = "ETag, Retry-After, Server-Timing, WWW-Authenticate, X-Tiled-Request-ID, X-Tiled-Root";

export class Cors {
  readonly #allowed: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#allowed = new Set(origins);
  }

  allows(origin: string): boolean {
    return this.#allowed.has("*") || this.#allowed.has(origin);
  }

  /** Fields of an answer to a page of that origin. */
  fields(origin: string | undefined): Readonly<Record<string, string>> {
    // Where no page of another origin is answered, all answers are the same.
    if (this.#allowed.size === 0) return NONE;
    if (origin === undefined || !this.allows(origin)) return VARY;
    return {
      ...VARY,
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": EXPOSED,
    };
  }

  /** Call it before any hook that may refuse a request. */
  answerPages(app: FastifyInstance): void {
    app.addHook("onRequest", (request, reply, done) => {
      if (this.#allowed.size > 0) reply.headers(this.fields(request.raw.headers.origin));
      done();
    });
  }

  /** Call it after those that give every answer its fields. */
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
