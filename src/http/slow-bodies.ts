/**
 * A body for one of our own routes comes within a minute or is not waited for. Node has such a limit for all requests of a
 * server; it is off where uploads pass through, which may take hours (`gateway/gateway.ts`, where silence ends them).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";

/** For the rest of a body that has its answer already, such as 401; nobody reads it. */
const LINGER_MS = 5_000;

export function dropSlowBodies(app: FastifyInstance, milliseconds: number, lingerMs = LINGER_MS): void {
  app.server.on("request", ({ headers, socket }: IncomingMessage, response: ServerResponse) => {
    if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return;
    response.once("finish", () => {
      const { req } = response;
      if (req.complete) return;
      const limit = setTimeout(() => socket.destroy(), lingerMs);
      req.once("close", () => clearTimeout(limit));
    });
  });
  app.addHook("preParsing", (request, _reply, payload, done) => {
    const { "content-length": length = "0", "transfer-encoding": coding } = request.raw.headers;
    if (length !== "0" || coding !== undefined) {
      const limit = setTimeout(() => request.raw.destroy(), milliseconds);
      payload.once("close", () => clearTimeout(limit));
      payload.once("end", () => clearTimeout(limit));
    }
    done(null, payload);
  });
}
