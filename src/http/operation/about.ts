/** `GET /api/v1/`: the about document, which tells clients how to log in and where everything is. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Authenticator, ProxiedAuthenticator } from "../../domain/ports/authenticator.ts";
import type { Clock } from "../../lib/clock.ts";
import { ServerInfo } from "../../schemas/about.ts";
import { answer, Document } from "../answer.ts";
import type { Facts, Known } from "../gateway/about.ts";
import { isOlder, pythonClient } from "../headers.ts";
import type { Links } from "../links.ts";

/** What the trees can be read as, by structure family. */
interface Offer {
  readonly formats: Readonly<Record<string, readonly string[]>>;
  readonly aliases: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly queries: readonly string[];
}

export interface AboutOptions {
  /** In the order of the configuration. */
  readonly providers: readonly {
    readonly name: string;
    readonly authenticator: Authenticator;
  }[];
  readonly allowAnonymous: boolean;
  readonly offer: Offer;
  readonly links: Links;
  readonly clock: Clock;
  /** The about document of the server behind this one; null without a gateway. */
  readonly behind: (request: FastifyRequest) => Known | Promise<Known> | null;
}

/** The version of Tiled whose API this is: clients compare it with what they need. */
const API_OF_TILED = "0.2.20";
/** It differs by client, so shared caches must not keep it. */
const NOT_SHARED = { "cache-control": "private, max-age=600", vary: "Origin, Accept, User-Agent" };
const EXPIRES_MS = 600_000;
const EXPIRES_WHILE_AWAY_MS = 5_000;
const MAX_REMEMBERED = 64;

export function aboutRoutes(app: FastifyInstance, options: AboutOptions): void {
  const documents = new Map<string, { readonly document: Document; readonly facts: Facts | null }>();
  const documentFor = (request: FastifyRequest, facts: Facts | null): Document => {
    const base = options.links.base(request);
    const internal = internalMode(request);
    const proxied = proxiedIn(options);
    const name = `${internal} ${base} ${proxied === null ? "" : JSON.stringify(proxied.links())}`;
    const known = documents.get(name);
    if (known !== undefined && known.facts === facts) return known.document;
    if (documents.size >= MAX_REMEMBERED) documents.clear();
    const root = `${options.links.path(request)}/api`;
    const document = new Document(merged(about(base, root, internal, options), facts));
    documents.set(name, { document, facts });
    return document;
  };
  const send = (request: FastifyRequest, reply: FastifyReply, known: Known | null): FastifyReply => {
    const document = documentFor(request, known?.kind === "tiled" ? known.facts : null);
    const lasts = known?.kind === "away" ? EXPIRES_WHILE_AWAY_MS : EXPIRES_MS;
    const expires = new Date(options.clock.now() + lasts).toUTCString();
    return answer(request, reply, document, { headers: { expires, ...NOT_SHARED } });
  };

  app.get(
    "/api/v1/",
    {
      config: { access: "public" },
      schema: {
        tags: ["about"],
        operationId: "getServerInfo",
        summary: "About this server: how to log in, and where its routes are",
        response: { 200: ServerInfo },
      },
    },
    (request, reply) => {
      const known = options.behind(request);
      if (known instanceof Promise) return known.then((found) => send(request, reply, found));
      return send(request, reply, known);
    },
  );

  app.get("/api/v1", { config: { access: "public" }, schema: { hide: true } }, (request, reply) =>
    reply.redirect(`${options.links.base(request)}/api/v1/`, 307),
  );
}

/** Python clients before 0.1.0b17 know the mode by its older name. */
function internalMode(request: FastifyRequest): "internal" | "password" {
  const version = pythonClient(request.headers["user-agent"]);
  return version !== undefined && isOlder(version, [0, 1, 0, 1, 17]) ? "password" : "internal";
}

/** Formats, queries, version and newer fields come from the server behind this one; authentication is ours. */
function merged(ours: ReturnType<typeof about>, facts: Facts | null): Readonly<Record<string, unknown>> {
  if (facts === null) return ours;
  const { authentication, links, meta } = ours;
  return { ...ours, ...facts, authentication, links, meta };
}

function about(base: string, rootPath: string, internal: string, options: AboutOptions) {
  const { providers, allowAnonymous, offer } = options;
  const api = `${base}/api/v1`;
  return {
    api_version: 0,
    library_version: API_OF_TILED,
    formats: offer.formats,
    aliases: offer.aliases,
    queries: offer.queries,
    authentication: {
      required: !allowAnonymous,
      providers: providers.map(({ name, authenticator }) => ({
        provider: name,
        mode: authenticator.kind === "password" ? internal : "external",
        links: providerLinks(`${api}/auth/provider/${name}`, authenticator),
        confirmation_message: authenticator.confirmationMessage,
        extra_scopes: authenticator.kind === "proxied" ? (authenticator.links()?.extraScopes ?? []) : null,
      })),
      links: providers.length === 0 ? null : sessionLinks(api, proxiedIn(options)),
    },
    links: { self: api, documentation: `${base}/docs` },
    meta: { root_path: rootPath },
  };
}

function proxiedIn({ providers }: AboutOptions): ProxiedAuthenticator | null {
  for (const { authenticator } of providers) if (authenticator.kind === "proxied") return authenticator;
  return null;
}

function providerLinks(base: string, authenticator: Authenticator): Readonly<Record<string, string>> {
  if (authenticator.kind === "password") return { auth_endpoint: `${base}/token` };
  if (authenticator.kind === "external") return { auth_endpoint: `${base}/authorize` };
  const authorize = `${base}/authorize`;
  const links = authenticator.links();
  // Clients need an endpoint: this one refuses them until the provider has been reached.
  if (links === null) return { auth_endpoint: authorize, authorize_endpoint: authorize };
  return {
    auth_endpoint: links.deviceAuthorizationEndpoint,
    authorize_endpoint: authorize,
    client_id: links.clientId,
    token_endpoint: links.tokenEndpoint,
  };
}

function sessionLinks(api: string, proxied: ProxiedAuthenticator | null): Readonly<Record<string, string>> {
  const own = {
    whoami: `${api}/auth/whoami`,
    apikey: `${api}/auth/apikey`,
    refresh_session: `${api}/auth/session/refresh`,
    revoke_session: `${api}/auth/session/revoke/{session_id}`,
    logout: `${api}/auth/logout`,
  };
  const links = proxied?.links() ?? null;
  if (links === null) return own;
  return {
    ...own,
    refresh_session: links.tokenEndpoint,
    logout: links.endSessionEndpoint ?? own.logout,
  };
}
