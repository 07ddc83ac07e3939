/**
 * The gateway passes requests that are not ours to a server behind this one, with credentials of ours in place of the
 * caller's. This file decides who is let through. `mounts.ts` decides whose a path is, `credentials.ts` what is sent;
 * WebSockets are in `socket.ts`.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Callers } from "../../domain/callers/callers.ts";
import type { Standing } from "../../domain/callers/standing.ts";
import type { Upstream } from "../../domain/model/upstream.ts";
import type { UpstreamCredentialIssuer } from "../../domain/tokens/upstream-credentials.ts";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { METHODS } from "../../lib/node-http.ts";
import type { Secret } from "../../lib/secrets.ts";
import { cookieOf } from "../access/cookies.ts";
import type { Links } from "../links.ts";
import type { Proxies } from "../proxies.ts";
import { withoutParameters } from "../query.ts";
import { type Known, UpstreamAbout } from "./about.ts";
import { RefusedBehind } from "./connect.ts";
import { CredentialsForUpstream, type Sent } from "./credentials.ts";
import { type Paths, UpstreamDocs } from "./docs.ts";
import { Expiry } from "./expiry.ts";
import { Forwarder, hasBody } from "./forward.ts";
import { answerHeaders, CREDENTIALS, isReading, WITH_CSRF } from "./headers.ts";
import type { Destination, Mounts } from "./mounts.ts";
import { requesterOf } from "./requester.ts";
import { GatewaySockets, SOCKET_TIMEOUTS, type SocketTimeouts } from "./socket.ts";
import { isBelow, TILED_PAGES } from "./trust.ts";
import { Upgrades } from "./upgrade.ts";

export interface GatewayDeps {
  readonly upstreams: readonly Upstream[];
  readonly mounts: Mounts;
  readonly credentialIssuer: UpstreamCredentialIssuer;
  /** Issuer for a service that is no Tiled; null: without tokens. */
  readonly newIssuer: (tokenKey: Secret | null) => UpstreamCredentialIssuer;
  readonly callers: Callers;
  readonly standing: Standing;
  readonly links: Links;
  readonly proxies: Proxies;
  readonly clock: Clock;
  readonly allowAnonymous: boolean;
  readonly allowOrigins: readonly string[];
  /** Shorter in tests. */
  readonly timeouts?: SocketTimeouts;
}

type Kind = Destination["kind"];

interface Behind {
  readonly forwarder: Forwarder;
  readonly about: UpstreamAbout;
  readonly docs: UpstreamDocs;
  readonly issuer: UpstreamCredentialIssuer;
}

/** TRACE would echo the fields that we add (RFC 9110, section 9.3.8). */
const NOT_PASSED = "TRACE";

/** How long a stream may outlive its credential. */
const EXPIRY_MS = 1_000;

const OTHER: Known = { kind: "other" };

