/**
 * The composition root: from a configuration and the parts it names to a Fastify instance that is ready to listen.
 * Opening the store, loading plugins, listening and stopping are `server.ts`'s.
 */
import { hostname } from "node:os";
import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import type { Logger } from "pino";
import type { Config } from "./config/model.ts";
import { standingOf } from "./domain/callers/standing.ts";
import { LoginStates } from "./domain/login-states.ts";
import type { Authenticator } from "./domain/ports/authenticator.ts";
import type { Store } from "./domain/ports/store.ts";
import { Tokens } from "./domain/tokens/tokens.ts";
import { Exchange } from "./domain/tokens/upstream-credentials.ts";
import { guardRoutes } from "./http/access/access.ts";
import { protectFromForgery } from "./http/access/csrf.ts";
import { createIdentity } from "./http/access/identity.ts";
import { protectForms } from "./http/access/session-cookie.ts";
import { AccountHost } from "./http/account-host.ts";
import { afterRequests } from "./http/after.ts";
import { apiKeyRoutes } from "./http/auth/api-keys.ts";
import { logoutRoute } from "./http/auth/logout.ts";
import { passwordRoutes } from "./http/auth/password.ts";
import { principalRoutes } from "./http/auth/principals.ts";
import { sessionRoutes } from "./http/auth/session.ts";
import { verifyRoute } from "./http/auth/verify.ts";
import { whoamiRoute } from "./http/auth/whoami.ts";
import { Connections } from "./http/connections.ts";
import { Cors } from "./http/cors.ts";
import { answerBrokenRequest, answerErrors, answerUnroutable, refuseOtherMethods } from "./http/errors.ts";
import type { Gateway, GatewayDeps } from "./http/gateway/gateway.ts";
import { Mounts } from "./http/gateway/mounts.ts";
import { gatewayRouting, upgradeOptions } from "./http/gateway/routing.ts";
import type { SocketPatience } from "./http/gateway/socket.ts";
import { commonHeaders, requestIds } from "./http/headers.ts";
import { checkHosts } from "./http/hosts.ts";
import { Links } from "./http/links.ts";
import { requestLines } from "./http/logging.ts";
import { aboutRoutes } from "./http/operation/about.ts";
import { docsRoute } from "./http/operation/docs.ts";
import { healthRoutes, providerStates } from "./http/operation/health.ts";
import { metricsRoute, RequestMetrics } from "./http/operation/metrics.ts";
import { describeRoutes, openApiRoute } from "./http/operation/openapi.ts";
import { Readiness } from "./http/operation/readiness.ts";
import { OwnPaths } from "./http/own-paths.ts";
import { pageRoutes } from "./http/pages.ts";
import { handOverRoutes, separateHosts } from "./http/people/hand-over.ts";
import { KeysOfUrls } from "./http/people/key-from-url.ts";
import { peopleRoutes } from "./http/people/people.ts";
import { ProblemPages } from "./http/people/problem-pages.ts";
import { limitPipelines } from "./http/pipelines.ts";
import { externalProviders } from "./http/provider-login/providers.ts";
import { ignoredHeader, Proxies } from "./http/proxies.ts";
import { RequestLog } from "./http/request-log.ts";
import { passwordProviders } from "./http/services.ts";
import { dropSlowBodies } from "./http/slow-bodies.ts";
import { dataBudget, holderOf } from "./http/tree/body.ts";
import type { TreeDeps } from "./http/tree/nodes.ts";
import { treeRoutes } from "./http/tree/tree.ts";
import { closeUnread } from "./http/unread-answers.ts";
import { parseForm, SCHEMA_CONTROLLER } from "./http/validation.ts";
import type { Budget } from "./lib/budget.ts";
import type { Clock } from "./lib/clock.ts";
import type { Secret } from "./lib/secrets.ts";
import { VERSION } from "./lib/version.ts";
import { lifetimesOf, multiUserParts } from "./multi-user.ts";
import type { Asset } from "./pages/assets.ts";
import { accessMode } from "./pages/landing.ts";
import { singleUserCallers } from "./single-user.ts";
import type { Tree } from "./trees/contract.ts";
import { OFFER } from "./trees/formats.ts";
import { type DataReader, inlineReader } from "./trees/jobs.ts";
import { callersRights } from "./trees/policies/callers.ts";
import type { AccessPolicy } from "./trees/policies/contract.ts";

