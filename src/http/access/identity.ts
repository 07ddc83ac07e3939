/**
 * Who asks: takes the credential from a request and has it checked by the domain. What is sent on purpose
 * (`credential.ts`) outranks every cookie, and the login of a browser, which counts where a route says so, outranks a key
 * that the browser keeps.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { BrowserSessions } from "../../domain/browser-session.ts";
import type { Callers } from "../../domain/callers/callers.ts";
import { type Caller, isKnown, type KnownCaller } from "../../domain/model/caller.ts";
import type { ActorCredential, RequestContext } from "../../domain/model/entities.ts";
import { Failure } from "../../errors.ts";
import type { Links } from "../links.ts";
import type { Proxies } from "../proxies.ts";
import { routeOf } from "../route.ts";
import { explicitCredential, NO_CREDENTIAL } from "./credential.ts";
import { dropKey, keyInCookie } from "./key-cookie.ts";
import {
  countedSecretOf,
  dropSession,
  hasTwoSessions,
  personSecretOf,
  sessionSecretOf,
} from "./session-cookie.ts";

export interface Identity {
  identify(
    request: FastifyRequest,
    reply: FastifyReply,
    options: { readonly noted: boolean },
  ): Caller | Promise<Caller>;
  /** By the browser's session alone. Fails with `login_needed` where there is none. */
  person(request: FastifyRequest): Caller | Promise<Caller>;
  /** Takes a cookie from the browser that was refused with this failure, if it was one. */
  forget(failure: Failure, request: FastifyRequest, reply: FastifyReply): void;
}

export function createIdentity(deps: {
  readonly callers: Callers;
  readonly proxies: Proxies;
  readonly links: Links;
  /** Null in the modes without providers. */
  readonly browserSessions: BrowserSessions | null;
}): Identity {
  const { callers, proxies, links, browserSessions } = deps;

  const byCredential: Identity["identify"] = (request, _reply, options) =>
    callers.identify(request.presented, () => requestContext(request, proxies, null), options);

  const byKeyCookie = (
    request: FastifyRequest,
    reply: FastifyReply,
    key: string | null,
    options: { readonly noted: boolean },
  ): Caller | Promise<Caller> => {
    request.presented = key === null ? NO_CREDENTIAL : { kind: "api_key", secret: key, ambient: true };
    return byCredential(request, reply, options);
  };

  return {
    identify: (request, reply, options) => {
      request.presented = explicitCredential(request);
      if (request.presented.kind !== "none") return byCredential(request, reply, options);
      const key = keyInCookie(request, links);
      const { access, browserSession = false } = routeOf(request);
      const accepts = access === "page" || browserSession;
      const login =
        browserSessions === null || !(accepts || key !== null) ? null : sessionSecretOf(request, links);
      if (browserSessions === null || login === null) {
        // Nor does a key count in the place of a login that cannot be told.
        const isInPlace = browserSessions !== null && key !== null && hasTwoSessions(request, links);
        return byKeyCookie(request, reply, isInPlace ? null : key, options);
      }
      const counts = accepts && countedSecretOf(request, links) !== null;
      if (!counts && key === null) return byCredential(request, reply, options);
      // A login that has ended outranks no key.
      const over = (error: unknown) => {
        if (key === null || !(error instanceof Failure) || error.code !== "browser_login_over") throw error;
        dropSession(request, reply, links);
        return byKeyCookie(request, reply, key, options);
      };
      // Beside a login a key's cookie counts nowhere, also where the login itself does not count.
      const live = (person: Caller) => (counts ? person : byCredential(request, reply, options));
      try {
        const person = browserSessions.identify(login);
        return person instanceof Promise ? person.then(live, over) : live(person);
      } catch (error) {
        return over(error);
      }
    },
    person: (request) => {
      const secret = personSecretOf(request, links);
      if (secret === null || browserSessions === null) throw new Failure("login_needed");
      return browserSessions.identify(secret);
    },
    forget: ({ code }, request, reply) => {
      if (code === "browser_login_over") dropSession(request, reply, links);
      else if (KEY_REFUSED.has(code) && request.presented.ambient) dropKey(request, reply, links);
    },
  };
}

const KEY_REFUSED: ReadonlySet<string> = new Set(["invalid_api_key", "expired_api_key", "no_principal"]);

function credentialIn(caller: KnownCaller): ActorCredential {
  if (caller.kind === "api_key") {
    const { firstEight, digest } = caller.key;
    return { kind: "api_key", firstEight, digest };
  }
  if (caller.session === null) return { kind: "token" };
  return { kind: caller.kind === "browser" ? "browser" : "session", session: caller.session };
}

/** For audit rows: from where, in which request, and who, once that is known. */
export function requestContext(
  request: FastifyRequest,
  proxies: Proxies,
  caller: Caller | null,
): RequestContext {
  return {
    address: proxies.read(request).address,
    requestId: request.id,
    ...(caller !== null && isKnown(caller)
      ? { actor: caller.principal.uuid, credential: credentialIn(caller) }
      : { actor: null }),
    userAgent: request.raw.headers["user-agent"] ?? null,
  };
}
