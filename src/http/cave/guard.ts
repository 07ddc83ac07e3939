/**
 * Who may use CAVE's API routes: a request with a token, in `Authorization` (RFC 6750, section 2.1) or, for a GET that neither
 * makes nor lists tokens, in `?middle_auth_token=`. Cookies never count. A person who opens such an address in a browser is sent
 * to the page of their tokens, and programs are told where people log in (`errors.ts`). `browser/session.ts` has the pages' gates.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type CaveCaller, type CaveCallers, contextOfCaller } from "../../domain/cave/callers.ts";
import type { CaveRulesInForce } from "../../domain/cave/rules.ts";
import type { Caller } from "../../domain/model/caller.ts";
import type { RequestContext } from "../../domain/model/entities.ts";
import { Failure } from "../../errors.ts";
import type { MaybePromise } from "../../lib/maybe-promise.ts";
import { isForm } from "../access/body-types.ts";
import type { Gate } from "../access/kinds.ts";
import { requestContext } from "../access/request-context.ts";
import type { Proxies } from "../proxies.ts";
import type { CaveLinks } from "./server-address.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The token's caller, on API routes; null on all others, and for a browser at an address that is a page, too. */
    cave: CaveCaller | null;
  }
}

export interface GuardDeps {
  readonly callers: Pick<CaveCallers, "identify">;
  readonly rules: CaveRulesInForce;
  readonly links: CaveLinks;
  readonly proxies: Proxies;
}

export interface TokenGates {
  /** An API token or a login token. */
  readonly token: Gate;
  /** An API token, in the header only. */
  readonly apiToken: Gate;
  /** A token of an admin of anything, or of a service. */
  readonly admin: Gate;
  /** A token, or a browser's request without one, whose login the page checks. */
  readonly tokenOrPage: Gate;
}

type Demand = "token" | "api_token" | "admin" | "token_or_page";

/** To call once, before the routes. */
export function tokenGates(app: FastifyInstance, deps: GuardDeps): TokenGates {
  app.decorateRequest("cave", null);
  return {
    token: new TokenGate(deps, "token"),
    apiToken: new TokenGate(deps, "api_token"),
    admin: new TokenGate(deps, "admin"),
    tokenOrPage: new TokenGate(deps, "token_or_page"),
  };
}

class TokenGate implements Gate {
  readonly scheme = "CaveToken";
  readonly #deps: GuardDeps;
  readonly #demand: Demand;
  readonly #login: string;
  readonly #callers = new WeakMap<CaveCaller, Caller>();

  constructor(deps: GuardDeps, demand: Demand) {
    this.#deps = deps;
    this.#demand = demand;
    this.#login = deps.links.authorize(deps.links.tokensPage);
  }

  admit(request: FastifyRequest, reply: FastifyReply): MaybePromise<Caller | null> {
    const token = tokenOf(request, this.#demand);
    if (token === null) return this.#withoutToken(request, reply);
    const { callers, proxies } = this.#deps;
    const found = callers.identify(token, () => requestContext(request, proxies, null));
    if (found instanceof Promise) return found.then((caller) => this.#admitted(request, caller));
    return this.#admitted(request, found);
  }

  #admitted(request: FastifyRequest, caller: CaveCaller): Caller {
    if (this.#demand === "api_token" && caller.credential.kind === "login_token") {
      throw new Failure("login_token");
    }
    if (this.#demand === "admin" && !this.#deps.rules.current.rightsOf(caller.person).someAdmin) {
      throw new Failure("requires_admin");
    }
    request.cave = caller;
    return this.#known(caller);
  }

  /** As log lines name it, made once for each caller. */
  #known(caller: CaveCaller): Caller {
    let known = this.#callers.get(caller);
    if (known === undefined) {
      known = namedCaller(caller);
      this.#callers.set(caller, known);
    }
    return known;
  }

  #withoutToken(request: FastifyRequest, reply: FastifyReply): Caller | null {
    if (this.#demand === "token_or_page" && (isPerson(request) || isForm(request))) return BROWSER;
    if (!isPerson(request)) throw new Failure("no_token");
    // caveclient without a token follows this, too, and has to find a page.
    reply.header("cache-control", "no-store").redirect(this.#login, 302);
    return null;
  }
}

/** At the address of a page, before that has looked for a login. */
const BROWSER: Caller = { kind: "anonymous", scopes: new Set() };

/** For handlers of API routes. */
export function caveCallerOf({ cave }: FastifyRequest): CaveCaller {
  if (cave === null) throw new Error("The route's declared access does not grant a token's caller.");
  return cave;
}

/** For the audit log and the store. */
export function caveContext(request: FastifyRequest, proxies: Proxies): RequestContext {
  return contextOfCaller(caveCallerOf(request), requestContext(request, proxies, null));
}

/** Neither a script nor a program that identifies itself as one. */
function isPerson({ method, headers }: FastifyRequest): boolean {
  return method === "GET" && headers["x-requested-with"] === undefined && headers.origin === undefined;
}

const BEARER = "Bearer ";

/** Null if none was sent. */
function tokenOf(request: FastifyRequest, demand: Demand): string | null {
  const header = request.raw.headers.authorization;
  if (header !== undefined && header !== "") return tokenIn(header);
  if (request.method !== "GET" || demand === "api_token") return null;
  const given = (request.query as Readonly<Record<string, unknown>>)["middle_auth_token"];
  if (given === undefined || typeof given === "string") return given ?? null;
  throw new Failure("bad_request", { detail: "The parameter middle_auth_token is given twice." });
}

/** "" for a scheme without a token, which a service sends that was given none. */
function tokenIn(header: string): string {
  if (header.startsWith(BEARER)) return header.slice(BEARER.length);
  const parts = /^bearer(?: +(.*))?$/i.exec(header);
  if (parts === null) throw new Failure("bad_auth_header");
  return parts[1] ?? "";
}

const NO_SCOPES: ReadonlySet<string> = new Set();

/** Without scopes, since no route for Tiled's clients sees it. */
function namedCaller({ principal, credential }: CaveCaller): Caller {
  if (credential.kind === "api_token") {
    return { kind: "api_key", principal, scopes: NO_SCOPES, key: credential.key };
  }
  const { session } = credential.login;
  return { kind: "token", principal, scopes: NO_SCOPES, identities: [], session };
}
