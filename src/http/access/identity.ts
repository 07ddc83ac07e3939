/**
 * Finds out who asks: takes the credential from a request and has the domain check it. What is sent on purpose
 * (`credential.ts`) outranks every cookie. A browser's login, on routes that accept one, outranks a key that the browser keeps.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { BrowserSessions } from "../../domain/browser-session.ts";
import type { Callers } from "../../domain/callers/callers.ts";
import type { Caller } from "../../domain/model/caller.ts";
import { Failure } from "../../errors.ts";
import type { Links } from "../links.ts";
import type { Proxies } from "../proxies.ts";
import { routeOf } from "../route.ts";
import { explicitCredential, NO_CREDENTIAL } from "./credential.ts";
import { dropKey, keyInCookie } from "./key-cookie.ts";
import { requestContext } from "./request-context.ts";
import {
  countedSecretOf,
  dropSession,
  hasTwoSessions,
  personSecretOf,
  sessionSecretOf,
} from "./session-cookie.ts";

export interface IdentifyOptions {
  /** Whether the use of a key is noted. */
  readonly noted: boolean;
  /** The same request once more, whose credential has been read. */
  readonly again?: boolean;
}

export interface Identification {
  identify(request: FastifyRequest, reply: FastifyReply, options: IdentifyOptions): Caller | Promise<Caller>;
  /** By the browser's session alone. Fails with `login_needed` without one. */
  person(request: FastifyRequest): Caller | Promise<Caller>;
  /** Drops the browser's cookie that was refused with this failure, if a cookie was. */
  forget(failure: Failure, request: FastifyRequest, reply: FastifyReply): void;
}

export function createIdentification(deps: {
  readonly callers: Callers;
  readonly proxies: Proxies;
  readonly links: Links;
  /** Null in the modes without providers. */
  readonly browserSessions: BrowserSessions | null;
}): Identification {
  const { callers, proxies, links, browserSessions } = deps;

  const byCredential: Identification["identify"] = (request, _reply, options) =>
    callers.identify(request.presented, () => requestContext(request, proxies, null), options);

  const byKeyCookie = (
    request: FastifyRequest,
    reply: FastifyReply,
    key: string | null,
    options: IdentifyOptions,
  ): Caller | Promise<Caller> => {
    request.presented = key === null ? NO_CREDENTIAL : { kind: "api_key", secret: key, ambient: true };
    return byCredential(request, reply, options);
  };

  return {
    identify: (request, reply, options) => {
      if (options.again !== true) request.presented = explicitCredential(request);
      else if (request.presented.ambient) request.presented = NO_CREDENTIAL;
      if (request.presented.kind !== "none") return byCredential(request, reply, options);
      const key = keyInCookie(request, links);
      const { access, browserSession = false } = routeOf(request);
      const accepts = access === "page" || browserSession;
      const login =
        browserSessions === null || !(accepts || key !== null) ? null : sessionSecretOf(request, links);
      if (browserSessions === null || login === null) {
        // A key does not count in place of a login that cannot be told from a planted one.
        const isInPlace = browserSessions !== null && key !== null && hasTwoSessions(request, links);
        return byKeyCookie(request, reply, isInPlace ? null : key, options);
      }
      const counts = accepts && countedSecretOf(request, links) !== null;
      if (!counts && key === null) return byCredential(request, reply, options);
      // A login that has ended does not outrank a key.
      const over = (error: unknown) => {
        if (key === null || !(error instanceof Failure) || error.code !== "browser_login_over") throw error;
        dropSession(request, reply, links);
        return byKeyCookie(request, reply, key, options);
      };
      // Beside a login a key's cookie never counts, even where the login itself does not.
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