export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #behind: ReadonlyMap<Upstream, Behind>;
  readonly #credentials: CredentialsForUpstream;
  readonly #expiry: Expiry;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#credentials = new CredentialsForUpstream({
      ...deps,
      issuerFor: (upstream) => this.#of(upstream).issuer,
      about: (upstream) => this.#of(upstream).about.current(),
    });
    const { recheck } = deps.timeouts ?? SOCKET_TIMEOUTS;
    this.#expiry = new Expiry(deps.standing, deps.clock, {
      stepMs: Math.min(recheck, EXPIRY_MS),
      recheckMs: recheck,
    });
    this.#behind = new Map(
      deps.upstreams.map((upstream) => {
        const forwarder = new Forwarder(upstream, deps.links);
        const isOurs = (path: string) => deps.mounts.isOurs(path);
        const about = new UpstreamAbout(forwarder, deps.clock);
        const docs = new UpstreamDocs(forwarder, deps.clock, isOurs);
        return [upstream, { forwarder, about, docs, issuer: deps.newIssuer(upstream.tokenKey) }];
      }),
    );
  }

  /** The about document of the upstream that the request belongs to; null: it is ours. */
  about(request: FastifyRequest): Known | Promise<Known> | null {
    const upstream = this.#deps.mounts.of(request.raw)?.upstream ?? null;
    if (upstream === null) return null;
    return upstream.kind === "http" ? OTHER : this.#of(upstream).about.get();
  }

  /** The upstream's routes, if it has an OpenAPI document. */
  async docs(request: FastifyRequest): Promise<Paths | null> {
    const upstream = this.#deps.mounts.of(request.raw)?.upstream ?? null;
    return upstream === null ? null : await this.#of(upstream).docs.get();
  }

  #of(upstream: Upstream): Behind {
    const behind = this.#behind.get(upstream);
    if (behind === undefined) throw new Error("unknown upstream");
    return behind;
  }

  /** Call it after all other routes. */
  routes(app: FastifyInstance): void {
    const methods = METHODS.filter((method) => method !== "CONNECT");
    for (const method of methods) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
    const upgrades = new Upgrades((request) => this.#deps.mounts.expectSocket(request));
    const sockets = new GatewaySockets({
      ...this.#deps,
      expiry: this.#expiry,
      upgrades,
      credentials: this.#credentials,
      timeouts: this.#deps.timeouts ?? SOCKET_TIMEOUTS,
    });
    const route = (kind: Kind, access: "public" | "page" | "optional", pass: (passing: Passing) => void) =>
      app.route({
        method: methods,
        url: "/*",
        constraints: { gateway: kind },
        config: {
          access,
          ...(access === "public" ? {} : { browserSession: true as const }),
          ...(kind === "socket" ? { tokenInQuery: true as const } : {}),
          ...(kind === "page" ? { quiet: "files" as const } : {}),
        },
        schema: { hide: true },
        // Handled before the body is parsed, since it is not ours to read.
        onRequest: (request, reply) => this.#start(request, reply, pass),
        handler: (_request, reply) => reply,
      });
    route("refused", "public", ({ destination }) => {
      throw new Failure("bad_request", {
        detail: destination.kind === "refused" ? destination.reason : "The request cannot be passed on.",
      });
    });
    route("page", "page", (passing) => this.#page(passing));
    route("data", "optional", (passing) => this.#data(passing));
    route("socket", "optional", (passing) => this.#socket(passing, sockets));
    upgrades.listen(app.server);
    app.addHook("preClose", async () => sockets.close());
    app.addHook("onClose", async () => {
      this.#expiry.close();
      await Promise.all([...this.#behind.values()].map(({ forwarder }) => forwarder.close()));
    });
  }

  #start(request: FastifyRequest, reply: FastifyReply, pass: (passing: Passing) => void): void {
    const destination = this.#deps.mounts.of(request.raw);
    if (destination === undefined) throw new Error("The request has no destination.");
    if (request.method === NOT_PASSED) throw new Failure("method_not_allowed", { headers: { allow: "" } });
    pass({ request, reply, destination });
  }

  /** Pages that Tiled shows before a login are passed without credentials. For other servers they are data like the rest. */
  #page(passing: Passing): void {
    if (upstreamOf(passing).kind === "tiled") {
      this.#forward(passing, { tiled: true });
      return;
    }
    const known = this.about(passing.request);
    const show = (about: Known | null) => {
      if (about?.kind === "away") throw about.failure;
      if (about?.kind === "tiled") this.#forward(passing, { tiled: true });
      else this.#data(passing);
    };
    if (known instanceof Promise) settle(passing.reply, known.then(show));
    else show(known);
  }

  #data(passing: Passing): void {
    const { request, reply } = passing;
    const credentials = this.#credentials.of({
      caller: request.caller,
      upstream: upstreamOf(passing),
      use: isReading(request.method) ? "read" : "write",
      secret: () => secretOf(request),
    });
    const personal = request.caller.kind !== "anonymous";
    const pass = (sent: Sent) =>
      this.#forward(passing, { tiled: sent.tiled, credentials: fieldsOf(sent), personal });
    if (credentials instanceof Promise) settle(reply, credentials.then(pass));
    else pass(credentials);
  }

  #forward(
    passing: Passing,
    {
      tiled,
      credentials = [],
      personal = false,
    }: { readonly tiled: boolean; readonly credentials?: readonly string[]; readonly personal?: boolean },
  ): void {
    const { request, reply, destination } = passing;
    const trusted = isTrusted(destination, tiled);
    if (!trusted && isWorkerScript(request)) {
      throw new Failure("forbidden", {
        detail:
          "Pages of this server cannot be handed to a service worker of the server behind. " +
          "The operator can name its path in 'trusted_pages'.",
      });
    }
    this.#of(upstreamOf(passing)).forwarder.forward(request, reply, {
      target: withoutCredentials(request, destination.url),
      fields: this.#way(request, "").concat(credentials),
      personal,
      trusted,
      requester: requesterOf(request.caller, request, this.#deps.proxies),
      expiry: this.#expiry,
    });
  }

  #socket(passing: Passing, sockets: GatewaySockets): void {
    const { request, reply, destination } = passing;
    const upstream = upstreamOf(passing);
    // The upstream would take the body for the first bytes of the connection.
    if (hasBody(request.raw.headers))
      throw new Failure("bad_request", { detail: "The handshake of a WebSocket has no body." });
    const opened = sockets.open({
      request,
      reply,
      upstream,
      path: destination.kind === "socket" ? destination.path : "",
      url: upstream.url.replace(/^http/, "ws") + withoutCredentials(request, destination.url),
      way: this.#way(request, "socket"),
    });
    settle(
      reply,
      opened.catch((error: unknown) => {
        if (!(error instanceof RefusedBehind)) throw error;
        const context = {
          ours: {},
          relocate: (location: string) => location,
          personal: true,
          trusted: false,
        };
        const fields = answerHeaders(error.fields, context);
        for (let index = 0; index + 1 < fields.length; index += 2) {
          reply.header(fields[index] ?? "", fields[index + 1]);
        }
        reply.code(error.status).removeHeader("content-length").send(error.body);
      }),
    );
  }

  /** Fields that say how the request reached us; a Tiled builds its links from them. */
  #way(request: FastifyRequest, kind: "" | "socket"): string[] {
    const { links, proxies } = this.#deps;
    const [scheme = "", host = ""] = links.origin(request).split("://");
    const { address } = proxies.read(request);
    // In a handshake the scheme is ws or wss, which Tiled turns into http or https.
    const proto = kind === "socket" ? scheme.replace("http", "ws") : scheme;
    const fields = ["x-forwarded-host", host, "x-forwarded-proto", proto, "x-tiled-request-id", request.id];
    if (address !== null) fields.push("x-forwarded-for", address);
    return fields;
  }
}

