/**
 * Cross-origin requests (CORS protocol of the Fetch standard) from the origins that the operator allows. @fastify/cors cannot
 * give Tiled's answers: a preflight is 200 with the body "OK", and 400 "Disallowed CORS origin" for another origin, where it
 * sends an empty answer in both cases. Its hooks also miss requests that no route sees, whose errors a page must be able to read.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../errors.ts";
import { METHODS } from "./methods.ts";

/** The header fields that a page may read beside the safelisted ones; Tiled exposes the request's id only. */
const EXPOSED = "ETag, Retry-After, Server-Timing, WWW-Authenticate, X-Tiled-Request-ID, X-Tiled-Root";

type Fields = Readonly<Record<string, string>>;

/** Rules for some paths, which then hold there in place of the operator's `allow_origins`. */
export interface PathOrigins {
  /** The fields of an answer to a page of this origin; undefined for a path without rules here. */
  fields(url: string, origin: string | undefined): Fields | undefined;
  /** The further fields of a preflight's answer; null: the origin is not allowed. Undefined as above. */
  preflight(url: string, origin: string): Fields | null | undefined;
}

export class Cors {
  readonly #allowed: ReadonlySet<string>;
  readonly #paths: PathOrigins | null;

  constructor(origins: readonly string[], paths: PathOrigins | null = null) {
    this.#allowed = new Set(origins);
    this.#paths = paths;
  }

  allows(origin: string): boolean {
    return this.#allowed.has("*") || this.#allowed.has(origin);
  }

  /** The CORS fields of an answer to a page of this origin. `url`: as routed; "" if it is not known. */
  fields(origin: string | undefined, url: string): Fields {
    return this.#paths?.fields(url, origin) ?? this.#usual(origin);
  }

  #usual(origin: string | undefined): Fields {
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
    if (this.#allowed.size === 0 && this.#paths === null) return;
    app.addHook("onRequest", (request, reply, done) => {
      const { origin } = request.raw.headers;
      if (this.#allowed.size > 0 || origin !== undefined) reply.headers(this.fields(origin, request.url));
      done();
    });
  }

  /** To call after the hooks that set the fields of every answer. */
  answerPreflights(app: FastifyInstance): void {
    app.addHook("onRequest", (request, reply, done) => {
      const { origin, "access-control-request-method": wanted } = request.raw.headers;
      if (origin === undefined || request.method !== "OPTIONS" || wanted === undefined) done();
      else {
        const own = this.#paths?.preflight(request.url, origin);
        const fields = own === undefined ? this.#usualPreflight(origin, request) : own;
        answerPreflight(reply, fields);
      }
    });
  }

  #usualPreflight(origin: string, { headers }: FastifyRequest): Fields | null {
    if (!this.allows(origin)) return null;
    const wanted = headers["access-control-request-headers"];
    return {
      "access-control-allow-methods": METHODS.join(", "),
      ...(wanted !== undefined && { "access-control-allow-headers": wanted }),
    };
  }
}

function answerPreflight(reply: FastifyReply, fields: Fields | null): void {
  reply.header("content-type", "text/plain; charset=utf-8");
  if (fields === null) {
    const { status, detail } = new Failure("origin_refused");
    reply.code(status).send(detail);
    return;
  }
  reply.removeHeader("access-control-expose-headers");
  reply.headers(fields).header("access-control-max-age", "600").code(200).send("OK");
}

const NONE = {};
const VARY = { vary: "Origin" };
