/**
 * The cookie of a browser that is logged in, and on which requests it counts: reading from our own pages or by opening an
 * address, changing with the double submit only (a form's token, or the header `x-csrf`), and never across sites. What it
 * stands for is in `domain/browser-session.ts`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerHookHandler } from "fastify";
import { formTokenOf, isToken, readSessionSecret } from "../../domain/browser-session.ts";
import { readHandedOver } from "../../domain/login/hand-over.ts";
import { Failure } from "../../errors.ts";
import type { Links } from "../links.ts";
import { SAFE_METHODS } from "../methods.ts";
import { cookieOf, hostCookie, timesGiven } from "./cookies.ts";
import { checkDoubleSubmit } from "./csrf.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Where no other credential is sent, a browser that is logged in counts on this route. */
    browserSession?: true;
  }
}

type Where = Pick<Links, "base" | "isHttps" | "isDataHost">;

const NAME = "tiled_session";

/** The secret that the browser has, whatever it may be used for; two of them are none. */
export function sessionSecretOf(request: FastifyRequest, links: Where): string | null {
  if (request.raw.headers.cookie?.includes(NAME) !== true) return null;
  const name = hostCookie(NAME, request, links);
  if (timesGiven(request, name) !== 1) return null;
  const text = cookieOf(request, name);
  // What a data host has opens no page for people, and the other way round.
  return links.isDataHost(request) ? readHandedOver(text) : readSessionSecret(text);
}

/** Where it is not told which of two is the browser's own, a neighbour of our host name has planted one. */
export function hasTwoSessions(request: FastifyRequest, links: Where): boolean {
  return timesGiven(request, hostCookie(NAME, request, links)) > 1;
}

export function keepSession(
  request: FastifyRequest,
  reply: FastifyReply,
  links: Where,
  secret: string,
  maxAge: number,
): void {
  reply.setCookie(hostCookie(NAME, request, links), secret, { ...attributes(request, links), maxAge });
}

export function dropSession(request: FastifyRequest, reply: FastifyReply, links: Where): void {
  reply.setCookie(hostCookie(NAME, request, links), "", { ...attributes(request, links), maxAge: 0 });
}

function attributes(request: FastifyRequest, links: Where) {
  return { httpOnly: true, sameSite: "lax", secure: links.isHttps(request), path: "/" } as const;
}

/** The secret where it counts for this request; null where it does not. Fails with `csrf` where only the double submit lacks. */
export function countedSecretOf(request: FastifyRequest, links: Where): string | null {
  const secret = sessionSecretOf(request, links);
  if (secret === null) return null;
  if (!SAFE_METHODS.has(request.method)) {
    requireSameOrigin(request, links);
    checkDoubleSubmit(request, NAME);
    return secret;
  }
  if (request.headers.upgrade !== undefined) {
    return request.headers.origin === originOfLinks(request, links) ? secret : null;
  }
  return isFromHere(request, links) || isOpenedByPerson(request) ? secret : null;
}

/** The same on a page for people. A form's token is looked at when its body is read, by `protectForms`. */
export function personSecretOf(request: FastifyRequest, links: Where): string | null {
  if (SAFE_METHODS.has(request.method)) return countedSecretOf(request, links);
  requireSameOrigin(request, links);
  return sessionSecretOf(request, links);
}

export function requireSameOrigin(request: FastifyRequest, links: Where): void {
  if (!isFromHere(request, links)) {
    throw new Failure("csrf", { detail: "This request comes from a page of another site." });
  }
}

/**
 * By what browsers say of themselves: `Sec-Fetch-Site` (under HTTPS) and `Origin`. The latter is `null` where the page
 * allows no referrer, as ours do; the token of the form still has to be right.
 */
function isFromHere(request: FastifyRequest, links: Where): boolean {
  const { origin, "sec-fetch-site": site } = request.headers;
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  return origin === undefined || origin === "null" || origin === originOfLinks(request, links);
}

/** Somebody followed a link from anywhere: the answer is shown to them, and nobody else reads it. */
function isOpenedByPerson({ headers }: FastifyRequest): boolean {
  return (
    headers.origin === undefined &&
    headers["sec-fetch-mode"] === "navigate" &&
    headers["sec-fetch-dest"] === "document"
  );
}

function originOfLinks(request: FastifyRequest, links: Where): string {
  return new URL(links.base(request)).origin;
}

/** Fails with `csrf` where a form's token is not the one that its page was made with. */
export function checkForm(request: FastifyRequest, expected: string): void {
  const { token } = (request.body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof token === "string" && isToken(token, expected)) return;
  throw new Failure("csrf", { detail: "The form's token is missing or not of this browser." });
}

/** Every form of a page for people who are logged in is checked here, so that none can be forgotten. */
export function protectForms(app: FastifyInstance, links: Where): void {
  const check: preHandlerHookHandler = (request, _reply, done) => {
    if (!SAFE_METHODS.has(request.method)) {
      checkForm(request, formTokenOf(sessionSecretOf(request, links) ?? ""));
    }
    done();
  };
  app.addHook("onRoute", (route) => {
    if (route.config?.access === "person") {
      route.preHandler = [check, ...[route.preHandler ?? []].flat()];
    }
  });
}