export interface AppParts {
  /** Null in the modes without providers. */
  readonly store: Store | null;
  readonly authenticators: ReadonlyMap<string, Authenticator>;
  readonly tree: Tree;
  /** Null: a credential's scopes are all that counts. */
  readonly policy: AccessPolicy | null;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The key of the modes without providers. */
  readonly singleUserKey: Secret | null;
  /** The first signs, all verify; never empty. */
  readonly secretKeys: readonly Secret[];
  /** PEM; null where no TLS is terminated here. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** The operator's, for the pages. */
  readonly logo: Asset | null;
  /** Reads data elsewhere; without one it is done on this thread. */
  readonly reader?: DataReader;
  /** What answers with data may need; smaller in tests. */
  readonly budget?: Budget;
  /** How long WebSockets wait; shorter in tests. */
  readonly socketPatience?: SocketPatience;
}

declare module "fastify" {
  interface FastifyInstance {
    /** For an orderly stop. */
    readonly connections: Connections;
  }
}

/** For a request to arrive. */
const PATIENCE_MS = 60_000;

export async function createApp(config: Config, parts: AppParts): Promise<FastifyInstance> {
  const { trustedProxies: trusted, publicUrl } = config.server;
  const proxies = new Proxies(trusted, (address, header) => {
    parts.logger.warn(ignoredHeader(address, header, { trusted, publicUrl }));
  });
  const own = new OwnPaths();
  const { rootPath } = config.server;
  const account = AccountHost.of(config.server.accountUrl, proxies);
  const mounts = new Mounts({ upstreams: config.upstreams, rootPath, own, proxies, account });
  const links = new Links({
    publicUrl: config.server.publicUrl,
    rootPath: config.server.rootPath,
    tls: parts.tls !== null,
    proxies,
    account,
    place: (request) => mounts.place(request),
  });
  const providers = passwordProviders(parts.authenticators);
  const externals = externalProviders(parts.authenticators);
  const multiUser = multiUserParts(config, parts, proxies);
  const callers = multiUser?.callers ?? singleUserCallers(config, parts);

  const site = {
    title: config.pages.title,
    logo: parts.logo?.path ?? null,
    contact: config.pages.contact,
    version: VERSION,
  };

  const cors = new Cors(config.allowOrigins);
  const app = newApp(config, parts, mounts, cors);
  // Parsed by who wants to know: `cookies.ts`.
  await app.register(cookie, { hook: false });
  await app.register(formbody, { parser: parseForm });
  const problems = new ProblemPages({ site, links, accounts: multiUser !== null });
  answerErrors(app, links, problems);
  const metrics = new RequestMetrics();
  const connections = new Connections(app.server);
  app.decorate("connections", connections);
  limitPipelines(app.server, connections);
  closeUnread(app, connections);
  afterRequests(app, connections, [requestLines(app, parts.logger, proxies), metrics.count]);
  cors.answerPages(app);
  commonHeaders(app, { links, isDraining: () => connections.draining });
  checkHosts(app, { ...config, machine: hostname(), proxies, log: parts.logger });
  cors.answerPreflights(app);
  const handOvers = multiUser?.handOvers ?? null;
  const handing = handOvers && { ...config.server, handOvers, links, proxies };
  if (account !== null && handing !== null) separateHosts(app, account, handing);
  protectFromForgery(app, links, config.allowOrigins);
  const browserSessions = multiUser?.services.browserSessions ?? null;
  const keys = new KeysOfUrls({ site, links, callers, proxies, services: multiUser?.services ?? null });
  guardRoutes(app, createIdentity({ callers, proxies, links, browserSessions }), keys);
  protectForms(app, links);
  const [first] = providers;
  const describe = describeRoutes(app, {
    title: config.pages.title,
    version: VERSION,
    tokenUrl: first === undefined ? null : `/api/v1/auth/provider/${first.name}/token`,
    rootPath: links.rootPath,
  });
  const refuseOthers = refuseOtherMethods(app);
  if (config.upstreams.length > 0) dropSlowBodies(app, PATIENCE_MS);
  // A tree that is served here has no say over what stands behind this server, and no place where that has all of it.
  if (!mounts.coverAll)
    treeRoutes(app, {
      tree: parts.tree,
      links,
      rights: treeRights(parts),
      reader: parts.reader ?? inlineReader,
      budget: parts.budget ?? dataBudget(),
      holder: (request) => holderOf(request, proxies),
    });
  own.collect(app);
  const tokensOf = (keys: readonly Secret[]) => new Tokens(keys, lifetimesOf(config), parts.clock);
  const exchange = newExchange(multiUser?.tokens ?? tokensOf(parts.secretKeys), parts);
  const gateway = await newGateway({
    upstreams: config.upstreams,
    mounts,
    exchange,
    newExchange: (key) => newExchange(key === null ? null : tokensOf([key]), parts),
    callers,
    standing: standingOf(multiUser?.services.directory ?? null, parts.clock),
    links,
    proxies,
    clock: parts.clock,
    allowAnonymous: config.authentication.allowAnonymousAccess,
    allowOrigins: config.allowOrigins,
    ...(parts.socketPatience && { patience: parts.socketPatience }),
  });

  const readiness = new Readiness({
    ping: async () => parts.store?.maintenance.ping(),
    clock: parts.clock,
    log: parts.logger,
  });
  healthRoutes(app, { readiness, providers: externals });
  aboutRoutes(app, {
    providers: [...parts.authenticators].map(([name, authenticator]) => ({ name, authenticator })),
    allowAnonymous: config.authentication.allowAnonymousAccess,
    offer: OFFER,
    links,
    clock: parts.clock,
    behind: (request) => gateway?.about(request) ?? null,
  });
  docsRoute(app, {
    site,
    links,
    ours: describe,
    behind: async (request) => (await gateway?.docs(request)) ?? null,
  });
  pageRoutes(app, {
    site,
    logo: parts.logo,
    mode: accessMode(parts.authenticators.size, config.authentication.allowAnonymousAccess),
    // The trees that are served here are read-only.
    writable: config.upstreams.length > 0,
    providers: [...parts.authenticators.keys()],
    links,
  });
  openApiRoute(app, describe);
  keys.routes(app);
  if (config.metrics.prometheus) {
    metricsRoute(app, metrics, {
      ready: () => readiness.failure === null,
      providers: () => providerStates(externals),
    });
  }
  if (multiUser !== null) {
    const { services } = multiUser;
    passwordRoutes(app, services, providers);
    peopleRoutes(app, {
      site,
      links,
      services,
      clock: parts.clock,
      providers: [...parts.authenticators.keys()],
      passwords: providers,
      externals,
      problems,
      nextHosts: config.server.verifyHosts,
      handOvers,
    });
    if (handing !== null) handOverRoutes(app, { ...handing, services });
    sessionRoutes(app, services);
    whoamiRoute(app, services);
    apiKeyRoutes(app, services);
    principalRoutes(app, services);
    logoutRoute(app, links);
    app.addHook("onClose", () => services.activity.flush());
    app.addHook("onClose", () => services.browserSessions.flush());
  }
  verifyRoute(app, {
    exchange,
    links,
    proxies,
    allowAnonymous: config.authentication.allowAnonymousAccess,
    accounts: multiUser !== null,
    publicUrl: config.server.publicUrl,
    hosts: config.server.verifyHosts,
  });
  own.close();
  refuseOthers();
  gateway?.routes(app);
  return app;
}

