/** `/auth/session/…`: refresh (RFC 6749, section 6) and the end of sessions (RFC 7009). */
import { Failure } from "../../errors.ts";
import { parseUuid } from "../../lib/uuid.ts";
import { RefreshBody, TokenAnswer } from "../../schemas/auth.ts";
import { refusals } from "../../schemas/errors.ts";
import { noContent } from "../access/access.ts";
import { knownOf } from "../access/callers.ts";
import { answerJson } from "../answer.ts";
import type { TypedApp } from "../typed-app.ts";
import type { AuthServices } from "./services.ts";

export function sessionRoutes(app: TypedApp, services: AuthServices): void {
  app.post(
    "/api/v1/auth/session/refresh",
    {
      config: { access: "public", body: "json" },
      schema: {
        tags: ["session"],
        operationId: "refreshSession",
        summary: "Exchange a refresh token for new tokens",
        body: RefreshBody,
        response: { 200: TokenAnswer, ...refusals(401, 422) },
      },
    },
    async (request, reply) =>
      answerJson(
        reply,
        await services.sessions.refresh(request.body.refresh_token, services.contextOf(request)),
      ),
  );

  app.post(
    "/api/v1/auth/session/revoke",
    {
      config: { access: "public", body: "json" },
      schema: {
        tags: ["session"],
        operationId: "revokeSessionByToken",
        summary: "End the session of a refresh token",
        body: RefreshBody,
        response: { 204: {}, ...refusals(401, 409, 422) },
      },
    },
    async (request, reply) => {
      await services.sessions.revokeByToken(request.body.refresh_token, services.contextOf(request));
      return noContent(reply);
    },
  );

  app.delete(
    "/api/v1/auth/session/revoke/:session_id",
    {
      config: { access: "principal" },
      schema: {
        tags: ["session"],
        operationId: "revokeSession",
        summary: "End one of your own sessions",
        response: { 204: {}, ...refusals(401, 404) },
      },
    },
    async (request, reply) => {
      const session = parseUuid((request.params as { readonly session_id: string }).session_id);
      if (session === undefined) throw new Failure("not_found", { detail: "No such session" });
      await services.sessions.revokeOwn(
        session,
        knownOf(request).principal.uuid,
        services.contextOf(request),
      );
      return noContent(reply);
    },
  );
}
