/**
 * `GET /openapi.json`, made from the routes' own schemas and their declared access. It is built on the first request, and
 * @fastify/swagger is loaded then, since few servers are ever asked for it. Answers are completed in `openapi-answers.ts`, schemas get
 * their names in `openapi-names.ts`. `scripts/openapi.ts` makes the package's document of all configurations.
 */
import Fastify, {
  type FastifyContextConfig,
  type FastifyInstance,
  type FastifySchema,
  type HTTPMethods,
} from "fastify";
import type { ApiDocument } from "../../pages/docs.ts";
import { gateOf, isForPerson } from "../access/kinds.ts";
import { SESSION_COOKIE } from "../access/session-cookie.ts";
import { answerBytes, Document, JSON_TYPE } from "../answer.ts";
import { completeAnswers, HEADERS } from "./openapi-answers.ts";
import { nameSchemas } from "./openapi-names.ts";

declare module "fastify" {
  interface FastifySchema {
    /** What the route reads from the query itself: described, and not validated. */
    readonly unvalidatedQuery?: object;
  }
}

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  /** Path of a password route, if any. */
  readonly tokenUrl: string | null;
  /** "" or "/prefix". */
  readonly rootPath: string;
  /** Where browsers reach the server, if the configuration says so. */
  readonly publicUrl: string | null;
  /** Whether there are logins, and so access tokens. */
  readonly accounts: boolean;
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
  const app = Fastify({ exposeHeadRoutes: false });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: options.title, version: options.version, description: DESCRIPTION },
      components: { securitySchemes: schemesOf(routes, options) },
    },
    transform: ({ schema, url, route }) => ({
      schema: {
        ...withQuery(schema),
        ...describeAccess(route.config ?? {}, options),
        operationId: operationId(schema, url),
      } as FastifySchema,
      // OpenAPI has no wildcards: the rest of a path becomes one parameter.
      url: url.replace(/\*$/, ":path"),
    }),
  });
  for (const route of routes) app.route({ ...route, handler: () => undefined });
  await app.ready();
  return finished(app.swagger() as ApiDocument & { readonly components: object }, options);
}

function withQuery({ unvalidatedQuery, ...schema }: FastifySchema): FastifySchema {
  return unvalidatedQuery === undefined ? schema : { ...schema, querystring: unvalidatedQuery };
}

const DESCRIPTION =
  "Answers are JSON; those that clients of Tiled read often are msgpack if `Accept` is `application/x-msgpack`.";

/** Of the routes of one provider, by its name: each provider has routes of its own. */
function operationId({ operationId }: FastifySchema, url: string): string | undefined {
  const [, provider] = /^\/api\/v1\/auth\/provider\/([^/:]+)\//.exec(url) ?? [];
  return provider === undefined ? operationId : `${operationId}_${provider}`;
}

function finished(
  document: ApiDocument & { readonly components: object },
  options: OpenApiOptions,
): ApiDocument {
  const { paths, shared } = completeAnswers(document.paths as Parameters<typeof completeAnswers>[0]);
  const { value, schemas } = nameSchemas({ paths, responses: shared });
  const named = value as { readonly paths: ApiDocument["paths"]; readonly responses: object };
  const { components, ...rest } = document;
  return {
    ...rest,
    servers: [{ url: options.publicUrl?.replace(/\/$/, "") ?? (options.rootPath || "/") }],
    paths: named.paths,
    components: { ...components, schemas, responses: named.responses, headers: HEADERS },
  } as ApiDocument;
}

function schemesOf(routes: readonly Described[], { accounts, tokenUrl, rootPath }: OpenApiOptions) {
  const takesCaveTokens = routes.some(({ config }) => gateOf(config.access)?.scheme === "CaveToken");
  const verifies = routes.some(({ config }) => config.access === "verify");
  return {
    ...(tokenUrl !== null && {
      OAuth2PasswordBearer: {
        type: "oauth2" as const,
        flows: { password: { tokenUrl: rootPath + tokenUrl, scopes: {} } },
      },
    }),
    ...(accounts && {
      AccessToken: {
        type: "http" as const,
        scheme: "bearer",
        bearerFormat: "JWT",
        description: "The access token of a login",
      },
    }),
    APIKeyHeader: {
      type: "apiKey" as const,
      in: "header",
      name: "Authorization",
      description: "`Apikey SECRET`",
    },
    APIKeyQuery: { type: "apiKey" as const, in: "query", name: "api_key" },
    APIKeyCookie: { type: "apiKey" as const, in: "cookie", name: "tiled_api_key" },
    ...(accounts &&
      verifies && {
        BrowserLogin: {
          type: "apiKey" as const,
          in: "cookie",
          name: SESSION_COOKIE,
          description: "The login of a browser on the login page",
        },
      }),
    ...(takesCaveTokens && {
      CaveToken: {
        type: "http" as const,
        scheme: "bearer",
        description: "An API token or a login token of CAVE's clients",
      },
    }),
  };
}

function describeAccess(
  { access }: FastifyContextConfig,
  { accounts, tokenUrl }: OpenApiOptions,
): Readonly<Record<string, unknown>> {
  if (access === undefined || access === "public" || access === "page") return {};
  // Browsers' pages are not part of the API.
  if (isForPerson(access)) return {};
  const gate = gateOf(access);
  if (gate !== undefined) return gate.scheme === undefined ? {} : { security: [{ [gate.scheme]: [] }] };
  const scopes = typeof access === "object" && "scopes" in access ? access.scopes : [];
  const keys = access === "session" ? [] : [{ APIKeyHeader: [] }, { APIKeyQuery: [] }, { APIKeyCookie: [] }];
  const password = tokenUrl === null ? [] : [{ OAuth2PasswordBearer: [] }];
  const bearer = accounts && access !== "api_key" ? [{ AccessToken: [] }, ...password] : [];
  const browser = accounts && access === "verify" ? [{ BrowserLogin: [] }] : [];
  const anonymous = access === "optional" || access === "verify" ? [{}] : [];
  return {
    security: [...bearer, ...keys, ...browser, ...anonymous],
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
