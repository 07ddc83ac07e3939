/**
 * What happens once after every request, also where the client has hung up before its answer: what it asked for may be
 * done all the same.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** Whether this request is over and everybody knows. */
    told: boolean;
  }
}

/** `aborted`: nobody has had the answer. */
export type AfterRequest = (request: FastifyRequest, reply: FastifyReply, aborted: boolean) => void;

export function afterRequests(app: FastifyInstance, listeners: readonly AfterRequest[]): void {
  app.decorateRequest("told", false);
  const tell = (request: FastifyRequest, reply: FastifyReply, aborted: boolean) => {
    if (request.told) return;
    request.told = true;
    for (const listener of listeners) listener(request, reply, aborted);
  };
  app.addHook("onRequest", (request, reply, done) => {
    reply.raw.once("close", () => {
      tell(request, reply, !reply.raw.writableFinished);
    });
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    tell(request, reply, false);
    done();
  });
}