/** The HTTP client and all else that it needs is loaded only where there is a server behind this one. */
async function newGateway(deps: GatewayDeps): Promise<Gateway | null> {
  if (deps.upstreams.length === 0) return null;
  const { Gateway } = await import("./http/gateway/gateway.ts");
  return new Gateway(deps);
}

function treeRights({ policy, store, clock }: AppParts): TreeDeps["rights"] {
  if (policy === null) return () => null;
  if (policy.stateFrom == null || store === null) return callersRights(policy, null);
  const states = new LoginStates(store.accounts, policy.stateFrom, clock);
  return callersRights(policy, (principal) => states.of(principal));
}

function newExchange(tokens: Tokens | null, { store, clock }: AppParts): Exchange {
  return new Exchange({
    tokens,
    clock,
    identityOf: async (caller) => {
      if (store === null || !("session" in caller)) return undefined;
      const sessions = await store.accounts.sessions(caller.principal.uuid, new Date(clock.now()));
      return sessions.find(({ uuid }) => uuid === caller.session)?.identity ?? undefined;
    },
  });
}

function newApp(config: Config, { logger, tls }: AppParts, mounts: Mounts, cors: Cors): FastifyInstance {
  const { bodyLimit, headerLimit } = config.server;
  const { rewriteUrl, constraints } = gatewayRouting(mounts);
  const listening = { maxHeaderSize: headerLimit, ...upgradeOptions(config.upstreams) };
  return Fastify({
    childLoggerFactory: (_parent, bindings) => new RequestLog(logger, bindings) as FastifyBaseLogger,
    // Its own lines show the query, which may hold a key; ours are in `http/logging.ts`.
    logController: new LogController({ disableRequestLogging: true }),
    ...(tls === null ? { http: listening } : { https: { ...tls, ...listening } }),
    bodyLimit,
    genReqId: requestIds(),
    clientErrorHandler: answerBrokenRequest(cors),
    frameworkErrors: answerUnroutable(cors),
    // Answered in our own form, and with what a page of another origin needs to read it.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    requestTimeout: config.upstreams.length === 0 ? PATIENCE_MS : 0,
    keepAliveTimeout: 72_000,
    routerOptions: { maxParamLength: 512, constraints },
    rewriteUrl,
    // Schemas of answers describe them only, in /openapi.json and in the tests.
    schemaController: SCHEMA_CONTROLLER,
  });
}
