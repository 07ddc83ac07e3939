/**
 * What happens once after every request, also where the client has hung up before its answer: what it asked for may be
 * done all the same; and how long it took. Fastify could tell both, and would listen twice more to every answer for it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Connections } from "./connections.ts";

/** `aborted`: nobody has had the answer. */
export type AfterRequest = (request: FastifyRequest, reply: FastifyReply, aborted: boolean) => void;

declare module "fastify" {
  interface FastifyRequest {
    /** As `performance.now()` tells it; 0 where no hook has seen the request. */
    arrivedAt: number;
  }
}

/** Milliseconds since the request arrived. */
export function elapsed({ arrivedAt }: FastifyRequest): number {
  return arrivedAt === 0 ? 0 : performance.now() - arrivedAt;
}

/** `connections` are told of each request, too. One listener does it all, since each costs as much as it does. */
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
    // Node tells it exactly once, whether the answer has been sent or not.
    reply.raw.on("close", () => {
      connections.requestEnded(socket);
      const aborted = !reply.raw.writableFinished;
      for (const listener of listeners) listener(request, reply, aborted);
    });
    done();
  });
}
