/** `POST /auth/logout`: takes the browser's key cookie away. It revokes nothing; Tiled's web client calls it. */
import type { FastifyInstance } from "fastify";
import { answerJson } from "./answer.ts";
import { API_KEY_COOKIE } from "./csrf.ts";

export function logoutRoute(app: FastifyInstance): void {
  app.post(
    "/api/v1/auth/logout",
    {
      config: { access: "public" },
      schema: { tags: ["session"], summary: "Clear the cookie tiled_api_key", deprecated: true },
    },
    async (_request, reply) => {
      reply.setCookie(API_KEY_COOKIE, "", { path: "/", maxAge: 0, sameSite: "lax", httpOnly: true });
      return answerJson(reply, {});
    },
  );
}
