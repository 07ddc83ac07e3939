/** `POST /auth/logout`: drops the browser's key cookie and revokes nothing. Tiled's web client calls it. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { dropKey } from "../access/key-cookie.ts";
import { answerJson } from "../answer.ts";
import type { Links } from "../links.ts";

export function logoutRoute(app: FastifyInstance, links: Links): void {
  app.post(
    "/api/v1/auth/logout",
    {
      config: { access: "public" },
      schema: {
        tags: ["session"],
        operationId: "logout",
        summary: "Clear the cookie tiled_api_key",
        deprecated: true,
        response: { 200: Type.Object({}) },
      },
    },
    async (request, reply) => {
      dropKey(request, reply, links);
      return answerJson(reply, {});
    },
  );
}
