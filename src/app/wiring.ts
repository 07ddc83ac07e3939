/**
 * Objects that the pipeline and the routes share, made once from the configuration and the parts. `multi-user.ts` makes the
 * services of a server with accounts.
 */
import type { Config } from "../config/model.ts";
import type { Callers } from "../domain/callers/callers.ts";
import { standingOf } from "../domain/callers/standing.ts";
import { Tokens } from "../domain/tokens/tokens.ts";
import { UpstreamCredentialIssuer } from "../domain/tokens/upstream-credentials.ts";
import { AccountHost } from "../http/account-host.ts";
import { Cors } from "../http/cors.ts";
import type { Gateway, GatewayDeps } from "../http/gateway/gateway.ts";
import { Mounts } from "../http/gateway/mounts.ts";
import { OwnPaths } from "../http/gateway/own-paths.ts";
import { Links } from "../http/links.ts";
import { RequestMetrics } from "../http/operation/metrics.ts";
import { KeysOfUrls } from "../http/people/key-from-url.ts";
import { ProblemPages } from "../http/people/problem-pages.ts";
import { ignoredHeader, Proxies } from "../http/proxies.ts";
import type { Secret } from "../lib/secrets.ts";
import { VERSION } from "../lib/version.ts";
import { caveOrigins, caveServices } from "./cave.ts";
import { lifetimesOf, type MultiUserParts, multiUserParts } from "./multi-user.ts";
import type { AppParts } from "./parts.ts";
import { singleUserCallers } from "./single-user.ts";

export type Wiring = Awaited<ReturnType<typeof wire>>;

export async function wire(config: Config, parts: AppParts) {
  const { trustedProxies: trusted, publicUrl, rootPath } = config.server;
  const proxies = new Proxies(trusted, (address, header) => {
    parts.logger.warn(ignoredHeader(address, header, { trusted, publicUrl }));
  });
  const own = new OwnPaths();
  const account = AccountHost.of(config.server.accountUrl, proxies);
  const mounts = new Mounts({ upstreams: config.upstreams, rootPath, own, proxies, account });
  const links = new Links({
    publicUrl,
    rootPath,
    tls: parts.tls !== null,
    proxies,
    account,
    place: (request) => mounts.place(request),
  });
  const multiUser = multiUserParts(config, parts, proxies);
  const callers = multiUser?.callers ?? singleUserCallers(config, parts);
  const services = multiUser?.services ?? null;
  const cave = caveServices(config, parts, services);
  const site = {
    title: config.pages.title,
    logo: parts.logo?.path ?? null,
    contact: config.pages.contact,
    version: VERSION,
    providers: shownProviders(config, parts),
  };
  const handOvers = multiUser?.handOvers ?? null;
  const shared = {
    config,
    parts,
    proxies,
    own,
    account,
    mounts,
    links,
    multiUser,
    callers,
    services,
    cave,
    site,
  };
  return {
    ...shared,
    cors: new Cors(config.allowOrigins, cave && caveOrigins(cave)),
    problems: new ProblemPages({ site, links, accounts: multiUser !== null }),
    metrics: new RequestMetrics(),
    keys: new KeysOfUrls({ site, links, callers, proxies, services }),
    handing: handOvers && { ...config.server, handOvers, links, proxies },
    ...(await upstreamParts(shared)),
  };
}

function shownProviders({ authentication }: Config, { icons }: AppParts) {
  return new Map(
    authentication.providers.map(({ provider, label = null }) => [
      provider,
      { label, icon: icons?.get(provider)?.path ?? null },
    ]),
  );
}

interface ForUpstreams {
  readonly config: Config;
  readonly parts: AppParts;
  readonly proxies: Proxies;
  readonly mounts: Mounts;
  readonly links: Links;
  readonly multiUser: MultiUserParts | null;
  readonly callers: Callers;
}

/** For services behind this server; `gateway` is null without any. */
async function upstreamParts({ config, parts, proxies, mounts, links, multiUser, callers }: ForUpstreams) {
  const tokensOf = (keys: readonly Secret[]) => new Tokens(keys, lifetimesOf(config), parts.clock);
  const credentialIssuer = newIssuer(multiUser?.tokens ?? tokensOf(parts.secretKeys), parts);
  const gateway = await newGateway({
    upstreams: config.upstreams,
    mounts,
    credentialIssuer,
    newIssuer: (key) => newIssuer(key === null ? null : tokensOf([key]), parts),
    callers,
    standing: standingOf(multiUser?.services.principalCache ?? null, parts.clock),
    links,
    proxies,
    clock: parts.clock,
    allowAnonymous: config.authentication.allowAnonymousAccess,
    allowOrigins: config.allowOrigins,
    ...(parts.socketTimeouts && { timeouts: parts.socketTimeouts }),
  });
  return { credentialIssuer, gateway };
}

/** The HTTP client and the rest of the gateway are loaded only where a service behind this server is configured. */
async function newGateway(deps: GatewayDeps): Promise<Gateway | null> {
  if (deps.upstreams.length === 0) return null;
  const { Gateway } = await import("../http/gateway/gateway.ts");
  return new Gateway(deps);
}

function newIssuer(
  tokens: Tokens | null,
  { store, clock }: Pick<AppParts, "store" | "clock">,
): UpstreamCredentialIssuer {
  return new UpstreamCredentialIssuer({
    tokens,
    clock,
    identityOf: async (caller) => {
      if (store === null || !("session" in caller)) return undefined;
      const sessions = await store.accounts.sessions(caller.principal.uuid, new Date(clock.now()));
      return sessions.find(({ uuid }) => uuid === caller.session)?.identity ?? undefined;
    },
  });
}
