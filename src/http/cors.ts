/**
 * Cross-origin requests (the Fetch standard's CORS protocol) from the origins that the operator allows, answered as
 * Tiled's web clients expect.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import { Failure } from "../errors.ts";

const METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  const allowed = new Set(origins);
  const isAllowed = (origin: string) => allowed.has("*") || allowed.has(origin);

  app.addHook("onRequest", (request, reply, done) => {
    // Where no page of another origin is answered, all answers are the same.
    if (allowed.size > 0) reply.header("vary", "Origin");
    const { origin } = request.raw.headers;
    if (origin === undefined) {
      done();
      return;
    }
    const preflight =
      request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
    if (preflight) {
      answerPreflight(reply, origin, request.headers["access-control-request-headers"], isAllowed(origin));
      return;
    }
    if (isAllowed(origin)) {
      reply.header("access-control-allow-origin", origin);
      reply.header("access-control-allow-credentials", "true");
      reply.header("access-control-expose-headers", "X-Tiled-Request-ID");
    }
    done();
  });
}

function answerPreflight(
  reply: FastifyReply,
  origin: string,
  headers: string | undefined,
  allowed: boolean,
): void {
  reply.header("content-type", "text/plain; charset=utf-8");
  if (!allowed) {
    const { status, detail } = new Failure("origin_refused");
    reply.code(status).send(detail);
    return;
  }
  reply.header("access-control-allow-origin", origin);
  reply.header("access-control-allow-credentials", "true");
  reply.header("access-control-allow-methods", METHODS);
  reply.header("access-control-max-age", "600");
  if (headers !== undefined) reply.header("access-control-allow-headers", headers);
  reply.code(200).send("OK");
}
