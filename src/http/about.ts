/** `GET /api/v1/`: the about document, from which a client learns how to log in and where everything is. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Authenticator, ProxiedAuthenticator } from "../authenticators/contract.ts";
import type { Clock } from "../lib/clock.ts";
import { answer, Document } from "./answer.ts";
import { isOlder, pythonClient } from "./headers.ts";
import type { Links } from "./links.ts";

/** What the trees can be read as, by structure family. */
export interface Offer {
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
}

/** The version of Tiled whose API this is: clients compare it with what they need. */
export const API_OF_TILED = "0.2.20";
const EXPIRES_MS = 600_000;
const MAX_REMEMBERED = 64;

export function aboutRoutes(app: FastifyInstance, options: AboutOptions): void {
  const documents = new Map<string, Document>();
  const documentFor = (base: string, internal: string): Document => {
    const proxied = proxiedIn(options);
    const name = `${internal} ${base} ${proxied === null ? "" : JSON.stringify(proxied.links())}`;
    const known = documents.get(name);
    if (known !== undefined) return known;
    if (documents.size >= MAX_REMEMBERED) documents.clear();
    const document = new Document(about(base, internal, options));
    documents.set(name, document);
    return document;
  };

  app.get(
    "/api/v1/",
    {
      config: { access: "public" },
      schema: { tags: ["about"], summary: "What this server is and how to log in" },
    },
    (request, reply) => {
      const document = documentFor(options.links.base(request), internalMode(request));
      const expires = new Date(options.clock.now() + EXPIRES_MS).toUTCString();
      return answer(request, reply, document, { headers: { expires } });
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

function about(base: string, internal: string, options: AboutOptions) {
  const { providers, allowAnonymous, offer, links } = options;
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
    meta: { root_path: `${links.rootPath}/api` },
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
  // Clients cannot do without an endpoint: until the provider was reached they are refused at this one.
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
