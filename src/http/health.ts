/** `/healthz` says that the process answers; `/healthz/ready` that it can also read its database. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { Failure } from "../errors.ts";
import { answerJson } from "./answer.ts";

export function healthRoutes(app: FastifyInstance, ping: () => Promise<void>): void {
  const response = { 200: Type.Object({ status: Type.Literal("ready") }) };

  app.get(
    "/healthz",
    {
      config: { access: "public" },
      schema: { tags: ["operation"], summary: "Is the process alive?", response },
    },
    (_request, reply) => answerJson(reply, { status: "ready" }),
  );

  app.get(
    "/healthz/ready",
    {
      config: { access: "public" },
      schema: { tags: ["operation"], summary: "Can the server do its work?", response },
    },
    async (_request, reply) => {
      try {
        await ping();
      } catch (error) {
        throw error instanceof Failure ? error : new Failure("store_unavailable", { cause: error });
      }
      return answerJson(reply, { status: "ready" });
    },
  );
}
