/** `GET /openapi.json`, made from the routes' own schemas and their declared access. */
import swagger from "@fastify/swagger";
import type { FastifyInstance, FastifySchema } from "fastify";
import type { Access } from "./access.ts";
import { answerBytes, Document, JSON_TYPE } from "./answer.ts";

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  /** Path of a route that takes a password, where there is one. */
  readonly tokenUrl: string | null;
  /** "" or "/prefix". */
  readonly rootPath: string;
}

/** Call it before the first route. */
export async function describeRoutes(app: FastifyInstance, options: OpenApiOptions): Promise<void> {
  const password =
    options.tokenUrl === null
      ? {}
      : {
          OAuth2PasswordBearer: {
            type: "oauth2" as const,
            flows: { password: { tokenUrl: options.rootPath + options.tokenUrl, scopes: {} } },
          },
        };
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: options.title, version: options.version },
      ...(options.rootPath === "" ? {} : { servers: [{ url: options.rootPath }] }),
      components: {
        securitySchemes: {
          ...password,
          APIKeyHeader: { type: "apiKey", in: "header", name: "Authorization", description: "Apikey SECRET" },
          APIKeyQuery: { type: "apiKey", in: "query", name: "api_key" },
          APIKeyCookie: { type: "apiKey", in: "cookie", name: "tiled_api_key" },
        },
      },
    },
    transform: ({ schema, url, route }) => ({
      schema: {
        ...schema,
        ...describeAccess(route.config?.access, options.tokenUrl !== null),
      } as FastifySchema,
      // OpenAPI has no wildcards: the rest of a path is one parameter.
      url: url.replace(/\*$/, ":path"),
    }),
  });
}

function describeAccess(access: Access | undefined, tokens: boolean): Readonly<Record<string, unknown>> {
  if (access === undefined || access === "public" || access === "page") return {};
  const scopes = typeof access === "string" ? [] : access.scopes;
  const keys = [{ APIKeyHeader: [] }, { APIKeyQuery: [] }, { APIKeyCookie: [] }];
  const bearer = tokens && access !== "api_key" ? [{ OAuth2PasswordBearer: [] }] : [];
  const nobody = access === "optional" || access === "verify" ? [{}] : [];
  return {
    security: [...bearer, ...keys, ...nobody],
    "x-access": typeof access === "string" ? access : scopes,
  };
}

export function openApiRoute(app: FastifyInstance): void {
  let document: Document | undefined;
  app.get("/openapi.json", { config: { access: "public" }, schema: { hide: true } }, (request, reply) => {
    document ??= new Document(app.swagger());
    return answerBytes(request, reply, document.json().body, JSON_TYPE);
  });
}