interface Passing {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly destination: Destination;
}

function upstreamOf({ destination: { upstream } }: Passing): Upstream {
  if (upstream === null) throw new Failure("not_found");
  return upstream;
}

/** `tiled`: the upstream is a Tiled. */
function isTrusted(destination: Destination, tiled: boolean): boolean {
  if (!("readings" in destination)) return false;
  return isBelow(destination, destination.upstream.trustedPages ?? (tiled ? TILED_PAGES : []));
}

/** A service worker controls every page of our origin below its path (Service Workers, section 8.1). */
function isWorkerScript({ headers }: FastifyRequest): boolean {
  return headers["service-worker"] !== undefined || headers["sec-fetch-dest"] === "serviceworker";
}

function fieldsOf({ token, key, names }: Sent): readonly string[] {
  if (key !== null) return ["authorization", `Apikey ${key}`, ...names];
  return token === null ? names : ["authorization", `Bearer ${token}`, ...names];
}

function secretOf({ presented }: FastifyRequest): string | null {
  return presented.kind === "api_key" ? presented.secret : null;
}

function settle(reply: FastifyReply, work: Promise<void>): void {
  work.catch((error: unknown) => void reply.send(error));
}

function withoutCredentials(request: FastifyRequest, target: string): string {
  // A CSRF token in the query repeats our cookie.
  return withoutParameters(target, cookieOf(request, "tiled_csrf") === undefined ? CREDENTIALS : WITH_CSRF);
}
