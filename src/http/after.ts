/**
 * Runs once after every request, even if the client hung up before its answer, since what it asked for may be done
 * nevertheless; and measures how long the request took. Fastify's hooks for both would add two listeners to every answer.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Connections } from "./connections.ts";

/** `ms`: how long the request took. `aborted`: the client hung up before it had the whole answer. */
export type AfterRequest = (
  request: FastifyRequest,
  reply: FastifyReply,
  ms: number,
  aborted: boolean,
) => void;

declare module "fastify" {
  interface FastifyRequest {
    /** From `performance.now()`; 0 before the first hook. */
    arrivedAt: number;
  }
}

/** Milliseconds since the request arrived. */
export function elapsed({ arrivedAt }: FastifyRequest): number {
  return arrivedAt === 0 ? 0 : performance.now() - arrivedAt;
}

/** Also tells `connections` about each request: one listener for all, since a listener costs more than what it does here. */
export function afterRequests(
  app: FastifyInstance,
  connections: Connections,
  listeners: readonly AfterRequest[],
): void {
  app.decorateRequest("arrivedAt", 0);
  app.addHook("onRequest", (request, reply, done) => {
    request.arrivedAt = performance.now();
    const { socket } = request.raw;
    connections.requestBegan(socket);
    // Node emits this exactly once, whether or not the answer was sent.
    reply.raw.on("close", () => {
      connections.requestEnded(socket);
      const ms = elapsed(request);
      const aborted = !reply.raw.writableFinished;
      for (const listener of listeners) listener(request, reply, ms, aborted);
    });
    done();
  });
}
