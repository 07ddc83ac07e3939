/**
 * What happens once after every request, also where the client has hung up before its answer: what it asked for may be
 * done all the same.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** `aborted`: nobody has had the answer. */
export type AfterRequest = (request: FastifyRequest, reply: FastifyReply, aborted: boolean) => void;

export function afterRequests(app: FastifyInstance, listener: AfterRequest): void {
  app.addHook("onRequest", (request, reply, done) => {
    reply.raw.once("close", () => {
      if (!reply.raw.writableFinished) listener(request, reply, true);
    });
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    listener(request, reply, false);
    done();
  });
}
