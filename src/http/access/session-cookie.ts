/**
 * The cookie of a browser that is logged in, and for which requests it counts: for reading from our own pages or by opening an
 * address, for changes with the double submit only (a form's token, or the header `x-csrf`), and never across sites.
 * `domain/browser-session.ts` has the session that it stands for.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerHookHandler } from "fastify";
import { formTokenOf, isToken, readSessionSecret } from "../../domain/browser-session.ts";
import { readHandedOver } from "../../domain/login/hand-over.ts";
import { Failure } from "../../errors.ts";
import type { Links } from "../links.ts";
import { SAFE_METHODS } from "../methods.ts";
import { OwnCookie } from "./cookies.ts";
import { checkDoubleSubmit } from "./csrf.ts";
import { isForPerson } from "./kinds.ts";
import { isOpenedByPerson, isSameOrigin, namesOwnOrigin, requireSameOrigin } from "./same-origin.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Accepts the login of a browser that sends no other credential. */
    browserSession?: true;
  }
}

type Where = Pick<Links, "base" | "isHttps" | "isDataHost">;

export const SESSION_COOKIE = "tiled_session";
const COOKIE = new OwnCookie(SESSION_COOKIE);

/** The secret that the browser has, whatever it may be used for; two of them are none. */
export function sessionSecretOf(request: FastifyRequest, links: Where): string | null {
  if (COOKIE.timesGiven(request, links) !== 1) return null;
  const text = COOKIE.read(request, links);
  // A data host's login opens no page for people, and the other way round.
  return links.isDataHost(request) ? readHandedOver(text) : readSessionSecret(text);
}

/** Of two, one was planted by a neighbour of our host name, and nothing tells which. */
export function hasTwoSessions(request: FastifyRequest, links: Where): boolean {
  return COOKIE.timesGiven(request, links) > 1;
}

export function keepSession(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Where,
  secret: string,
  maxAge: number,
): void {
  COOKIE.set(request, reply, links, secret, maxAge);
}

export function dropSession(request: FastifyRequest, reply: FastifyReply, links: Where): void {
  COOKIE.drop(request, reply, links);
}

/** The secret if it counts for this request, else null. Fails with `csrf` if only the double submit is missing. */
export function countedSecretOf(request: FastifyRequest, links: Where): string | null {
  const secret = sessionSecretOf(request, links);
  if (secret === null) return null;
  if (!SAFE_METHODS.has(request.method)) {
    requireSameOrigin(request, links);
    checkDoubleSubmit(request, SESSION_COOKIE);
    return secret;
  }
  if (request.headers.upgrade !== undefined) return namesOwnOrigin(request, links) ? secret : null;
  return isSameOrigin(request, links) || isOpenedByPerson(request) ? secret : null;
}

/** The same on a page for people. `protectForms` checks a form's token once its body is read. */
export function personSecretOf(request: FastifyRequest, links: Where): string | null {
  if (SAFE_METHODS.has(request.method)) return countedSecretOf(request, links);
  requireSameOrigin(request, links);
  return sessionSecretOf(request, links);
}

/** Fails with `csrf` unless the form has the token that its page was made with. */
export function checkForm(request: FastifyRequest, expected: string): void {
  const { token } = (request.body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof token === "string" && isToken(token, expected)) return;
  throw new Failure("csrf", { detail: "The form's token is missing or belongs to another browser." });
}

/** Checks every form of a page for people who are logged in, so that no route can forget it. */
export function protectForms(app: FastifyInstance, links: Where): void {
  const check: preHandlerHookHandler = (request, _reply, done) => {
    if (!SAFE_METHODS.has(request.method)) {
      checkForm(request, formTokenOf(sessionSecretOf(request, links) ?? ""));
    }
    done();
  };
  app.addHook("onRoute", (route) => {
    if (isForPerson(route.config?.access)) {
      route.preHandler = [check, ...[route.preHandler ?? []].flat()];
    }
  });
}
