/** `/auth/principal…`: how admins manage users and services. */
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { Failure } from "../../errors.ts";
import { parseUuid, type Uuid } from "../../lib/uuid.ts";
import { ApiKeyBody, FirstEightQuery, NewApiKey, PageQuery, Principal } from "../../schemas/auth.ts";
import { refusals } from "../../schemas/errors.ts";
import { noContent } from "../access/access.ts";
import { knownOf } from "../access/callers.ts";
import { answer } from "../answer.ts";
import type { TypedApp } from "../typed-app.ts";
import { apiKeyRequest } from "./api-keys.ts";
import type { AuthServices } from "./services.ts";
import { apiKeyView, principalView } from "./views.ts";

export function principalRoutes(app: TypedApp, services: AuthServices): void {
  listPrincipals(app, services);
  createService(app, services);
  showPrincipal(app, services);
  createKey(app, services);
  revokeKey(app, services);
  disableAndEnable(app, services);
}

function listPrincipals(app: TypedApp, services: AuthServices): void {
  app.get(
    "/api/v1/auth/principal",
    {
      config: { access: { scopes: ["read:principals"] } },
      schema: {
        tags: ["admin"],
        operationId: "listPrincipals",
        summary: "List principals",
        querystring: PageQuery,
        response: { 200: Type.Array(Principal), ...refusals(401, 422) },
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
}

function createService(app: TypedApp, services: AuthServices): void {
  app.post(
    "/api/v1/auth/principal",
    {
      config: { access: { scopes: ["write:principals"] } },
      schema: {
        tags: ["admin"],
        operationId: "createServicePrincipal",
        summary: "Create a service",
        querystring: Type.Object({
          role: Type.String({
            minLength: 1,
            description: "`user`, `admin`, or `metrics` (may read metrics only)",
          }),
          note: Type.Optional(Type.String({ description: "Its purpose, shown in lists" })),
        }),
        response: { 200: Principal, ...refusals(401, 403, 422) },
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
}

function showPrincipal(app: TypedApp, services: AuthServices): void {
  app.get(
    "/api/v1/auth/principal/:uuid",
    {
      config: { access: { scopes: ["read:principals"] } },
      schema: {
        tags: ["admin"],
        operationId: "showPrincipal",
        summary: "Show a principal",
        response: { 200: Principal, ...refusals(401, 404, 422) },
      },
    },
    async (request, reply) => {
      const principal = await services.principals.document(uuidOf(request));
      return answer(request, reply, principalView(principal, services.activity), { noStore: true });
    },
  );
}

function createKey(app: TypedApp, services: AuthServices): void {
  app.post(
    "/api/v1/auth/principal/:uuid/apikey",
    {
      config: { access: { scopes: ["admin:apikeys"] }, body: "json" },
      schema: {
        tags: ["admin"],
        operationId: "createPrincipalApiKey",
        summary: "Create an API key for a principal",
        body: ApiKeyBody,
        response: {
          200: NewApiKey,
          ...refusals(400, 401, 403, 404, 422),
        },
      },
    },
    async (request, reply) => {
      const owner = await services.principals.summary(uuidOf(request));
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
}

function revokeKey(app: TypedApp, services: AuthServices): void {
  app.delete(
    "/api/v1/auth/principal/:uuid/apikey",
    {
      config: { access: { scopes: ["admin:apikeys"] } },
      schema: {
        tags: ["admin"],
        operationId: "revokePrincipalApiKey",
        summary: "Revoke an API key of a principal",
        querystring: FirstEightQuery,
        response: { 204: {}, ...refusals(401, 404, 422) },
      },
    },
    async (request, reply) => {
      const uuid = uuidOf(request);
      if (!(await services.apiKeys.revoke(uuid, request.query.first_eight, services.contextOf(request)))) {
        throw new Failure("not_found", { detail: `The principal ${uuid} has no such API key.` });
      }
      return noContent(reply);
    },
  );
}

function disableAndEnable(app: TypedApp, services: AuthServices): void {
  for (const [verb, disabled] of [
    ["disable", true],
    ["enable", false],
  ] as const) {
    app.post(
      `/api/v1/auth/principal/:uuid/${verb}`,
      {
        config: { access: { scopes: ["write:principals"] } },
        schema: {
          tags: ["admin"],
          operationId: disabled ? "disablePrincipal" : "enablePrincipal",
          summary: disabled
            ? "Disable a principal with its sessions, tokens and keys"
            : "Enable a principal again",
          response: {
            204: {},
            ...refusals(401, 403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const uuid = uuidOf(request);
        await services.principals.setDisabled(knownOf(request), uuid, disabled, services.contextOf(request));
        return noContent(reply);
      },
    );
  }
}

/** The principal in the path. */
function uuidOf({ params }: FastifyRequest): Uuid {
  const uuid = parseUuid((params as { readonly uuid: string }).uuid);
  if (uuid !== undefined) return uuid;
  throw new Failure("invalid", {
    detail: [{ type: "uuid_parsing", loc: ["path", "uuid"], msg: "Input should be a valid UUID" }],
  });
}
