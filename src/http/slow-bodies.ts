/**
 * Limits how long a body for one of our own routes may take. Node has such a limit for all requests of a server, but it is off
 * for servers that pass uploads on, which may take hours (`gateway/gateway.ts` ends those that fall silent).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";

/** For the unread rest of a body that has been answered already, e.g. with 401. */
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
