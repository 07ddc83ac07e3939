/** `GET /api/v1/`: the about document, from which a client learns how to log in and where everything is. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Authenticator } from "../authenticators/contract.ts";
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
    readonly kind: Authenticator["kind"];
    readonly confirmationMessage: string;
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
    const name = `${internal} ${base}`;
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

function about(base: string, internal: string, { providers, allowAnonymous, offer, links }: AboutOptions) {
  const api = `${base}/api/v1`;
  return {
    api_version: 0,
    library_version: API_OF_TILED,
    formats: offer.formats,
    aliases: offer.aliases,
    queries: offer.queries,
    authentication: {
      required: !allowAnonymous,
      providers: providers.map(({ name, kind, confirmationMessage }) => ({
        provider: name,
        mode: kind === "password" ? internal : "external",
        links: {
          auth_endpoint: `${api}/auth/provider/${name}/${kind === "password" ? "token" : "authorize"}`,
        },
        confirmation_message: confirmationMessage,
        extra_scopes: null,
      })),
      links:
        providers.length === 0
          ? null
          : {
              whoami: `${api}/auth/whoami`,
              apikey: `${api}/auth/apikey`,
              refresh_session: `${api}/auth/session/refresh`,
              revoke_session: `${api}/auth/session/revoke/{session_id}`,
              logout: `${api}/auth/logout`,
            },
    },
    links: { self: api, documentation: `${base}/docs` },
    meta: { root_path: `${links.rootPath}/api` },
  };
}
