/**
 * The gateway: what is not ours goes to the server behind this one, with the caller's credential exchanged. Here is who is
 * let through and how a caller is introduced; whose a path is, is told in `gateway-mounts.ts`, WebSockets are in
 * `gateway-socket.ts`.
 */
import { METHODS, type Server } from "node:http";
import type { FastifyHttpOptions, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Exchange, type Introduction, tokenWidens } from "../domain/exchange.ts";
import { Failure } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { type Known, UpstreamAbout } from "./gateway-about.ts";
import { Forwarder } from "./gateway-forward.ts";
import type { Destination, Mounts, Upstream } from "./gateway-mounts.ts";
import { credentialOf } from "./identity.ts";
import { introductionHeaders } from "./introduction.ts";
import type { Links } from "./links.ts";
import type { Proxies } from "./proxies.ts";
import { withoutParameters } from "./query.ts";

export interface GatewayDeps {
  readonly upstreams: readonly Upstream[];
  readonly mounts: Mounts;
  readonly exchange: Exchange;
  readonly links: Links;
  readonly proxies: Proxies;
  readonly clock: Clock;
  readonly allowAnonymous: boolean;
}

type Kind = Destination["kind"];

/** For Fastify's constructor: the decision comes before the routes, and no route of ours is found for what is not ours. */
export function gatewayRouting(mounts: Mounts): GatewayRouting {
  const gateway: Strategy = {
    name: "gateway",
    storage: () => {
      const handlers = new Map<string, Parameters<Stored["set"]>[1]>();
      return {
        get: (kind) => handlers.get(kind) ?? null,
        set: (kind, handler) => void handlers.set(kind, handler),
      };
    },
    deriveConstraint: (request) => {
      const kind = mounts.of(request)?.kind;
      // The router takes undefined for "no constraint"; only its types do not say so.
      return (kind === "ours" ? undefined : kind) as string;
    },
    mustMatchWhenDerived: true,
  };
  return { rewriteUrl: (request) => mounts.rewrite(request), constraints: { gateway } };
}

type Options = FastifyHttpOptions<Server>;
type Strategy = NonNullable<NonNullable<Options["routerOptions"]>["constraints"]>[string];
type Stored = ReturnType<Strategy["storage"]>;

export interface GatewayRouting {
  rewriteUrl(request: FastifyRequest["raw"]): string;
  readonly constraints: Record<string, Strategy>;
}

/** Not these: a tunnel, and an echo of the fields that we add. */
const NOT_PASSED: ReadonlySet<string> = new Set(["CONNECT", "TRACE"]);

