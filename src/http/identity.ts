/**
 * Who asks: takes the credential from a request, in the contract's order, and has it checked by the domain. A browser
 * that opens a page with a valid `?api_key=` gets the key as a cookie and is sent on to the same URL without it; one that
 * is logged in counts where a route says so.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { BrowserSessions } from "../domain/browser-session.ts";
import { type Caller, isKnown, type KnownCaller } from "../domain/caller.ts";
import type { Callers, Credential } from "../domain/callers.ts";
import type { ActorCredential, Origin } from "../domain/model.ts";
import { Failure } from "../errors.ts";
import { countedSecretOf, dropSession, personSecretOf } from "./browser-session.ts";
import { cookieOf } from "./cookies.ts";
import { API_KEY_COOKIE } from "./csrf.ts";
import type { Links } from "./links.ts";
import type { Proxies } from "./proxies.ts";
import { withoutParameters } from "./query.ts";
import { routeOf } from "./route.ts";

const API_KEY_PARAMETER: ReadonlySet<string> = new Set(["api_key"]);
const NONE: Credential = { kind: "none" };

declare module "fastify" {
  interface FastifyContextConfig {
    /** An access token may come as `?access_token=` (RFC 6750, section 2.3): where a browser can send no header. */
    tokenInQuery?: true;
  }
}

/** Query, `Authorization: Apikey`, cookie, `Authorization: Bearer`: the first that is there counts. Empty ones do not. */
export function credentialOf(request: FastifyRequest): Credential {
  const inQuery = keyInQuery(request);
  if (Array.isArray(inQuery))
    throw new Failure("bad_request", { detail: "The parameter api_key is given twice." });
  if (typeof inQuery === "string" && inQuery !== "") return { kind: "api_key", secret: inQuery };
  const header = readAuthorization(request.raw.headers.authorization);
  if (header.kind === "api_key") return header;
  if (routeOf(request).tokenInQuery === true) {
    const token = (request.query as Readonly<Record<string, unknown>>)["access_token"];
    if (Array.isArray(token))
      throw new Failure("bad_request", { detail: "The parameter access_token is given twice." });
    if (typeof token === "string" && token !== "") return { kind: "bearer", token };
  }
  const cookie = cookieOf(request, API_KEY_COOKIE);
  if (cookie !== undefined && cookie !== "") return { kind: "api_key", secret: cookie };
  return header;
}

function keyInQuery(request: FastifyRequest): unknown {
  return (request.query as Readonly<Record<string, unknown>>)["api_key"];
}

function readAuthorization(header: string | undefined): Credential {
  const text = header?.trim() ?? "";
  if (text === "") return NONE;
  const space = text.indexOf(" ");
  const scheme = space === -1 ? text : text.slice(0, space);
  const value = space === -1 ? "" : text.slice(space + 1).trimStart();
  switch (scheme.toLowerCase()) {
    case "apikey":
      return value === "" ? NONE : { kind: "api_key", secret: value };
    case "bearer":
      return value === "" ? NONE : { kind: "bearer", token: value };
    default:
      throw new Failure("bad_authorization");
  }
}

export interface Identity {
  identify(request: FastifyRequest, options: { readonly noted: boolean }): Caller | Promise<Caller>;
  /** By the browser's session alone. Fails with `login_needed` where there is none. */
  person(request: FastifyRequest): Caller | Promise<Caller>;
  /** Takes the cookie of a session that has ended from the browser. */
  forgetPerson(request: FastifyRequest, reply: FastifyReply): void;
  /** Keeps a key from the URL as a cookie; true where the browser was sent on and the request is answered. */
  keepKey(request: FastifyRequest, reply: FastifyReply): boolean;
}

export function createIdentity(deps: {
  readonly callers: Callers;
  readonly proxies: Proxies;
  readonly links: Links;
  /** Null in the modes without providers. */
  readonly browserSessions: BrowserSessions | null;
}): Identity {
  const { callers, proxies, links, browserSessions } = deps;

  const personIn = (request: FastifyRequest): Caller | Promise<Caller> | null => {
    const secret = browserSessions === null ? null : countedSecretOf(request, links);
    return secret === null ? null : (browserSessions?.identify(secret) ?? null);
  };

  return {
    identify: (request, options) => {
      const { access, browserSession = false } = routeOf(request);
      // A page greets the person, even if a key has been left in the browser.
      const first = access === "page" && keyInQuery(request) === undefined ? personIn(request) : null;
      if (first !== null) return first;
      const credential = credentialOf(request);
      const last = browserSession && credential.kind === "none" ? personIn(request) : null;
      return last ?? callers.identify(credential, () => originOf(request, proxies, null), options);
    },
    person: (request) => {
      const secret = personSecretOf(request, links);
      if (secret === null || browserSessions === null) throw new Failure("login_needed");
      return browserSessions.identify(secret);
    },
    forgetPerson: (request, reply) => dropSession(request, reply, links),
    keepKey: (request, reply) => {
      const query = request.query as Readonly<Record<string, unknown>>;
      const key = query["api_key"];
      if (typeof key !== "string" || key === "") return false;
      if (cookieOf(request, API_KEY_COOKIE) !== key) {
        const attributes = {
          httpOnly: true,
          path: "/",
          sameSite: "lax",
          secure: links.isHttps(request),
        } as const;
        // At once: an answer that is passed on from another server is not put together here.
        reply.header("set-cookie", request.server.serializeCookie(API_KEY_COOKIE, key, attributes));
      }
      if (request.method !== "GET" || !(request.headers.accept ?? "").includes("text/html")) return false;
      reply.header("cache-control", "no-store");
      reply.redirect(links.base(request) + withoutParameters(request.url, API_KEY_PARAMETER), 302);
      return true;
    },
  };
}

function credentialIn(caller: KnownCaller): ActorCredential {
  if (caller.kind === "api_key") {
    const { firstEight, digest } = caller.key;
    return { kind: "api_key", firstEight, digest };
  }
  if (caller.session === null) return { kind: "token" };
  return { kind: caller.kind === "browser" ? "browser" : "session", session: caller.session };
}

/** For audit rows: from where, in which request, and who, once that is known. */
export function originOf(request: FastifyRequest, proxies: Proxies, caller: Caller | null): Origin {
  return {
    address: proxies.read(request).address,
    requestId: request.id,
    ...(caller !== null && isKnown(caller)
      ? { actor: caller.principal.uuid, credential: credentialIn(caller) }
      : { actor: null }),
    userAgent: request.raw.headers["user-agent"] ?? null,
  };
}
