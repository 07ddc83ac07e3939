/**
 * What happens once after every request, also where the client has hung up before its answer: what it asked for may be
 * done all the same.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** `aborted`: nobody has had the answer. */
export type AfterRequest = (request: FastifyRequest, reply: FastifyReply, aborted: boolean) => void;

export function afterRequests(app: FastifyInstance, listeners: readonly AfterRequest[]): void {
  app.addHook("onRequest", (request, reply, done) => {
    // Node tells it exactly once, whether the answer has been sent or not.
    reply.raw.on("close", () => {
      const aborted = !reply.raw.writableFinished;
      for (const listener of listeners) listener(request, reply, aborted);
    });
    done();
  });
}
