/**
 * The Fastify instance and what every request passes before its route, in this order: limits on the connection, log lines,
 * headers, the host name, CORS, forgery protection, and the route's declared access.
 */
import { hostname } from "node:os";
import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { guardRoutes } from "../http/access/access.ts";
import { protectFromForgery } from "../http/access/csrf.ts";
import { createIdentification } from "../http/access/identity.ts";
import { protectForms } from "../http/access/session-cookie.ts";
import { afterRequests } from "../http/after.ts";
import { passwordProviders } from "../http/auth/providers.ts";
import { bodyOfError, CaveFailures } from "../http/cave/errors.ts";
import { Connections } from "../http/connections.ts";
import {
  answerBrokenRequest,
  answerErrors,
  answerUnroutable,
  errorBody,
  refuseOtherMethods,
} from "../http/errors.ts";
import { gatewayRouting, upgradeOptions } from "../http/gateway/routing.ts";
import { commonHeaders, requestIds } from "../http/headers.ts";
import { checkHosts } from "../http/hosts.ts";
import { requestLines } from "../http/logging.ts";
import { describeRoutes } from "../http/operation/openapi.ts";
import { separateHosts } from "../http/people/hand-over.ts";
import { limitPipelines } from "../http/pipelines.ts";
import { RequestLog } from "../http/request-log.ts";
import { dropSlowBodies } from "../http/slow-bodies.ts";
import { closeUnread } from "../http/unread-answers.ts";
import { parseForm, SCHEMA_CONTROLLER } from "../http/validation.ts";
import { VERSION } from "../lib/version.ts";
import type { Wiring } from "./wiring.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** For an orderly stop. */
    readonly connections: Connections;
  }
}

/** Time for a request to arrive. */
const REQUEST_TIMEOUT_MS = 60_000;

export interface Pipeline {
  readonly app: FastifyInstance;
  /** The description of all routes, for `/openapi.json`. */
  readonly describe: ReturnType<typeof describeRoutes>;
  /** Answers 405 for the other methods of all routes; called once they are all added. */
  readonly refuseOthers: () => void;
}

export async function createPipeline(wiring: Wiring): Promise<Pipeline> {
  const { config, parts, proxies, account, links, services, callers, cave, cors, problems, metrics } = wiring;
  const app = newApp(wiring);
  // Parsed only by routes that read cookies: `cookies.ts`.
  await app.register(cookie, { hook: false });
  await app.register(formbody, { parser: parseForm });
  answerErrors(app, links, cave === null ? problems : new CaveFailures(problems, cave.links.authorize()));

  const connections = new Connections(app.server);
  app.decorate("connections", connections);
  limitPipelines(app.server, connections);
  closeUnread(app, connections);
  afterRequests(app, connections, [requestLines(app, parts.logger, proxies), metrics.count]);

  cors.answerPages(app);
  commonHeaders(app, { links, isDraining: () => connections.draining });
  checkHosts(app, { ...config, machine: hostname(), proxies, log: parts.logger });
  cors.answerPreflights(app);
  if (account !== null && wiring.handing !== null) separateHosts(app, account, wiring.handing);

  protectFromForgery(app, links, config.allowOrigins);
  const browserSessions = services?.browserSessions ?? null;
  guardRoutes(app, createIdentification({ callers, proxies, links, browserSessions }), wiring.keys);
  protectForms(app, links);

  const describe = openApiOf(app, wiring);
  const refuseOthers = refuseOtherMethods(app);
  if (config.upstreams.length > 0) dropSlowBodies(app, REQUEST_TIMEOUT_MS);
  return { app, describe, refuseOthers };
}

function newApp({ config, parts: { logger, tls }, mounts, cave, cors }: Wiring): FastifyInstance {
  const { bodyLimit, headerLimit } = config.server;
  const { rewriteUrl, constraints } = gatewayRouting(mounts);
  const listening = { maxHeaderSize: headerLimit, ...upgradeOptions(config.upstreams) };
  return Fastify({
    childLoggerFactory: (_parent, bindings) => new RequestLog(logger, bindings) as FastifyBaseLogger,
    // Fastify's own lines show the query, which may hold a key; ours are in `http/logging.ts`.
    logController: new LogController({ disableRequestLogging: true }),
    ...(tls === null ? { http: listening } : { https: { ...tls, ...listening } }),
    bodyLimit,
    genReqId: requestIds(),
    clientErrorHandler: answerBrokenRequest(cors),
    frameworkErrors: answerUnroutable(cors, cave === null ? errorBody : bodyOfError),
    // Answered in our own form, with the headers that a page of another origin needs to read it.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    requestTimeout: config.upstreams.length === 0 ? REQUEST_TIMEOUT_MS : 0,
    keepAliveTimeout: 72_000,
    routerOptions: { maxParamLength: 512, constraints },
    rewriteUrl,
    // Schemas of answers describe them only, in /openapi.json and in the tests.
    schemaController: SCHEMA_CONTROLLER,
  });
}

function openApiOf(app: FastifyInstance, { config, parts, links }: Wiring) {
  const [first] = passwordProviders(parts.authenticators);
  return describeRoutes(app, {
    title: config.pages.title,
    version: VERSION,
    tokenUrl: first === undefined ? null : `/api/v1/auth/provider/${first.name}/token`,
    rootPath: links.rootPath,
    publicUrl: config.server.publicUrl,
    accounts: parts.authenticators.size > 0,
  });
}
