/** Adds all routes of a server, by purpose. The order matters only where a comment says so. */
import type { FastifyInstance } from "fastify";
import { LoginStates } from "../domain/login-states.ts";
import { apiKeyRoutes } from "../http/auth/api-keys.ts";
import { logoutRoute } from "../http/auth/logout.ts";
import { passwordRoutes } from "../http/auth/password.ts";
import { principalRoutes } from "../http/auth/principals.ts";
import { identityProviders, newPasswordsOf, passwordProviders } from "../http/auth/providers.ts";
import { sessionRoutes } from "../http/auth/session.ts";
import { verifyRoute } from "../http/auth/verify.ts";
import { whoamiRoute } from "../http/auth/whoami.ts";
import { aboutRoutes } from "../http/operation/about.ts";
import { docsRoute } from "../http/operation/docs.ts";
import { healthRoutes, providerStates } from "../http/operation/health.ts";
import { metricsRoute } from "../http/operation/metrics.ts";
import { openApiRoute } from "../http/operation/openapi.ts";
import { Readiness } from "../http/operation/readiness.ts";
import { handOverRoutes } from "../http/people/hand-over.ts";
import { landingRoutes } from "../http/people/landing.ts";
import { peopleRoutes } from "../http/people/people.ts";
import { dataBudget, holderOf } from "../http/tree/body.ts";
import type { TreeDeps } from "../http/tree/nodes.ts";
import { treeRoutes } from "../http/tree/tree.ts";
import { accessMode } from "../pages/landing.ts";
import { inlineReader } from "../trees/encoding/jobs.ts";
import { callersRights } from "../trees/policies/callers.ts";
import { OFFER } from "../trees/search/formats.ts";
import { addCavePages } from "./cave-pages.ts";
import type { MultiUserParts } from "./multi-user.ts";
import { type AppParts, imagesOf } from "./parts.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Wiring } from "./wiring.ts";

export function addRoutes({ app, describe }: Pipeline, wiring: Wiring): void {
  const { multiUser, mounts, own } = wiring;
  // A service behind this server that has all paths leaves none for a tree of our own.
  if (!mounts.coverAll) addTree(app, wiring);
  // Paths added from here on are this server's own: services behind it cannot take them.
  own.collect(app);
  addOperation(app, describe, wiring);
  wiring.keys.routes(app);
  if (multiUser !== null) addAccounts(app, multiUser, wiring);
  addVerify(app, wiring);
}

function addTree(app: FastifyInstance, { parts, links, proxies }: Wiring): void {
  treeRoutes(app, {
    tree: parts.tree,
    links,
    rights: treeRights(parts),
    reader: parts.reader ?? inlineReader,
    budget: parts.budget ?? dataBudget(),
    holder: (request) => holderOf(request, proxies),
  });
}

function treeRights({ policy, store, clock }: AppParts): TreeDeps["rights"] {
  if (policy === null) return () => null;
  if (policy.stateFrom == null || store === null) return callersRights(policy, null, clock);
  const states = new LoginStates(store, policy.stateFrom, clock);
  return callersRights(policy, (principal) => states.of(principal), clock);
}

/** Routes about the server itself, for operators and programs. */
function addOperation(app: FastifyInstance, describe: Pipeline["describe"], wiring: Wiring): void {
  const { config, parts, site, links, gateway, metrics } = wiring;
  const providers = [...parts.authenticators].flatMap(([name, authenticator]) => {
    const problem = authenticator.problem?.bind(authenticator);
    return problem === undefined ? [] : [{ name, authenticator: { problem } }];
  });
  const readiness = new Readiness({
    ping: async () => parts.store?.maintenance.ping(),
    clock: parts.clock,
    log: parts.logger,
  });
  healthRoutes(app, { readiness, providers });
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
  landingRoutes(app, {
    site,
    images: imagesOf(parts),
    mode: accessMode(parts.authenticators.size, config.authentication.allowAnonymousAccess),
    // The trees that are served here are read-only.
    writable: config.upstreams.length > 0,
    providers: [...parts.authenticators.keys()],
    links,
  });
  openApiRoute(app, describe);
  if (config.metrics.prometheus) {
    metricsRoute(app, metrics, {
      ready: () => readiness.failure === null,
      providers: () => providerStates(providers),
    });
  }
}

/** Logins, sessions, keys and principals, for programs and for people. */
function addAccounts(app: FastifyInstance, multiUser: MultiUserParts, wiring: Wiring): void {
  const { services, handOvers, accountLinks } = multiUser;
  const { config, parts, site, links, problems, handing } = wiring;
  const passwords = passwordProviders(parts.authenticators);
  passwordRoutes(app, services, passwords);
  peopleRoutes(app, {
    site,
    links,
    services,
    clock: parts.clock,
    providers: [...parts.authenticators.keys()],
    passwords,
    identityProviders: identityProviders(parts.authenticators),
    problems,
    own: { accountLinks, newPasswords: newPasswordsOf(parts.authenticators) },
    nextHosts: config.server.verifyHosts,
    handOvers,
    others: wiring.cave && addCavePages(app, wiring.cave, wiring),
    caveTokensUrl: wiring.cave?.links.tokensPage ?? null,
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

function addVerify(
  app: FastifyInstance,
  { config, links, proxies, credentialIssuer, multiUser }: Wiring,
): void {
  verifyRoute(app, {
    credentialIssuer,
    links,
    proxies,
    allowAnonymous: config.authentication.allowAnonymousAccess,
    accounts: multiUser !== null,
    publicUrl: config.server.publicUrl,
    hosts: config.server.verifyHosts,
  });
}
