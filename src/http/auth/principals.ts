/** `/auth/principal…`: what admins do with users and services. */
import type { FastifyInstance } from "fastify";
import { type Static, Type } from "typebox";
import { Failure } from "../../errors.ts";
import { parseUuid, type Uuid } from "../../lib/uuid.ts";
import { ApiKeyBody, FirstEightQuery, NewApiKey, PageQuery, Principal, Problem } from "../../schemas/auth.ts";
import { noContent } from "../access/access.ts";
import { knownOf } from "../access/callers.ts";
import { answer } from "../answer.ts";
import { apiKeyRequest } from "./api-keys.ts";
import type { AuthServices } from "./services.ts";
import { apiKeyView, principalView } from "./views.ts";

type ByUuid = { Params: { uuid: string } };

export function principalRoutes(app: FastifyInstance, services: AuthServices): void {
  app.get<{ Querystring: Static<typeof PageQuery> }>(
    "/api/v1/auth/principal",
    {
      config: { access: { scopes: ["read:principals"] } },
      schema: {
        tags: ["admin"],
        summary: "List principals",
        querystring: PageQuery,
        response: { 200: Type.Array(Principal), 401: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const page = {
        offset: query["page[offset]"] ?? query.offset ?? 0,
        limit: query["page[limit]"] ?? query.limit ?? 100,
      };
      const principals = await services.principals.list(page);
      const views = principals.map((principal) => principalView(principal, services.activity));
      return answer(request, reply, views, { noStore: true });
    },
  );

  app.post<{ Querystring: { role: string; note?: string } }>(
    "/api/v1/auth/principal",
    {
      config: { access: { scopes: ["write:principals"] } },
      schema: {
        tags: ["admin"],
        summary: "Make a service",
        querystring: Type.Object({
          role: Type.String({
            minLength: 1,
            description: "`user`, `admin`, or `metrics` (which reads metrics only)",
          }),
          note: Type.Optional(Type.String({ description: "what it is for; lists show it" })),
        }),
        response: { 200: Principal, 401: Problem, 403: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      const { role, note } = request.query;
      const made = await services.principals.createService(
        knownOf(request),
        role,
        services.contextOf(request),
        note,
      );
      return answer(request, reply, principalView(made, services.activity), { noStore: true });
    },
  );

  app.get<ByUuid>(
    "/api/v1/auth/principal/:uuid",
    {
      config: { access: { scopes: ["read:principals"] } },
      schema: {
        tags: ["admin"],
        summary: "Show a principal",
        response: { 200: Principal, 401: Problem, 404: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      const principal = await services.principals.document(readUuid(request.params.uuid));
      return answer(request, reply, principalView(principal, services.activity), { noStore: true });
    },
  );

  app.post<ByUuid & { Body: Static<typeof ApiKeyBody> }>(
    "/api/v1/auth/principal/:uuid/apikey",
    {
      config: { access: { scopes: ["admin:apikeys"] }, body: "json" },
      schema: {
        tags: ["admin"],
        summary: "Make an API key for a principal",
        body: ApiKeyBody,
        response: { 200: NewApiKey, 400: Problem, 401: Problem, 403: Problem, 404: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      const owner = await services.principals.summary(readUuid(request.params.uuid));
      const wanted = apiKeyRequest(request.body);
      const made = await services.apiKeys.create(
        knownOf(request),
        owner,
        wanted,
        services.contextOf(request),
      );
      return answer(request, reply, { ...apiKeyView(made.key), secret: made.secret }, { noStore: true });
    },
  );

  app.delete<ByUuid & { Querystring: Static<typeof FirstEightQuery> }>(
    "/api/v1/auth/principal/:uuid/apikey",
    {
      config: { access: { scopes: ["admin:apikeys"] } },
      schema: {
        tags: ["admin"],
        summary: "Revoke an API key of a principal",
        querystring: FirstEightQuery,
        response: { 204: {}, 401: Problem, 404: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      const uuid = readUuid(request.params.uuid);
      if (!(await services.apiKeys.revoke(uuid, request.query.first_eight, services.contextOf(request)))) {
        throw new Failure("not_found", { detail: `The principal ${uuid} has no such API key.` });
      }
      return noContent(reply);
    },
  );

  for (const [verb, disabled] of [
    ["disable", true],
    ["enable", false],
  ] as const) {
    app.post<ByUuid>(
      `/api/v1/auth/principal/:uuid/${verb}`,
      {
        config: { access: { scopes: ["write:principals"] } },
        schema: {
          tags: ["admin"],
          summary: disabled
            ? "Shut a principal out: sessions, tokens and keys"
            : "Let a disabled principal in again",
          response: { 204: {}, 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: Problem },
        },
      },
      async (request, reply) => {
        const uuid = readUuid(request.params.uuid);
        await services.principals.setDisabled(knownOf(request), uuid, disabled, services.contextOf(request));
        return noContent(reply);
      },
    );
  }
}

function readUuid(text: string): Uuid {
  const uuid = parseUuid(text);
  if (uuid !== undefined) return uuid;
  throw new Failure("invalid", {
    detail: [{ type: "uuid_parsing", loc: ["path", "uuid"], msg: "Input should be a valid UUID" }],
  });
}