export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #forwarders: ReadonlyMap<Upstream, Forwarder>;
  readonly #abouts: ReadonlyMap<Upstream, UpstreamAbout>;
  /** The same fields for each request of a caller. */
  readonly #introductions = new WeakMap<Introduction, readonly string[]>();

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#forwarders = new Map(
      deps.upstreams.map((upstream) => [upstream, new Forwarder(upstream, deps.links)]),
    );
    this.#abouts = new Map(
      [...this.#forwarders].map(([upstream, forwarder]) => [
        upstream,
        new UpstreamAbout(forwarder, deps.clock),
      ]),
    );
  }

  /** What the server at a request's place says of itself; null where there is none. */
  about(request: FastifyRequest): Known | Promise<Known> | null {
    const upstream = this.#deps.mounts.of(request.raw)?.upstream ?? null;
    return upstream === null ? null : (this.#abouts.get(upstream)?.get() ?? null);
  }

  routes(app: FastifyInstance): void {
    const methods = METHODS.filter((method) => method !== "CONNECT");
    for (const method of methods) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
    const route = (kind: Kind, access: "public" | "page" | "optional", pass: (passing: Passing) => void) =>
      app.route({
        method: methods,
        url: "/*",
        constraints: { gateway: kind },
        config: { access, ...(access === "public" ? {} : { browserSession: true as const }) },
        schema: { hide: true },
        // Nothing after this is run: the body is not ours to read.
        onRequest: (request, reply) => this.#start(request, reply, pass),
        handler: (_request, reply) => reply,
      });
    route("refused", "public", ({ destination }) => {
      throw new Failure("bad_request", {
        detail: destination.kind === "refused" ? destination.reason : "Bad request.",
      });
    });
    route("page", "page", (passing) => this.#page(passing));
    route("data", "optional", (passing) => this.#data(passing));
    app.addHook("onClose", async () => {
      await Promise.all([...this.#forwarders.values()].map((forwarder) => forwarder.close()));
    });
  }

  #start(request: FastifyRequest, reply: FastifyReply, pass: (passing: Passing) => void): void {
    const destination = this.#deps.mounts.of(request.raw);
    if (destination === undefined) throw new Error("The request's place is not known.");
    if (NOT_PASSED.has(request.method)) throw new Failure("method_not_allowed", { headers: { allow: "" } });
    pass({ request, reply, destination });
  }

  /** What Tiled shows before a login needs no credential and gets none; of another server it is data like all else. */
  #page(passing: Passing): void {
    const known = this.about(passing.request);
    const show = (about: Known | null) => {
      if (about?.kind === "away") throw about.failure;
      if (about?.kind === "tiled") this.#pass(passing, []);
      else this.#data(passing);
    };
    if (known instanceof Promise) settle(passing.reply, known, show);
    else show(known);
  }

  #data(passing: Passing): void {
    const introduction = this.introduce(passing.request);
    const pass = (made: readonly string[]) => this.#pass(passing, made);
    if (introduction instanceof Promise) settle(passing.reply, introduction, pass);
    else pass(introduction);
  }

  /**
   * The fields that say who asks. Fails where nobody may ask without a credential, and where the credential allows less
   * than anything that could be passed on in its place.
   */
  introduce(request: FastifyRequest): readonly string[] | Promise<readonly string[]> {
    const { caller } = request;
    if (caller.kind === "anonymous" && !this.#deps.allowAnonymous) throw new Failure("no_credentials");
    const introduction = this.#deps.exchange.introduce(caller);
    if (introduction instanceof Promise) return introduction.then((made) => this.#fields(request, made));
    return this.#fields(request, introduction);
  }

  #fields(request: FastifyRequest, introduction: Introduction): readonly string[] {
    const fields = this.#said(introduction);
    if (!tokenWidens(request.caller)) return fields;
    const upstream = this.#deps.mounts.of(request.raw)?.upstream;
    const credential = credentialOf(request);
    if (upstream?.sharesDatabase !== true || credential.kind !== "api_key") {
      throw new Failure("forbidden", {
        detail:
          "This API key is narrowed to access tags, and the data service behind this server would not know of them. " +
          "Use another key, or ask the operator to set 'shares_database' for it in 'trees'.",
      });
    }
    return ["authorization", `Apikey ${credential.secret}`, ...fields];
  }

  #said(introduction: Introduction): readonly string[] {
    let fields = this.#introductions.get(introduction);
    if (fields === undefined) {
      const { token } = introduction;
      const said = Object.entries(introductionHeaders(introduction)).filter(([, value]) => value !== "");
      fields = [...(token === null ? [] : ["authorization", `Bearer ${token}`]), ...said.flat()];
      this.#introductions.set(introduction, fields);
    }
    return fields;
  }

  #pass({ request, reply, destination }: Passing, introduction: readonly string[]): void {
    const forwarder = destination.upstream === null ? undefined : this.#forwarders.get(destination.upstream);
    if (forwarder === undefined) throw new Failure("not_found");
    forwarder.forward(request, reply, {
      target: withoutCredentials(request, destination.url),
      fields: this.#wayFields(request).concat(introduction),
    });
  }

  /** By which way the request came; a Tiled builds its links from them. */
  #wayFields(request: FastifyRequest): string[] {
    const { links, proxies } = this.#deps;
    const [scheme = "", host = ""] = links.origin(request).split("://");
    const { address } = proxies.read(request);
    const fields = ["x-forwarded-host", host, "x-forwarded-proto", scheme, "x-tiled-request-id", request.id];
    if (address !== null) fields.push("x-forwarded-for", address);
    return fields;
  }
}

interface Passing {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly destination: Destination;
}

function settle<Value>(reply: FastifyReply, value: Promise<Value>, then: (value: Value) => void): void {
  value.then(then).catch((error: unknown) => void reply.send(error));
}

const CREDENTIALS: ReadonlySet<string> = new Set(["api_key", "access_token"]);
const WITH_CSRF: ReadonlySet<string> = new Set([...CREDENTIALS, "csrf"]);

function withoutCredentials(request: FastifyRequest, target: string): string {
  // A CSRF token in the query repeats a cookie of ours.
  return withoutParameters(target, request.cookies["tiled_csrf"] === undefined ? CREDENTIALS : WITH_CSRF);
}
