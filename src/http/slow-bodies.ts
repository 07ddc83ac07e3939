/**
 * A body for one of our own routes comes within a minute or is not waited for. Node has such a limit for all requests of a
 * server; it is off where uploads pass through, which may take hours (`gateway.ts`, where silence ends them).
 */
import type { FastifyInstance } from "fastify";

export function dropSlowBodies(app: FastifyInstance, milliseconds: number): void {
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
