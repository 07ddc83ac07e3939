/**
 * `GET /openapi.json`, made from the routes' own schemas and their declared access. It is built on the first request, and
 * @fastify/swagger is loaded then, since few servers are ever asked for it.
 */
import Fastify, {
  type FastifyContextConfig,
  type FastifyInstance,
  type FastifySchema,
  type HTTPMethods,
} from "fastify";
import type { ApiDocument } from "../../pages/docs.ts";
import { type Access, gateOf, isForPerson } from "../access/kinds.ts";
import { answerBytes, Document, JSON_TYPE } from "../answer.ts";

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  /** Path of a password route, if any. */
  readonly tokenUrl: string | null;
  /** "" or "/prefix". */
  readonly rootPath: string;
}

interface Described {
  readonly method: HTTPMethods | HTTPMethods[];
  readonly url: string;
  readonly schema: FastifySchema;
  readonly config: FastifyContextConfig;
}

/** Call it before the first route; call its result after the last one. The document is built once. */
export function describeRoutes(app: FastifyInstance, options: OpenApiOptions): () => Promise<ApiDocument> {
  const routes: Described[] = [];
  app.addHook("onRoute", ({ method, url, schema, config = {} }) => {
    if (schema !== undefined && schema.hide !== true && method !== "HEAD") {
      routes.push({ method, url, schema, config });
    }
  });
  let document: Promise<ApiDocument> | undefined;
  return () => {
    document ??= describe(routes, options);
    return document;
  };
}

/** Uses an instance of its own that has the routes without their handlers. */
async function describe(routes: readonly Described[], options: OpenApiOptions): Promise<ApiDocument> {
  const { default: swagger } = await import("@fastify/swagger");
  const password =
    options.tokenUrl === null
      ? {}
      : {
          OAuth2PasswordBearer: {
            type: "oauth2" as const,
            flows: { password: { tokenUrl: options.rootPath + options.tokenUrl, scopes: {} } },
          },
        };
  const takesCaveTokens = routes.some(({ config }) => gateOf(config.access)?.scheme === "CaveToken");
  const app = Fastify({ exposeHeadRoutes: false });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
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
          ...(takesCaveTokens && {
            CaveToken: {
              type: "http" as const,
              scheme: "bearer",
              description: "An API token or a login token of CAVE's clients",
            },
          }),
        },
      },
    },
    transform: ({ schema, url, route }) => ({
      schema: {
        ...schema,
        ...describeAccess(route.config?.access, options.tokenUrl !== null),
      } as FastifySchema,
      // OpenAPI has no wildcards: the rest of a path becomes one parameter.
      url: url.replace(/\*$/, ":path"),
    }),
  });
  for (const route of routes) app.route({ ...route, handler: () => undefined });
  await app.ready();
  return app.swagger() as ApiDocument;
}

function describeAccess(access: Access | undefined, tokens: boolean): Readonly<Record<string, unknown>> {
  if (access === undefined || access === "public" || access === "page") return {};
  // Browsers' pages are not part of the API.
  if (isForPerson(access)) return {};
  const gate = gateOf(access);
  if (gate !== undefined) return gate.scheme === undefined ? {} : { security: [{ [gate.scheme]: [] }] };
  const scopes = typeof access === "object" && "scopes" in access ? access.scopes : [];
  const keys = access === "session" ? [] : [{ APIKeyHeader: [] }, { APIKeyQuery: [] }, { APIKeyCookie: [] }];
  const bearer = tokens && access !== "api_key" ? [{ OAuth2PasswordBearer: [] }] : [];
  const anonymous = access === "optional" || access === "verify" ? [{}] : [];
  return {
    security: [...bearer, ...keys, ...anonymous],
    "x-access": typeof access === "string" ? access : scopes,
  };
}

export function openApiRoute(app: FastifyInstance, describeAll: () => Promise<ApiDocument>): void {
  let document: Document | undefined;
  app.get(
    "/openapi.json",
    { config: { access: "public" }, schema: { hide: true } },
    async (request, reply) => {
      document ??= new Document(await describeAll());
      return answerBytes(request, reply, document.json().body, JSON_TYPE);
    },
  );
}
